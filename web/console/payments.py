"""Payments in the console: all of them, one of them, its receipt, and taking it back."""

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse

from common import clock
from common.money import ZERO
from common.scope import Surface
from ledger.selectors import transfers
from payments.documents.kept import receipt_pdf
from payments.models import Payment, ReceiptDocument
from payments.selectors.allocations import allocations
from payments.selectors.payments import payments, receipts, transactions
from payments.services.receipts import start_receipt_again
from payments.services.reversal import reverse_payment
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.console.documents import make_again_page, ways_to_pdf
from web.shared.actions import Action, allowed
from web.shared.documents import pdf_response
from web.shared.filters import Filters, choice_filter, since_filter, text_filter, until_filter
from web.shared.form_fields import Form
from web.shared.form_pages import FormPage, Review, form_page
from web.shared.links import url_of
from web.shared.lists import Empty, list_page
from web.shared.tables import (
    BadgeColumn,
    Column,
    DateColumn,
    InstantColumn,
    LinkColumn,
    MoneyColumn,
    Table,
)
from web.shared.writing import money_html

CODE = {"td": {"class": "code"}}


class PaymentTable(Table):
    order_number = LinkColumn("Payment", attrs=CODE)
    customer = LinkColumn("Customer", accessor="customer__name", to="customer")
    state = BadgeColumn("State", accessor="get_state_display", value="state")
    mode = BadgeColumn("Mode", accessor="get_mode_display", value="mode")
    reference = Column("Reference")
    receipt_number = Column("Receipt", attrs=CODE)
    created_at = InstantColumn("Recorded")
    posting_date = DateColumn("Posted")
    amount = MoneyColumn("Amount")


class PaymentFilters(Filters):
    searches = (
        "order_number__istartswith",
        "receipt_number__istartswith",
        "reference__istartswith",
        "customer__organisation__icontains",
        "customer__last_name__icontains",
    )
    search_hint = "Number, receipt, reference or customer"

    state = choice_filter("State", "state", Payment.State.choices)
    mode = choice_filter("Mode", "mode", Payment.Mode.choices)
    way = choice_filter("Way", "way", Payment.Way.choices)
    gateway = text_filter("Gateway", "gateway__iexact")
    currency = text_filter("Currency", "currency__iexact")
    receipt = choice_filter("Receipt", "receipt_document__state", ReceiptDocument.State.choices)
    since = since_filter("Recorded since", "created_at", of_instants=True)
    until = until_filter("Recorded until", "created_at", of_instants=True)
    posted_since = since_filter("Posted since", "posting_date")
    posted_until = until_filter("Posted until", "posting_date")


@page_of(Surface.CONSOLE, "money.list")
def payment_list(request: SurfaceRequest) -> HttpResponse:
    record = Action(
        "Record payment",
        reverse("console_payment_create"),
        "plus",
        needs="money.write",
        is_main=True,
    )
    return list_page(
        request,
        title="Transactions",
        rows=transactions(request.scope),
        table=PaymentTable,
        filters=PaymentFilters,
        name="payments",
        empty=Empty("No payments yet", "Record what came to the bank, by cheque or cash.", record),
        actions=[record],
    )


@page_of(Surface.CONSOLE, "money.read")
def payment_show(request: SurfaceRequest, payment_id: int) -> HttpResponse:
    payment = payments(request.scope).select_related("customer", "created_by").get(pk=payment_id)
    came_in = payment.succeeded_at is not None and payment.state == Payment.State.SUCCEEDED
    document = receipts(request.scope).filter(payment=payment).first()
    context = {
        "payment": payment,
        "advance_amount": payment.amount - payment.allocated_amount if came_in else ZERO,
        "reversal": getattr(payment, "reversal", None),
        "allocations": allocations(request.scope).filter(payment=payment),
        "transfers": transfers(request.scope, document=f"payment:{payment.pk}"),
        "document": document,
        "actions": allowed(request.scope, _actions(payment, document)),
    }
    return render(request, "console/payments/payment_show.html", context)


