"""Recording in the console what came by other means, and what it settles."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.urls import path, reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime

from billing.models import Invoice
from billing.selectors.invoices import open_invoices
from common import clock
from common.errors import DomainError
from common.money import ZERO, format_money, round_money
from common.scope import Scope, Surface
from customers.models import Customer
from customers.selectors import customer, customers
from ledger.models import AccountKind
from ledger.selectors import balance
from payments.models import Payment
from payments.rules.distribution import (
    AmountNotPayable,
    DistributionTooHigh,
    check_amount,
    check_distribution,
    prefill,
)
from payments.services.offline import record_offline_payment
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.shared.form_fields import CountField, DateField, ExactField, Form, MoneyField
from web.shared.form_pages import FormPage, Review, form_page
from web.shared.writing import money_html

MODES = [choice for choice in Payment.Mode.choices if choice[0] != Payment.Mode.GATEWAY]


class UnknownCustomerNumber(DomainError):
    """No customer of the provider has this number."""


class AmountForm(Form):
    """The first step: how much, to be spread over the open invoices."""

    def __init__(self, *args: Any, currency: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["amount"] = MoneyField(
            currency=currency, label=f"Amount received, in {currency}"
        )


class PayerForm(Form):
    customer = CountField(label="Customer number", min_value=1)
    amount = ExactField(
        label="Amount received",
        decimal_places=4,
        help_text="In the customer's currency.",
    )


class OfflineForm(Form):
    """The second step: how it came, and what it settles; a field for each open invoice."""

    amount = ExactField()
    mode = forms.ChoiceField(choices=MODES, label="How it came")
    reference = forms.CharField(
        max_length=100, required=False, help_text="Of the bank, cheque or till."
    )
    transaction_date = DateField(label="Paid on")
    posting_date = DateField(label="Posted on", help_text="When the books take it.")
    narration = forms.CharField(max_length=300, required=False)

    def __init__(
        self, *args: Any, payer: Customer, invoices: Sequence[Invoice], **options: Any
    ) -> None:
        super().__init__(*args, **options)
        currency = payer.currency
        self.fields["amount"] = MoneyField(
            currency=currency, label=f"Amount received, in {currency}"
        )
        self.names = {_name(invoice.pk): invoice.pk for invoice in invoices}
        for invoice in invoices:
            due = format_money(invoice.due_amount, currency)
            until = date_format(invoice.due_date, "DATE_FORMAT") if invoice.due_date else ""
            self.fields[_name(invoice.pk)] = MoneyField(
                currency=currency,
                label=f"Invoice {invoice}",
                required=False,
                help_text=f"{due}, due {until}",
            )

    @property
    def fieldsets(self) -> list[tuple[str, list[forms.BoundField]]]:
        shares = [self[name] for name in self.names]
        fields = [field for field in self.visible_fields() if field.name not in self.names]
        heading = "Settles, the oldest first; the rest stays in the wallet"
        return [("Payment", fields), (heading, shares)] if shares else [("Payment", fields)]

    @property
    def shares(self) -> dict[int, Decimal]:
        """What each invoice gets, without those that get nothing."""
        given = {key: self.cleaned_data[name] for name, key in self.names.items()}
        return {key: share for key, share in given.items() if share}


def _name(invoice_id: int) -> str:
    return f"invoice_{invoice_id}"


def _address(payer: Customer, amount: Decimal) -> str:
    address = reverse("console_customer_payment", kwargs={"customer_id": payer.pk})
    return f"{address}?{urlencode({'amount': f'{amount:f}'})}"


@page_of(Surface.CONSOLE, "money.write", FORM_METHODS)
def payment_create(request: SurfaceRequest) -> HttpResponse:
    def save(form: PayerForm) -> str:
        number = form.cleaned_data["customer"]
        payer = customers(request.scope).filter(number=number).first()
        if payer is None:
            raise UnknownCustomerNumber(f"There is no customer {number}; look the number up.")
        check_amount(form.cleaned_data["amount"], payer.currency)
        return _address(payer, form.cleaned_data["amount"])

    page = FormPage(
        "Record a payment",
        submit="Continue",
        cancel_url=reverse("console_payments"),
        lead="What came by bank, cheque, cash or card terminal. Next: what it settles.",
    )
    fields = {UnknownCustomerNumber: "customer", AmountNotPayable: "amount"}
    return form_page(request, page, form=PayerForm, save=save, fields_of=fields)


@page_of(Surface.CONSOLE, "money.write", FORM_METHODS)
def customer_payment(request: SurfaceRequest, customer_id: int) -> HttpResponse:
    payer = customer(request.scope, customer_id)
    amount = _amount_of(request.GET, payer)
    if amount is None:
        return _ask_amount(request, payer)
    invoices = list(open_invoices(request.scope, payer.pk, payer.currency))

    def save(form: OfflineForm) -> str:
        payment = record_offline_payment(
            customer=payer,
            amount=form.cleaned_data["amount"],
            currency=payer.currency,
            mode=Payment.Mode(form.cleaned_data["mode"]),
            reference=form.cleaned_data["reference"],
            narration=form.cleaned_data["narration"],
            posting_date=form.cleaned_data["posting_date"],
            transaction_date=form.cleaned_data["transaction_date"],
            distribution=form.shares,
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(request, f"Recorded under receipt {payment.receipt_number}.")
        return reverse("console_payment", kwargs={"payment_id": payment.pk})

    return form_page(
        request,
        FormPage(
            f"Record a payment of {payer}",
            submit="Continue",
            cancel_url=reverse("console_customer", kwargs={"customer_id": payer.pk}),
        ),
        form=OfflineForm,
        save=save,
        review=lambda form: _review(form, payer, invoices, _wallet(request.scope, payer)),
        fields_of={AmountNotPayable: "amount", DistributionTooHigh: "amount"},
        payer=payer,
        invoices=invoices,
        initial=_prefilled(amount, invoices, payer),
    )


def _ask_amount(request: SurfaceRequest, payer: Customer) -> HttpResponse:
    def save(form: AmountForm) -> str:
        check_amount(form.cleaned_data["amount"], payer.currency)
        return _address(payer, form.cleaned_data["amount"])

    page = FormPage(
        f"Record a payment of {payer}",
        submit="Continue",
        cancel_url=reverse("console_customer", kwargs={"customer_id": payer.pk}),
        lead="Next: how it came, and which invoices it settles.",
    )
    fields: dict[type[DomainError], str] = {AmountNotPayable: "amount"}
    return form_page(
        request, page, form=AmountForm, save=save, fields_of=fields, currency=payer.currency
    )


def _amount_of(query: Mapping[str, str], payer: Customer) -> Decimal | None:
    form = AmountForm(query, currency=payer.currency)
    amount: Decimal | None = form.cleaned_data["amount"] if form.is_valid() else None
    return amount or None


def _prefilled(amount: Decimal, invoices: Sequence[Invoice], payer: Customer) -> dict[str, object]:
    today = localtime(clock.now()).date()
    shares = prefill(amount, [round_money(row.due_amount, payer.currency) for row in invoices])
    given = zip(invoices, shares, strict=True)
    return {
        "amount": amount,
        "posting_date": today,
        "transaction_date": today,
        "mode": Payment.Mode.BANK_TRANSFER,
        **{_name(invoice.pk): share for invoice, share in given},
    }


def _wallet(scope: Scope, payer: Customer) -> Decimal:
    """What the payer's wallet holds in its own currency."""
    kind, owner = AccountKind.CUSTOMER_WALLET, str(payer.pk)
    return -balance(scope, kind=kind, currency=payer.currency, owner=owner)


