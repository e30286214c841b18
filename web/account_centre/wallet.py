"""Wallet and transactions: what is in the wallet, all payments, and paying several invoices."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse

from billing.models import Invoice
from billing.selectors.invoices import open_invoices
from common import clock
from common.money import ZERO, format_money, round_money
from common.scope import Surface
from customers.models import Customer
from payments.models import Payment
from payments.rules.distribution import AmountNotPayable, DistributionTooHigh, prefill
from payments.selectors.payments import payments
from payments.selectors.service_balance import service_balance
from payments.services.checkouts import gateways_on, start_bulk_payment
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.account_centre.own import own_customer
from web.account_centre.payments import NAMES, no_gateway, return_url
from web.shared.actions import Action
from web.shared.filters import Filters, choice_filter, since_filter, until_filter
from web.shared.form_fields import Form, MoneyField
from web.shared.form_pages import FormPage, Review, form_page
from web.shared.lists import Empty, list_page
from web.shared.tables import (
    BadgeColumn,
    Column,
    InstantColumn,
    LinkColumn,
    MoneyColumn,
    Table,
)
from web.shared.writing import money_html


class PaymentTable(Table):
    order_number = LinkColumn("Payment")
    created_at = InstantColumn("Made", orderable=True, order_by=("created_at", "pk"))
    mode = Column("By", accessor="get_mode_display")
    state = BadgeColumn("State", accessor="get_state_display", value="state")
    amount = MoneyColumn("Amount")
    allocated_amount = MoneyColumn("Settles invoices")
    receipt_number = Column("Receipt")


class PaymentFilters(Filters):
    searches = ("order_number__icontains", "receipt_number__icontains", "reference__icontains")
    search_hint = "Payment, receipt or reference"

    state = choice_filter("State", "state", Payment.State.choices)
    since = since_filter("Made since", "created_at", of_instants=True)
    until = until_filter("Made until", "created_at", of_instants=True)


@page_of(Surface.ACCOUNT_CENTRE, "money.read")
def wallet(request: SurfaceRequest) -> HttpResponse:
    customer = own_customer(request)
    pay = Action(
        "Pay",
        reverse("account_centre_bulk_amount"),
        "credit-card",
        needs="money.pay",
        is_main=True,
    )
    return list_page(
        request,
        title="Wallet and transactions",
        lead="What you pay beyond your invoices stays in your wallet, for the next ones.",
        rows=payments(request.scope),
        table=PaymentTable,
        filters=PaymentFilters,
        name="payments",
        actions=[pay],
        empty=Empty("No payments yet", "Pay your invoices, or ahead of them, at any time.", pay),
        template="account_centre/payments/wallet.html",
        context={
            "balance": service_balance(request.scope, customer_id=customer.pk),
            "open_invoices": _dues(request, customer)[:10],
        },
    )


class AmountForm(Form):
    def __init__(self, *args: Any, currency: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["amount"] = MoneyField(
            currency=currency,
            label=f"Amount in {currency}",
            help_text="In the next step you choose what it settles.",
        )


@page_of(Surface.ACCOUNT_CENTRE, "money.pay", FORM_METHODS)
def bulk_amount(request: SurfaceRequest) -> HttpResponse:
    customer = own_customer(request)
    if not gateways_on():
        return no_gateway(request)

    def save(form: AmountForm) -> str:
        query = urlencode({"amount": form.cleaned_data["amount"]})
        return f"{reverse('account_centre_bulk_distribution')}?{query}"

    total = sum((invoice.due_amount for invoice in _dues(request, customer)), ZERO)
    due = money_html(total, customer.currency)
    page = FormPage(
        "Pay",
        submit="Continue",
        cancel_url=reverse("account_centre_wallet"),
        template="account_centre/payments/bulk_amount.html",
        context={"due": due},
    )
    return form_page(
        request,
        page,
        form=AmountForm,
        save=save,
        initial={"amount": _plain(total, customer) if total else ""},
        currency=customer.currency,
    )


class DistributionForm(Form):
    """The amount, and a field for the share of each open invoice."""

    def __init__(
        self, *args: Any, currency: str, invoices: Sequence[Invoice], **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self.invoices = invoices
        self.fields["amount"] = MoneyField(
            currency=currency,
            label=f"Amount in {currency}",
            help_text="What you give to no invoice stays in your wallet.",
        )
        for invoice in invoices:
            left = format_money(invoice.due_amount, currency)
            self.fields[self.share_name(invoice)] = MoneyField(
                currency=currency,
                required=False,
                max_value=invoice.due_amount,
                label=f"Invoice {invoice}",
                help_text=f"{left} left, due {invoice.due_date:%d %b %Y}",
                error_messages={"max_value": "No more than what is left of the invoice."},
            )

    @staticmethod
    def share_name(invoice: Invoice) -> str:
        return f"invoice_{invoice.pk}"

    @property
    def shares(self) -> dict[int, Decimal]:
        """What is given to each invoice that gets anything, by id."""
        given = {row.pk: self.cleaned_data[self.share_name(row)] for row in self.invoices}
        return {invoice_id: share for invoice_id, share in given.items() if share}


@page_of(Surface.ACCOUNT_CENTRE, "money.pay", FORM_METHODS)
def bulk_distribution(request: SurfaceRequest) -> HttpResponse:
    customer = own_customer(request)
    asked = AmountForm(request.GET, currency=customer.currency)
    if not gateways_on() or not asked.is_valid():
        return redirect("account_centre_bulk_amount")
    invoices = list(_dues(request, customer))
    [gateway] = gateways_on()

    def save(form: DistributionForm) -> str:
        started = start_bulk_payment(
            customer=customer,
            amount=form.cleaned_data["amount"],
            distribution=form.shares,
            gateway=gateway,
            return_url=return_url(),
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        return started.checkout_url

    page = FormPage(
        "What the payment settles",
        submit="Continue",
        cancel_url=reverse("account_centre_wallet"),
        lead="Filled in oldest first; change it as you like.",
    )
    return form_page(
        request,
        page,
        form=DistributionForm,
        save=save,
        review=lambda form: _review(form, customer.currency, gateway),
        fields_of={AmountNotPayable: "amount", DistributionTooHigh: "amount"},
        initial=_prefilled(asked.cleaned_data["amount"], invoices, customer),
        currency=customer.currency,
        invoices=invoices,
    )


def _review(form: DistributionForm, currency: str, gateway: str) -> Review:
    amount, shares = form.cleaned_data["amount"], form.shares
    settled = sum(shares.values(), ZERO)
    if settled > amount:
        raise DistributionTooHigh("The invoices get more than this amount; give them less.")
    if not amount:
        raise AmountNotPayable("Give an amount above zero.")
    return Review(
        title=f"Pay {amount:,} {currency}?",
        lead="You pay on the page of a payment company.",
        facts=[
            ("Amount", money_html(amount, currency)),
            ("To invoices", money_html(settled, currency)),
            ("To your wallet", money_html(amount - settled, currency)),
            ("Paid by", NAMES[gateway]),
        ],
        headings=("Invoice", "Left to pay", "Paid now", "Left then"),
        rows=[_row(invoice, shares, currency) for invoice in form.invoices],
        submit="Go on to payment",
    )


def _row(invoice: Invoice, shares: Mapping[int, Decimal], currency: str) -> list[object]:
    share = shares.get(invoice.pk, ZERO)
    amounts = (invoice.due_amount, share, invoice.due_amount - share)
    return [invoice, *(money_html(amount, currency) for amount in amounts)]


def _prefilled(
    amount: Decimal, invoices: Sequence[Invoice], customer: Customer
) -> dict[str, Decimal]:
    shares = prefill(amount, [invoice.due_amount for invoice in invoices])
    by_field = {
        DistributionForm.share_name(invoice): _plain(share, customer)
        for invoice, share in zip(invoices, shares, strict=True)
    }
    return {"amount": _plain(amount, customer), **by_field}


def _plain(amount: Decimal, customer: Customer) -> Decimal:
    """With as many decimals as people of this currency write."""
    return round_money(amount, customer.currency)


def _dues(request: SurfaceRequest, customer: Customer) -> QuerySet[Invoice]:
    return open_invoices(request.scope, customer.pk, customer.currency)


urls = [
    path("wallet/", wallet, name="account_centre_wallet"),
    path("wallet/pay/", bulk_amount, name="account_centre_bulk_amount"),
    path("wallet/pay/invoices/", bulk_distribution, name="account_centre_bulk_distribution"),
]
