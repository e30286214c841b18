"""Every list: searched, filtered, sorted and paged by its URL, and exported as it is filtered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django_tables2 import A

from common.csv_files import Cell
from web.access import SurfaceRequest
from web.shared.actions import Action, allowed
from web.shared.exports import csv_response, xlsx_response
from web.shared.filters import Filters
from web.shared.keyset import keyset_page, ordering_of
from web.shared.tables import Table

PAGE_SIZE = 50
MOST_EXPORTED_ROWS = 100_000
_FILES = {"csv": csv_response, "xlsx": xlsx_response}


@dataclass(frozen=True)
class Empty:
    """What a list says that has no rows at all: what would be here, and what to do about it."""

    title: str
    text: str = ""
    action: Action | None = None


def list_page(
    request: SurfaceRequest,
    *,
    title: str,
    rows: QuerySet[Any],
    table: type[Table],
    filters: type[Filters] | None = None,
    name: str,
    empty: Empty,
    lead: str = "",
    actions: Sequence[Action] = (),
    template: str = "shared/list_page.html",
    part: str = "shared/_list.html",
    context: Mapping[str, object] | None = None,
) -> HttpResponse:
    """A page of a list, or, with `?format=csv` or `xlsx`, all that is filtered as a file `name`.

    `rows` is a selector's queryset with an explicit order, in which it is shown until the URL
    says otherwise. A template of one's own extends `shared/list_page.html`, or includes
    `shared/_list.html`, which is also what htmx gets; what depends on the filters is in a `part`
    of one's own that extends it, as htmx leaves all else on the page as it was.
    """
    chosen = filters(request.GET, queryset=rows, request=request) if filters else None
    filtered = chosen.qs if chosen else rows
    sort, ordering = _sorting(request.GET.get("sort", ""), table, rows)
    is_too_long = False
    if respond := _FILES.get(request.GET.get("format", "")):
        records = list(filtered.order_by(*ordering)[: MOST_EXPORTED_ROWS + 1])
        is_too_long = len(records) > MOST_EXPORTED_ROWS
        if not is_too_long:
            return respond(name, *exported(table(records, request=request)))
    page = keyset_page(
        filtered,
        ordering=ordering,
        size=PAGE_SIZE,
        before=request.GET.get("before", ""),
        after=request.GET.get("after", ""),
    )
    shown = {
        "title": title,
        "lead": lead,
        "actions": allowed(request.scope, actions),
        "table": table(page.rows, request=request, sort=sort),
        "page": page,
        "filters": chosen,
        "is_filtering": chosen is not None and chosen.is_filtering,
        "empty": empty,
        "empty_actions": allowed(request.scope, [empty.action] if empty.action else []),
        "is_too_long": is_too_long,
        "most_exported_rows": MOST_EXPORTED_ROWS,
        "part": part,
    }
    template = part if request.htmx.target == "list" else template
    return render(request, template, {**shown, **(context or {})})


def _sorting(asked: str, table: type[Table], rows: QuerySet[Any]) -> tuple[str, list[str]]:
    """The column to sort by, as the URL names it, and the lookups; the selector's by default."""
    lookups = table.sorts().get(asked.removeprefix("-"))
    if lookups is None:
        return "", ordering_of(rows)
    return asked, [_opposite(lookup) for lookup in lookups] if asked[0] == "-" else list(lookups)


def _opposite(lookup: str) -> str:
    return lookup[1:] if lookup.startswith("-") else f"-{lookup}"


def exported(table: Table) -> tuple[list[str], list[list[Cell]]]:
    """The headings and rows of a table as a file has them."""
    columns = [(bound, bound.column) for bound in table.columns.iterall()]
    columns = [pair for pair in columns if not pair[1].exclude_from_export]
    headings = [
        text for bound, column in columns for text in column.export_headings(str(bound.header))
    ]
    cells = [
        [
            cell
            for bound, column in columns
            for cell in column.export_cells(record, A(bound.accessor).resolve(record, quiet=True))
        ]
        for record in table.data
    ]
    return headings, cells
