"""Invoices in the console: the list, and everything about one of them."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Exists, F, OuterRef, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from billing.documents.kept import invoice_pdf
from billing.models import Document, Invoice, InvoiceEmail
from billing.rules.due_dates import is_overdue
from billing.selectors.appendix import usage_appendix
from billing.selectors.credit_notes import credit_notes
from billing.selectors.details import line_groups, tax_details, tier_statements
from billing.selectors.documents import documents
from billing.selectors.emails import invoice_emails
from billing.selectors.invoices import invoice_by_id, invoices
from billing.services.documents import start_invoice_document_again
from billing.services.emailing import request_invoice_email
from common import clock
from common.csv_files import Cell
from common.periods import Period, PeriodNotUnderstood, parse_month
from common.scope import Surface
from ledger.selectors import transfers
from payments.selectors.advance import OPEN_STATES
from payments.selectors.allocations import allocations
from reports.selectors.given_up import failed_emails
from resellers.models import Reseller
from resellers.selectors import resellers
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.console.documents import make_again_page, ways_to_pdf
from web.shared.actions import Action, allowed
from web.shared.appendix import appendix_response
from web.shared.badges import badge
from web.shared.documents import pdf_response
from web.shared.filters import (
    Filters,
    choice_filter,
    since_filter,
    tag_filter,
    text_filter,
    until_filter,
)
from web.shared.form_fields import Form
from web.shared.form_pages import FormPage, form_page
from web.shared.links import url_of
from web.shared.lists import Empty, list_page
from web.shared.tables import Column, DateColumn, LinkColumn, MoneyColumn, Table

CODE = {"td": {"class": "code"}}
OVERDUE = "OVERDUE"
STATES = [choice for choice in Invoice.State.choices if choice[0] != Invoice.State.ESTIMATE]


def state_of(invoice: Invoice) -> str:
    """The invoice's state, or that it is overdue, today where the provider is."""
    today = localtime(clock.now()).date()
    if (
        invoice.state in OPEN_STATES
        and invoice.due_date is not None
        and is_overdue(invoice.due_date, invoice.due_amount, today)
    ):
        return OVERDUE
    return invoice.state


class InvoiceStateColumn(Column):
    """An invoice's state as a badge; what is late says so."""

    def render(self, record: Invoice) -> SafeString:
        state = state_of(record)
        return badge(state, state)

    def export_cells(self, record: Any, value: Any) -> list[Cell]:
        return [state_of(record)]


class PayerColumn(Column):
    """Who pays an invoice, a customer or a reseller, as it is printed on it."""

    def render(self, record: Invoice, value: Any, table: Any) -> SafeString:
        payer = record.customer or record.reseller
        url = url_of(table.scope, payer) if payer else ""
        return format_html('<a href="{}">{}</a>', url, value) if url else format_html("{}", value)


class InvoiceTable(Table):
    number = LinkColumn("Number", attrs=CODE)
    payer = PayerColumn("Customer or reseller", accessor="buyer__name")
    state = InvoiceStateColumn("State")
    issue_date = DateColumn("Issued", orderable=True)
    due_date = DateColumn("Due")
    net_amount = MoneyColumn("Net")
    gross_amount = MoneyColumn("Gross")
    due_amount = MoneyColumn("Still due")


def _resellers(request: SurfaceRequest) -> QuerySet[Reseller]:
    return resellers(request.scope)


class InvoiceFilters(Filters):
    searches = (
        "number__istartswith",
        "customer__organisation__icontains",
        "customer__last_name__icontains",
        "reseller__organisation__icontains",
    )
    search_hint = "Number, customer or reseller"

    state = choice_filter("State", "state", [*STATES, (OVERDUE, "Overdue")], method="in_state")
    kind = choice_filter("Kind", "kind", Invoice.Kind.choices)
    period = text_filter("Billed month", "period_from__exact", method="of_month")
    customer = text_filter(
        "Customer number",
        "customer__number__exact",
        method="of_customer",
    )
    reseller = tag_filter("Reseller", "tagged_reseller", _resellers)
    currency = text_filter("Currency", "currency__iexact")
    document = choice_filter("PDF", "document__state", Document.State.choices)
    email = choice_filter("E-mail", "emails", [("FAILED", "Could not be sent")], method="of_email")
    since = since_filter("Issued since", "issue_date")
    until = until_filter("Issued until", "issue_date")

    def in_state(self, rows: QuerySet[Invoice], name: str, state: str) -> QuerySet[Invoice]:
        if state != OVERDUE:
            return rows.filter(state=state)
        today = localtime(clock.now()).date()
        late = rows.filter(state__in=OPEN_STATES, due_date__lt=today)
        return late.filter(gross_amount__gt=F("settled_amount") + F("credited_amount"))

    def of_email(self, rows: QuerySet[Invoice], name: str, state: str) -> QuerySet[Invoice]:
        return rows.filter(
            Exists(failed_emails(InvoiceEmail.objects.filter(invoice=OuterRef("pk"))))
        )

    def of_month(self, rows: QuerySet[Invoice], name: str, text: str) -> QuerySet[Invoice]:
        """Invoices of a period that is, or has a part in, a month such as 2026-10."""
        try:
            period = parse_month(text)
        except PeriodNotUnderstood:
            return rows.none()
        return rows.filter(period_from__lt=period.to_date, period_to__gt=period.from_date)

    def of_customer(self, rows: QuerySet[Invoice], name: str, number: str) -> QuerySet[Invoice]:
        return rows.filter(customer__number=int(number)) if number.isdecimal() else rows.none()


