"""Settlement invoices: those a reseller is to pay, and those its sub-resellers are to pay it."""

from datetime import timedelta

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.timezone import localdate

from billing.documents.kept import invoice_pdf
from billing.models import Invoice
from billing.selectors.credit_notes import credit_notes
from billing.selectors.details import invoice_detail
from billing.selectors.invoices import invoice_by_id, invoices
from cdr.selectors.own_usage import owed_usage
from common import clock
from common.periods import Period
from common.scope import Surface
from web.access import WHOLESALE, SurfaceRequest, page_of
from web.shared.actions import Action
from web.shared.documents import pdf_response
from web.shared.filters import Filters, choice_filter, since_filter, until_filter
from web.shared.lists import Empty, list_page
from web.shared.tables import BadgeColumn, Column, DateColumn, LinkColumn, MoneyColumn, Table
from web.shared.writing import money_html, plain_number

# A year of whole months, the present one included.
DAYS_OF_USAGE = 335
_STATES = [choice for choice in Invoice.State.choices if choice[0] != Invoice.State.ESTIMATE]


class InvoiceTable(Table):
    number = LinkColumn("Number", attrs={"td": {"class": "code"}})
    state = BadgeColumn("State", accessor="get_state_display", value="state")
    issue_date = DateColumn("Issued", orderable=True, order_by=("issue_date", "pk"))
    due_date = DateColumn("Due")
    net_amount = MoneyColumn("Net")
    tax_amount = MoneyColumn("Tax")
    gross_amount = MoneyColumn("Gross")
    due_amount = MoneyColumn("Left to pay")


class SettlementTable(InvoiceTable):
    seller = Column("Billed by", accessor="seller__name")

    class Meta:
        sequence = ("number", "seller", "...")


class OwedTable(InvoiceTable):
    buyer = Column("Billed to", accessor="buyer__name")

    class Meta:
        sequence = ("number", "buyer", "...")


class SettlementFilters(Filters):
    searches = ("number__icontains",)
    search_hint = "Number"

    state = choice_filter("State", "state", _STATES)
    since = since_filter("Issued since", "issue_date")
    until = until_filter("Issued until", "issue_date")


def _own_id(request: SurfaceRequest) -> int:
    assert request.scope.reseller_id is not None
    return request.scope.reseller_id


def _addressed(request: SurfaceRequest) -> QuerySet[Invoice]:
    return invoices(request.scope).filter(reseller=_own_id(request))


def _issued(request: SurfaceRequest) -> QuerySet[Invoice]:
    return invoices(request.scope).filter(issuing_reseller=_own_id(request))


@page_of(Surface.RESELLER_PORTAL, WHOLESALE)
def settlement_list(request: SurfaceRequest) -> HttpResponse:
    return list_page(
        request,
        title="Settlement invoices",
        lead="What you owe for the usage of your branch, as it was invoiced to you.",
        rows=_addressed(request),
        table=SettlementTable,
        filters=SettlementFilters,
        name="settlement-invoices",
        empty=Empty("No settlement invoices yet", "Each bill run adds those of its period."),
    )


@page_of(Surface.RESELLER_PORTAL, WHOLESALE)
def owed_list(request: SurfaceRequest) -> HttpResponse:
    since = (localdate(clock.now()) - timedelta(days=DAYS_OF_USAGE)).replace(day=1)
    usage = [
        [f"{row.month:%B %Y}", plain_number(row.call_count), money_html(row.amount, row.currency)]
        for row in owed_usage(request.scope, since)
    ]
    return list_page(
        request,
        title="Owed to you",
        lead="What your sub-resellers owe you for their branches' usage, and were invoiced for it.",
        rows=_issued(request),
        table=OwedTable,
        filters=SettlementFilters,
        name="owed-by-sub-resellers",
        empty=Empty("No settlement invoices yet", "Each bill run adds those of its period."),
        template="reseller_portal/settlements/owed_list.html",
        context={"usage_headings": ["Month", "Calls", "Owed to you"], "usage": usage},
    )


@page_of(Surface.RESELLER_PORTAL, WHOLESALE)
def settlement_show(request: SurfaceRequest, invoice_id: int) -> HttpResponse:
    invoice = invoice_by_id(request.scope, invoice_id)
    is_owed = invoice.issuing_reseller_id == request.scope.reseller_id
    pdf = reverse("reseller_portal_settlement_pdf", kwargs={"invoice_id": invoice.pk})
    context = {
        "invoice": invoice,
        "detail": invoice_detail(request.scope, invoice_id),
        "last_day": Period(invoice.period_from, invoice.period_to).last_date,
        "credit_notes": credit_notes(request.scope).filter(invoice=invoice),
        "parent": ("Owed to you", reverse("reseller_portal_owed"))
        if is_owed
        else ("Settlement invoices", reverse("reseller_portal_settlement_invoices")),
        "actions": [
            Action("View PDF", pdf, "document-text"),
            Action("Download", f"{pdf}?download", "arrow-down-tray"),
        ],
    }
    return render(request, "reseller_portal/settlements/settlement_show.html", context)


@page_of(Surface.RESELLER_PORTAL, WHOLESALE)
def settlement_pdf(request: SurfaceRequest, invoice_id: int) -> HttpResponse:
    invoice = invoice_by_id(request.scope, invoice_id)
    return pdf_response(request, str(invoice), lambda: invoice_pdf(request.scope, invoice_id))


urls = [
    path("invoices/", settlement_list, name="reseller_portal_settlement_invoices"),
    path("invoices/<int:invoice_id>/", settlement_show, name="reseller_portal_settlement"),
    path("invoices/<int:invoice_id>/pdf/", settlement_pdf, name="reseller_portal_settlement_pdf"),
    path("owed/", owed_list, name="reseller_portal_owed"),
]
