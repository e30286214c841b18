"""Invoices and credit notes in the account centre: both lists, each document, and its PDF."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse

from billing.documents import kept
from billing.models import Invoice
from billing.rules.due_dates import is_overdue
from billing.selectors.appendix import usage_appendix
from billing.selectors.credit_notes import credit_notes
from billing.selectors.details import credit_note_detail, invoice_detail
from billing.selectors.invoices import invoice_by_id, invoices
from common.periods import Period
from common.scope import Surface
from payments.selectors.allocations import allocations
from web.access import SurfaceRequest, page_of
from web.account_centre.own import today
from web.shared.actions import Action, Tab, allowed
from web.shared.appendix import appendix_response
from web.shared.documents import pdf_response
from web.shared.filters import Filters, choice_filter, since_filter, until_filter
from web.shared.lists import Empty, list_page
from web.shared.tables import BadgeColumn, Column, DateColumn, LinkColumn, MoneyColumn, Table

_SHOWN_STATES = [
    (value, label) for value, label in Invoice.State.choices if value != Invoice.State.ESTIMATE
]


class InvoiceTable(Table):
    number = LinkColumn("Number")
    state = BadgeColumn("State", accessor="get_state_display", value="state")
    issue_date = DateColumn("Issued", orderable=True, order_by=("issue_date", "pk"))
    due_date = DateColumn("Due")
    gross_amount = MoneyColumn("Amount")
    due_amount = MoneyColumn("Left to pay")


class InvoiceFilters(Filters):
    searches = ("number__icontains",)
    search_hint = "Number"

    state = choice_filter("State", "state", _SHOWN_STATES)
    since = since_filter("Issued since", "issue_date")
    until = until_filter("Issued until", "issue_date")


def _tabs(current: str) -> list[Tab]:
    pages = (
        ("Invoices", reverse("account_centre_invoices")),
        ("Credit notes", reverse("account_centre_credit_notes")),
    )
    return [Tab(label, url, is_current=url == current) for label, url in pages]


@page_of(Surface.ACCOUNT_CENTRE, "money.read")
def invoice_list(request: SurfaceRequest) -> HttpResponse:
    return list_page(
        request,
        title="Invoices and credit notes",
        rows=invoices(request.scope),
        table=InvoiceTable,
        filters=InvoiceFilters,
        name="invoices",
        empty=Empty("No invoices yet", f"{request.provider} sends the first after a month of use."),
        template="account_centre/billing/document_list.html",
        context={"tabs": _tabs(request.path)},
    )


class CreditNoteTable(Table):
    number = LinkColumn("Number")
    invoice = LinkColumn("Of invoice", accessor="invoice__number", to="invoice")
    issue_date = DateColumn("Issued", orderable=True, order_by=("issue_date", "pk"))
    reason = Column("Reason")
    gross_amount = MoneyColumn("Amount")
    excess_amount = MoneyColumn("To your wallet")


class CreditNoteFilters(Filters):
    searches = ("number__icontains", "invoice__number__icontains")
    joined = ("invoice",)
    search_hint = "Number"

    since = since_filter("Issued since", "issue_date")
    until = until_filter("Issued until", "issue_date")


@page_of(Surface.ACCOUNT_CENTRE, "money.read")
def credit_note_list(request: SurfaceRequest) -> HttpResponse:
    return list_page(
        request,
        title="Invoices and credit notes",
        rows=credit_notes(request.scope),
        table=CreditNoteTable,
        filters=CreditNoteFilters,
        name="credit-notes",
        empty=Empty("No credit notes", "What is taken back of an invoice appears here."),
        template="account_centre/billing/document_list.html",
        context={"tabs": _tabs(request.path)},
    )


@page_of(Surface.ACCOUNT_CENTRE, "money.read")
def invoice_page(request: SurfaceRequest, invoice_id: int) -> HttpResponse:
    invoice = invoice_by_id(request.scope, invoice_id)
    detail = invoice_detail(request.scope, invoice.pk)
    settled = allocations(request.scope).filter(invoice=invoice, undone_at=None)
    context = {
        "invoice": invoice,
        "detail": detail,
        "last_day": Period(invoice.period_from, invoice.period_to).last_date,
        "is_overdue": is_overdue(detail.due_date, invoice.due_amount, today()),
        "settled": settled,
        "credit_notes": credit_notes(request.scope).filter(invoice=invoice),
        "actions": allowed(request.scope, _actions(invoice)),
    }
    return render(request, "account_centre/billing/invoice.html", context)


def _actions(invoice: Invoice) -> list[Action]:
    of_invoice = {"invoice_id": invoice.pk}
    address = reverse("account_centre_invoice_pdf", kwargs=of_invoice)
    usage = reverse("account_centre_invoice_usage", kwargs=of_invoice)
    files = [
        Action("Usage CSV", usage, "table-cells"),
        Action("PDF", f"{address}?download", "arrow-down-tray"),
    ]
    if invoice.state not in (Invoice.State.ISSUED, Invoice.State.PART_PAID):
        return files
    url = reverse("account_centre_invoice_pay", kwargs=of_invoice)
    return [*files, Action("Pay", url, "credit-card", needs="money.pay", is_main=True)]


@page_of(Surface.ACCOUNT_CENTRE, "money.read")
def invoice_pdf(request: SurfaceRequest, invoice_id: int) -> HttpResponse:
    invoice = invoice_by_id(request.scope, invoice_id)
    return pdf_response(request, str(invoice), lambda: kept.invoice_pdf(request.scope, invoice_id))


@page_of(Surface.ACCOUNT_CENTRE, "money.read")
def invoice_usage(request: SurfaceRequest, invoice_id: int) -> HttpResponse:
    invoice = invoice_by_id(request.scope, invoice_id)
    return appendix_response(invoice, usage_appendix(request.scope, invoice.pk))


@page_of(Surface.ACCOUNT_CENTRE, "money.read")
def credit_note_page(request: SurfaceRequest, credit_note_id: int) -> HttpResponse:
    note = credit_notes(request.scope).get(pk=credit_note_id)
    url = reverse("account_centre_credit_note_pdf", kwargs={"credit_note_id": note.pk})
    context = {
        "note": note,
        "detail": credit_note_detail(request.scope, note.pk),
        "actions": [Action("PDF", f"{url}?download", "arrow-down-tray")],
    }
    return render(request, "account_centre/billing/credit_note.html", context)


@page_of(Surface.ACCOUNT_CENTRE, "money.read")
def credit_note_pdf(request: SurfaceRequest, credit_note_id: int) -> HttpResponse:
    note = credit_notes(request.scope).get(pk=credit_note_id)
    return pdf_response(request, note.number, lambda: kept.credit_note_pdf(request.scope, note.pk))


urls = [
    path("invoices/", invoice_list, name="account_centre_invoices"),
    path("invoices/<int:invoice_id>/", invoice_page, name="account_centre_invoice"),
    path("invoices/<int:invoice_id>/pdf/", invoice_pdf, name="account_centre_invoice_pdf"),
    path("invoices/<int:invoice_id>/usage.csv", invoice_usage, name="account_centre_invoice_usage"),
    path("credit-notes/", credit_note_list, name="account_centre_credit_notes"),
    path("credit-notes/<int:credit_note_id>/", credit_note_page, name="account_centre_credit_note"),
    path(
        "credit-notes/<int:credit_note_id>/pdf/",
        credit_note_pdf,
        name="account_centre_credit_note_pdf",
    ),
]