@page_of(Surface.CONSOLE, "invoices.list")
def invoice_list(request: SurfaceRequest) -> HttpResponse:
    return list_page(
        request,
        title="Invoices",
        rows=invoices(request.scope),
        table=InvoiceTable,
        filters=InvoiceFilters,
        name="invoices",
        empty=Empty("No invoices yet", "They appear here when a bill run is issued."),
    )


@page_of(Surface.CONSOLE, "invoices.read")
def invoice_show(request: SurfaceRequest, invoice_id: int) -> HttpResponse:
    invoice = invoice_by_id(request.scope, invoice_id)
    state = state_of(invoice)
    document = documents(request.scope).filter(invoice=invoice).first()
    context = {
        "invoice": invoice,
        "state": state,
        "payer": invoice.customer or invoice.reseller,
        "last_day": Period(invoice.period_from, invoice.period_to).last_date,
        "groups": line_groups(invoice),
        "tier_statements": tier_statements(invoice),
        "taxes": tax_details(invoice),
        "allocations": allocations(request.scope).filter(invoice=invoice),
        "emails": invoice_emails(request.scope).filter(invoice=invoice),
        "credit_notes": credit_notes(request.scope).filter(invoice=invoice),
        "transfers": transfers(request.scope, document=f"invoice:{invoice.pk}"),
        "document": document,
        "actions": allowed(request.scope, _actions(invoice, document)),
    }
    return render(request, "console/billing/invoice_show.html", context)


@page_of(Surface.CONSOLE, "invoices.read")
def invoice_document(request: SurfaceRequest, invoice_id: int) -> HttpResponse:
    invoice = invoice_by_id(request.scope, invoice_id)
    return pdf_response(request, str(invoice), lambda: invoice_pdf(request.scope, invoice_id))


@page_of(Surface.CONSOLE, "invoices.write", FORM_METHODS)
def invoice_document_again(request: SurfaceRequest, invoice_id: int) -> HttpResponse:
    invoice = invoice_by_id(request.scope, invoice_id)
    return make_again_page(
        request,
        documents(request.scope).get(invoice=invoice),
        name=f"invoice {invoice}",
        start=lambda: start_invoice_document_again(
            invoice=invoice, at=clock.now(), actor_id=request.scope.user_id
        ),
        cancel_url=url_of(request.scope, invoice),
    )


@page_of(Surface.CONSOLE, "invoices.read")
def invoice_usage(request: SurfaceRequest, invoice_id: int) -> HttpResponse:
    invoice = invoice_by_id(request.scope, invoice_id)
    return appendix_response(invoice, usage_appendix(request.scope, invoice.pk))


class EmailForm(Form):
    recipient = forms.EmailField(label="To", help_text="The customer's own address at first.")


@page_of(Surface.CONSOLE, "invoices.write", FORM_METHODS)
def invoice_email(request: SurfaceRequest, invoice_id: int) -> HttpResponse:
    invoice = invoice_by_id(request.scope, invoice_id)
    address = reverse("console_invoice", kwargs={"invoice_id": invoice.pk})

    def save(form: EmailForm) -> str:
        request_invoice_email(
            invoice=invoice,
            recipient=form.cleaned_data["recipient"],
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(request, "The invoice is on its way.")
        return address

    return form_page(
        request,
        FormPage(
            f"E-mail invoice {invoice}",
            submit="Send",
            cancel_url=address,
            lead="The PDF is attached, as it was issued.",
        ),
        form=EmailForm,
        save=save,
        initial={"recipient": invoice.customer.email if invoice.customer else ""},
    )


def _sending(invoice: Invoice) -> list[Action]:
    if invoice.customer is None:
        return []
    address = reverse("console_invoice_email", kwargs={"invoice_id": invoice.pk})
    return [Action("E-mail", address, "envelope", needs="invoices.write")]


def _actions(invoice: Invoice, document: Document | None) -> list[Action]:
    address = reverse("console_invoice_pdf", kwargs={"invoice_id": invoice.pk})
    credit = reverse("console_credit_note_create", kwargs={"invoice_id": invoice.pk})
    usage = reverse("console_invoice_usage", kwargs={"invoice_id": invoice.pk})
    return [
        *_sending(invoice),
        Action("Usage CSV", usage, "table-cells"),
        Action("Credit note", credit, "receipt-refund", needs="money.write"),
        *ways_to_pdf(
            document,
            [
                Action("View PDF", address, "document-text"),
                Action("Download", f"{address}?download", "arrow-down-tray"),
            ],
            again=reverse("console_invoice_pdf_again", kwargs={"invoice_id": invoice.pk}),
            needs="invoices.write",
        ),
    ]


urls = [
    path("billing/invoices/", invoice_list, name="console_invoices"),
    path("billing/invoices/<int:invoice_id>/", invoice_show, name="console_invoice"),
    path("billing/invoices/<int:invoice_id>/pdf/", invoice_document, name="console_invoice_pdf"),
    path(
        "billing/invoices/<int:invoice_id>/pdf/again/",
        invoice_document_again,
        name="console_invoice_pdf_again",
    ),
    path(
        "billing/invoices/<int:invoice_id>/usage.csv", invoice_usage, name="console_invoice_usage"
    ),
    path("billing/invoices/<int:invoice_id>/email/", invoice_email, name="console_invoice_email"),
]