def _actions(payment: Payment, document: ReceiptDocument | None) -> list[Action]:
    of_payment = {"payment_id": payment.pk}
    actions: list[Action] = []
    if payment.state == Payment.State.SUCCEEDED:
        address = reverse("console_payment_reverse", kwargs=of_payment)
        actions.append(Action("Reverse", address, "arrow-uturn-left", needs="money.write"))
    if payment.receipt_number:
        address = reverse("console_payment_receipt", kwargs=of_payment)
        shown = [Action("Receipt", address, "document-text")]
        again = reverse("console_payment_receipt_again", kwargs=of_payment)
        actions += ways_to_pdf(document, shown, again=again, needs="money.write")
    return actions


@page_of(Surface.CONSOLE, "money.read")
def payment_receipt(request: SurfaceRequest, payment_id: int) -> HttpResponse:
    payment = transactions(request.scope).get(pk=payment_id)
    if not payment.receipt_number:
        raise Http404
    return pdf_response(
        request, payment.receipt_number, lambda: receipt_pdf(request.scope, payment)
    )


@page_of(Surface.CONSOLE, "money.write", FORM_METHODS)
def payment_receipt_again(request: SurfaceRequest, payment_id: int) -> HttpResponse:
    payment = transactions(request.scope).get(pk=payment_id)
    return make_again_page(
        request,
        receipts(request.scope).get(payment=payment),
        name=f"receipt {payment.receipt_number}",
        start=lambda: start_receipt_again(
            payment=payment, at=clock.now(), actor_id=request.scope.user_id
        ),
        cancel_url=url_of(request.scope, payment),
    )


class ReverseForm(Form):
    reason = forms.CharField(
        max_length=300, help_text="Kept with the payment, such as: the cheque bounced."
    )


@page_of(Surface.CONSOLE, "money.write", FORM_METHODS)
def payment_reverse(request: SurfaceRequest, payment_id: int) -> HttpResponse:
    payment = payments(request.scope).select_related("customer").get(pk=payment_id)
    address = reverse("console_payment", kwargs={"payment_id": payment.pk})

    def review(form: ReverseForm) -> Review:
        live = allocations(request.scope).filter(payment=payment, undone_at__isnull=True)
        return Review(
            title=f"Reverse payment {payment}?",
            lead="The money counts as never received. This can be done once and is not undone.",
            facts=[
                ("Customer", payment.customer),
                ("Amount taken back", money_html(payment.amount, payment.currency)),
                ("Reopened on invoices", money_html(payment.allocated_amount, payment.currency)),
                (
                    "Taken out of the wallet",
                    money_html(payment.amount - payment.allocated_amount, payment.currency),
                ),
                ("Reason", form.cleaned_data["reason"]),
            ],
            headings=["Invoice", "Due again"],
            rows=[(row.invoice, money_html(row.amount, payment.currency)) for row in live],
            submit="Reverse the payment",
            is_dangerous=True,
        )

    def save(form: ReverseForm) -> str:
        reverse_payment(
            payment=payment,
            reason=form.cleaned_data["reason"],
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(request, f"Payment {payment} was reversed.")
        return address

    page = FormPage(f"Reverse payment {payment}", submit="Continue", cancel_url=address)
    return form_page(request, page, form=ReverseForm, save=save, review=review)


urls = [
    path("payments/", payment_list, name="console_payments"),
    path("payments/<int:payment_id>/", payment_show, name="console_payment"),
    path("payments/<int:payment_id>/receipt/", payment_receipt, name="console_payment_receipt"),
    path(
        "payments/<int:payment_id>/receipt/again/",
        payment_receipt_again,
        name="console_payment_receipt_again",
    ),
    path("payments/<int:payment_id>/reverse/", payment_reverse, name="console_payment_reverse"),
]