def _review(
    form: OfflineForm, payer: Customer, invoices: Sequence[Invoice], held: Decimal
) -> Review:
    """What there is of each before and after: sent twice, it is asked again."""
    given, shares, currency = form.cleaned_data, form.shares, payer.currency
    check_amount(given["amount"], currency)
    check_distribution(
        amount=given["amount"],
        currency=currency,
        shares=shares,
        dues={row.pk: row.due_amount for row in invoices},
        numbers={row.pk: str(row) for row in invoices},
    )
    settled = sum(shares.values(), ZERO)
    advance = given["amount"] - settled
    paid = [row for row in invoices if row.pk in shares]
    return Review(
        title=f"Record {format_money(given['amount'], currency)} of {payer}?",
        facts=[
            ("Amount", money_html(given["amount"], currency)),
            ("Settles invoices", money_html(settled, currency)),
            ("Stays in the wallet", money_html(advance, currency)),
            ("How it came", Payment.Mode(given["mode"]).label.capitalize()),
            ("Reference", given["reference"]),
            ("Paid on", date_format(given["transaction_date"], "DATE_FORMAT")),
            ("Posted on", date_format(given["posting_date"], "DATE_FORMAT")),
            ("Narration", given["narration"]),
        ],
        headings=["Invoice or wallet", "Before", "Paid now", "After"],
        rows=[
            *(
                (
                    row,
                    money_html(row.due_amount, currency),
                    money_html(shares[row.pk], currency),
                    money_html(row.due_amount - shares[row.pk], currency),
                )
                for row in paid
            ),
            (
                "Wallet",
                money_html(held, currency),
                money_html(advance, currency),
                money_html(held + advance, currency),
            ),
        ],
        submit="Record the payment",
    )


urls = [
    path("payments/new/", payment_create, name="console_payment_create"),
    path(
        "customers/<int:customer_id>/payments/new/",
        customer_payment,
        name="console_customer_payment",
    ),
]
