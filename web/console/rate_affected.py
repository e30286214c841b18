"""What a change of rates in the past concerns: the calls rated before, and their money."""

from collections.abc import Collection
from datetime import datetime

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.http import urlencode

from catalogue import selectors
from catalogue.models import Rate, RateImport, RateTable
from catalogue.rules.date_formats import FIRST_YEAR, LAST_YEAR
from catalogue.selectors.rate_edits import rate_edits
from catalogue.selectors.rate_imports import past_rates, rate_import
from cdr.selectors.affected_usage import ChangedPrefix, affected_by_rates, changed_prefixes
from cdr.selectors.rate_use import prefixes_of_import
from common import clock
from common.scope import Surface
from web.access import SurfaceRequest, page_of
from web.console.reratings import LONGEST_REASON, rerating_url


def may_see_affected(request: SurfaceRequest) -> bool:
    """Whether who edits rates may see usage as well."""
    return "usage.read" in request.scope.permissions


def url_after(request: SurfaceRequest, rate: Rate, *, since: datetime, otherwise: str) -> str:
    """Where an edit of a rate leads that changes prices from `since` on: in the past, to the calls
    that it concerns.
    """
    if since >= clock.now() or not may_see_affected(request):
        return otherwise
    address = reverse("console_rate_affected", kwargs={"rate_id": rate.pk})
    return f"{address}?{urlencode({'since': since.isoformat()})}"


@page_of(Surface.CONSOLE, "usage.read")
def rate_affected(request: SurfaceRequest, rate_id: int) -> HttpResponse:
    """The calls that a change of one rate concerns; since its start, or as the address says."""
    rate = selectors.rate(request.scope, rate_id)
    try:
        since = datetime.fromisoformat(request.GET.get("since", ""))
    except ValueError:
        since = rate.effective_from
    if since.utcoffset() is None or not FIRST_YEAR <= since.year <= LAST_YEAR:
        since = rate.effective_from
    back = reverse("console_rate", kwargs={"rate_id": rate.pk})
    changed = changed_prefixes(rate.rate_table, [rate.pk])
    return _affected(request, rate.rate_table, changed, since, back)


@page_of(Surface.CONSOLE, "usage.read")
def rate_edit_affected(request: SurfaceRequest, edit_id: int) -> HttpResponse:
    """The calls that a change of many rates concerns, once it is made."""
    edit = rate_edits(request.scope).get(pk=edit_id)
    if edit.changed_from is None:
        raise Http404
    back = reverse("console_rate_batch_edit", kwargs={"edit_id": edit.pk})
    changed = changed_prefixes(edit.rate_table, edit.rate_ids)
    return _affected(request, edit.rate_table, changed, edit.changed_from, back)


@page_of(Surface.CONSOLE, "usage.read")
def rate_import_affected(request: SurfaceRequest, import_id: int) -> HttpResponse:
    """The calls that an import concerns whose rates begin or end in the past."""
    imported = rate_import(request.scope, import_id)
    past = past_rates(request.scope, imported, imported.written_at or clock.now())
    if imported.state != RateImport.State.DONE or past.since is None:
        raise Http404
    changed = prefixes_of_import(request.scope, imported)
    back = reverse("console_rate_import", kwargs={"import_id": imported.pk})
    return _affected(request, imported.rate_table, changed, past.since, back)


def _affected(
    request: SurfaceRequest,
    table: RateTable,
    changed: Collection[ChangedPrefix],
    since: datetime,
    back: str,
) -> HttpResponse:
    prefixes = sorted({each.prefix for each in changed})
    context = {
        "rate_table": table,
        "since": since,
        "prefix_count": len(prefixes),
        "rerating_url": "usage.write" in request.scope.permissions
        and rerating_url(
            started_from=since,
            rate_table_id=table.pk,
            # Under an empty prefix lies every number.
            prefixes=prefixes if all(prefixes) else [],
            reason=f"Rates of {table.name} were changed for the past"[:LONGEST_REASON],
        ),
        "affected": affected_by_rates(request.scope, table, changed, since=since),
        "back_url": back,
    }
    is_part = request.htmx.target == "affected"
    template = "_rates_affected.html" if is_part else "rates_affected.html"
    return render(request, f"console/rates/{template}", context)


urls = [
    path("rate-tables/rates/<int:rate_id>/affected/", rate_affected, name="console_rate_affected"),
    path(
        "rate-tables/edits/<int:edit_id>/affected/",
        rate_edit_affected,
        name="console_rate_edit_affected",
    ),
    path(
        "rate-imports/<int:import_id>/affected/",
        rate_import_affected,
        name="console_rate_import_affected",
    ),
]
