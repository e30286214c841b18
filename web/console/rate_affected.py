"""What a change of rates in the past concerns: the calls rated before, and their money."""

from collections.abc import Collection
from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.http import urlencode
from django.utils.timezone import localtime

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

_ANY_NUMBER = (ChangedPrefix("", outranks=True),)


def may_see_affected(request: SurfaceRequest) -> bool:
    """Whether who edits rates may see usage as well."""
    return "usage.read" in request.scope.permissions


def url_after(request: SurfaceRequest, rate: Rate, *, since: datetime, otherwise: str) -> str:
    """Where an edit of a rate leads that changes prices from `since` on: in the past, to the calls
    that it concerns, if there are any.
    """
    if since >= clock.now() or not may_see_affected(request):
        return otherwise
    changed = changed_prefixes(rate.rate_table, [rate.pk])
    if not affected_by_rates(request.scope, rate.rate_table, changed, since=since):
        messages.info(request, "No call that was rated before is concerned.")
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


def url_after_table(request: SurfaceRequest, table: RateTable, *, otherwise: str) -> str:
    """Where a change of what all rates of a table share leads: to the calls of the month so far,
    if it has any.
    """
    since = _month_start()
    if not may_see_affected(request):
        return otherwise
    if not affected_by_rates(request.scope, table, _ANY_NUMBER, since=since):
        messages.info(request, "No call that was rated this month is concerned.")
        return otherwise
    return reverse("console_rate_table_affected", kwargs={"table_id": table.pk})


@page_of(Surface.CONSOLE, "usage.read")
def rate_table_affected(request: SurfaceRequest, table_id: int) -> HttpResponse:
    """The calls of the month so far at a table, all of which a change of the table concerns."""
    table = selectors.rate_table(request.scope, table_id)
    back = reverse("console_rates", kwargs={"table_id": table.pk})
    return _affected(request, table, _ANY_NUMBER, _month_start(), back)


def _month_start() -> datetime:
    """When the month began in the provider's zone, as re-ratings take it where nobody says."""
    return localtime(clock.now()).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


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
        "prefix_count": 0 if changed is _ANY_NUMBER else len(prefixes),
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
    path(
        "rate-tables/<int:table_id>/affected/",
        rate_table_affected,
        name="console_rate_table_affected",
    ),
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
