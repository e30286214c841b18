"""Estimates in the console: what open bill runs would issue, and each with its lines."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from billing.documents import render_estimate
from billing.documents.kept import kept_pdf
from billing.documents.logos import logo_on
from billing.models import Invoice
from billing.selectors.details import estimate_detail, line_groups, tax_details, tier_statements
from billing.selectors.invoices import all_estimates
from common.periods import Period
from common.scope import Surface
from web.access import SurfaceRequest, page_of
from web.console.invoices import PayerColumn
from web.shared.actions import Action
from web.shared.documents import pdf_response
from web.shared.filters import Filters, choice_filter, since_filter, until_filter
from web.shared.lists import Empty, list_page
from web.shared.tables import BadgeColumn, Column, DateColumn, MoneyColumn, Table


class EstimateColumn(Column):
    """The estimate's id, which leads to it; it has no number yet."""

    def render(self, record: Invoice) -> SafeString:
        address = reverse("console_estimate", kwargs={"invoice_id": record.pk})
        return format_html('<a href="{}">Estimate {}</a>', address, record.pk)


class EstimateTable(Table):
    pk = EstimateColumn("Estimate")
    payer = PayerColumn("Customer or reseller", accessor="buyer__name")
    kind = BadgeColumn("Kind", accessor="get_kind_display", value="kind")
    period_from = DateColumn("Period from")
    net_amount = MoneyColumn("Net")
    tax_amount = MoneyColumn("Tax")
    gross_amount = MoneyColumn("Gross")


class EstimateFilters(Filters):
    searches = (
        "customer__organisation__icontains",
        "customer__last_name__icontains",
        "reseller__organisation__icontains",
    )
    search_hint = "Customer or reseller"

    kind = choice_filter("Kind", "kind", Invoice.Kind.choices)
    since = since_filter("Period since", "period_from")
    until = until_filter("Period until", "period_from")


@page_of(Surface.CONSOLE, "invoices.list")
def estimate_list(request: SurfaceRequest) -> HttpResponse:
    return list_page(
        request,
        title="Estimates",
        rows=all_estimates(request.scope),
        table=EstimateTable,
        filters=EstimateFilters,
        name="estimates",
        empty=Empty(
            "No estimates", "They appear when a bill run is calculated, until it is issued."
        ),
    )


@page_of(Surface.CONSOLE, "invoices.read")
def estimate_show(request: SurfaceRequest, invoice_id: int) -> HttpResponse:
    estimate = all_estimates(request.scope).get(pk=invoice_id)
    address = reverse("console_estimate_pdf", kwargs={"invoice_id": estimate.pk})
    context = {
        "estimate": estimate,
        "payer": estimate.customer or estimate.reseller,
        "last_day": Period(estimate.period_from, estimate.period_to).last_date,
        "groups": line_groups(estimate),
        "tier_statements": tier_statements(estimate),
        "taxes": tax_details(estimate),
        "actions": [
            Action("View PDF", address, "document-text"),
            Action("Download", f"{address}?download", "arrow-down-tray"),
        ],
    }
    return render(request, "console/billing/estimate_show.html", context)


@page_of(Surface.CONSOLE, "invoices.read")
def estimate_document(request: SurfaceRequest, invoice_id: int) -> HttpResponse:
    detail = estimate_detail(request.scope, invoice_id)

    def pdf() -> bytes:
        return kept_pdf(
            None, lambda: render_estimate(detail, logo_on(request.scope.provider_id, detail))
        )

    return pdf_response(request, f"estimate-{invoice_id}", pdf)


urls = [
    path("billing/estimates/", estimate_list, name="console_estimates"),
    path("billing/estimates/<int:invoice_id>/", estimate_show, name="console_estimate"),
    path("billing/estimates/<int:invoice_id>/pdf/", estimate_document, name="console_estimate_pdf"),
]
