"""The edits of many rates of a table in the console."""

from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from django.urls import path

from catalogue import selectors
from catalogue.models import RateBatchEdit
from catalogue.rules.rate_edits import read
from catalogue.selectors.rate_edits import edits_of_table
from common.csv_files import Cell
from common.scope import Surface
from web.access import SurfaceRequest, page_of
from web.console.rate_columns import InstantLinkColumn, frame
from web.shared.filters import Filters, choice_filter
from web.shared.lists import Empty, list_page
from web.shared.tables import BadgeColumn, Column, InstantColumn, NumberColumn, Table
from web.shared.writing import plain_number, signed_percent


class EditColumn(Column):
    """What the edit changes, in words."""

    def render(self, value: Any) -> str:
        edit = read(value)
        said = [
            f"{name.removesuffix('_id').replace('_', ' ')} {_text(kept)}"
            for name, kept in edit.values.items()
        ]
        if edit.price is not None:
            by, change = edit.price.by, edit.price.change
            moved = {
                change.PERCENT: f"rate {signed_percent(by)}",
                change.AMOUNT: f"rate by {plain_number(by)}",
                change.VALUE: f"rate {plain_number(by)}",
            }
            said.insert(0, moved[change])
        return ", ".join(said)

    def export_cells(self, record: RateBatchEdit, value: Any) -> list[Cell]:
        return [self.render(value)]


class EditTable(Table):
    asked_at = InstantLinkColumn("Asked for")
    edit = EditColumn("Change")
    changed_from = InstantColumn("Prices since")
    continued_count = NumberColumn("Ended, gone on changed")
    corrected_count = NumberColumn("Changed themselves")
    state = BadgeColumn("State", accessor="get_state_display", value="state")
    asked_by = Column("By")


class EditFilters(Filters):
    state = choice_filter("State", "state", RateBatchEdit.State.choices)


@page_of(Surface.CONSOLE, "catalogue.read")
def rate_edit_list(request: SurfaceRequest, table_id: int) -> HttpResponse:
    table = selectors.rate_table(request.scope, table_id)
    return list_page(
        request,
        title=f"Edits of {table}",
        lead="Changes of many rates at once, the latest first.",
        rows=edits_of_table(request.scope, table),
        table=EditTable,
        filters=EditFilters,
        name=f"rate-edits-{table.pk}",
        empty=Empty("No edits yet", "Below the rates, edit those that you tick or filter."),
        template="console/rates/rate_at_list.html",
        context=frame(request, table),
    )


def _text(value: object) -> str:
    if value in (None, ""):
        return "taken away"
    return plain_number(value) if isinstance(value, int | Decimal) else str(value)


urls = [
    path("rate-tables/<int:table_id>/edits/", rate_edit_list, name="console_rate_edits"),
]
