"""Paying an invoice, and the page that says how a payment stands."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse

from billing.models import Invoice
from billing.selectors.invoices import invoice_by_id
from common import clock
from common.scope import Surface
from payments.documents import kept
from payments.models import Payment
from payments.selectors.allocations import allocations
from payments.selectors.payments import payments
from payments.services.checkouts import gateways_on, start_invoice_payment
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.shared.actions import Action
from web.shared.documents import pdf_response
from web.shared.form_pages import Review, confirm_page
from web.shared.writing import money_html

NAMES = {"sandbox": "Sandbox payments, with test cards"}


def return_url() -> str:
    """Where a gateway sends the payer back to."""
    return f"{settings.PUBLIC_URL}{reverse('account_centre_payment_return')}"


def no_gateway(request: SurfaceRequest) -> HttpResponse:
    """What is said where nothing can be paid online."""
    return render(request, "account_centre/payments/no_gateway.html")


@page_of(Surface.ACCOUNT_CENTRE, "money.pay", FORM_METHODS)
def invoice_pay(request: SurfaceRequest, invoice_id: int) -> HttpResponse:
    invoice = invoice_by_id(request.scope, invoice_id)
    page = reverse("account_centre_invoice", kwargs={"invoice_id": invoice.pk})
    if invoice.state not in (Invoice.State.ISSUED, Invoice.State.PART_PAID):
        messages.info(request, f"Nothing is left to pay on invoice {invoice}.")
        return redirect(page)
    if not gateways_on():
        return no_gateway(request)
    [gateway] = gateways_on()
    amount = money_html(invoice.due_amount, invoice.currency)
    review = Review(
        title=f"Pay invoice {invoice}?",
        lead="You pay all that is left of it, on the page of a payment company.",
        facts=[
            ("Invoice", invoice),
            ("Invoiced", money_html(invoice.gross_amount, invoice.currency)),
            ("Left to pay", amount),
            ("Paid by", NAMES[gateway]),
        ],
        submit="Go on to payment",
    )

    def confirm() -> str:
        started = start_invoice_payment(
            invoice=invoice,
            gateway=gateway,
            return_url=return_url(),
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        return started.checkout_url

    return confirm_page(request, review, confirm=confirm, cancel_url=page)


@page_of(Surface.ACCOUNT_CENTRE, "money.read")
def payment_return(request: SurfaceRequest) -> HttpResponse:
    """Where the payer comes back to: a gateway adds the number of its order."""
    order_number = request.GET.get("order", "")
    payment = get_object_or_404(payments(request.scope), order_number=order_number)
    return HttpResponseRedirect(_url(payment))


@page_of(Surface.ACCOUNT_CENTRE, "money.read")
def payment_page(request: SurfaceRequest, payment_id: int) -> HttpResponse:
    payment = payments(request.scope).get(pk=payment_id)
    return render(request, "account_centre/payments/payment.html", _context(request, payment))


@page_of(Surface.ACCOUNT_CENTRE, "money.read")
def payment_state(request: SurfaceRequest, payment_id: int) -> HttpResponse:
    """What a page with a pending payment asks for; once it has ended the page is loaded anew."""
    payment = payments(request.scope).get(pk=payment_id)
    response = render(request, "account_centre/payments/_state.html", _context(request, payment))
    if payment.state != Payment.State.PENDING:
        response.headers["HX-Refresh"] = "true"
    return response


@page_of(Surface.ACCOUNT_CENTRE, "money.read")
def receipt_pdf(request: SurfaceRequest, payment_id: int) -> HttpResponse:
    received = payments(request.scope).exclude(receipt_number="")
    payment = received.select_related("customer").get(pk=payment_id)
    return pdf_response(
        request, payment.receipt_number, lambda: kept.receipt_pdf(request.scope, payment)
    )


def _context(request: SurfaceRequest, payment: Payment) -> dict[str, object]:
    settled = allocations(request.scope).filter(payment=payment, undone_at=None)
    return {
        "payment": payment,
        "paid_by": NAMES.get(payment.gateway) or payment.get_mode_display().lower(),
        "settled": settled,
        "actions": _actions(payment),
    }


def _actions(payment: Payment) -> list[Action]:
    if not payment.receipt_number:
        return []
    url = reverse("account_centre_receipt_pdf", kwargs={"payment_id": payment.pk})
    return [Action("Receipt", url, "arrow-down-tray")]


def _url(payment: Payment) -> str:
    return reverse("account_centre_payment", kwargs={"payment_id": payment.pk})


urls = [
    path("invoices/<int:invoice_id>/pay/", invoice_pay, name="account_centre_invoice_pay"),
    path("wallet/payments/return/", payment_return, name="account_centre_payment_return"),
    path("wallet/payments/<int:payment_id>/", payment_page, name="account_centre_payment"),
    path(
        "wallet/payments/<int:payment_id>/state/",
        payment_state,
        name="account_centre_payment_state",
    ),
    path(
        "wallet/payments/<int:payment_id>/receipt/", receipt_pdf, name="account_centre_receipt_pdf"
    ),
]
