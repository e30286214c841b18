"""What a prefix costs in a rate table, and cost and will cost."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from django.urls import path, register_converter, reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime

from catalogue import selectors
from catalogue.models import Rate, RateTable
from catalogue.rules.rate_comparison import percent_change
from common import clock
from common.csv_files import Cell
from common.scope import Surface
from web.access import SurfaceRequest, page_of
from web.console.rate_columns import (
    ANY_NUMBER,
    ConditionsColumn,
    EndColumn,
    InstantLinkColumn,
    IntervalColumn,
)
from web.shared.actions import Action
from web.shared.badges import badge
from web.shared.charts import Chart, bar_chart
from web.shared.filters import Filters, choice_filter, text_filter
from web.shared.lists import Empty, list_page
from web.shared.tables import (
    NUMBER,
    Column,
    MoneyColumn,
    Table,
)
from web.shared.writing import NONE, signed_percent

MOST_BARS = 24


class PrefixConverter:
    """A prefix in an address; the empty one, which fits any number, is `any`."""

    regex = "[0-9]{1,15}|any"

    def to_python(self, value: str) -> str:
        return "" if value == "any" else value

    def to_url(self, value: str) -> str:
        return value or "any"


register_converter(PrefixConverter, "prefix")


class PercentColumn(Column):
    """By how many percent the price moved from the rate before."""

    def __init__(self, verbose_name: str = "Change", **options: Any) -> None:
        super().__init__(verbose_name, **{"accessor": "rate_before", "attrs": NUMBER, **options})

    def render(self, record: Rate, value: Decimal) -> str:
        percent = percent_change(value, record.rate)
        return NONE if percent is None else signed_percent(percent)

    def export_headings(self, heading: str) -> list[str]:
        return ["Change in percent"]

    def export_cells(self, record: Rate, value: Decimal | None) -> list[Cell]:
        return [None if value is None else percent_change(value, record.rate)]


class PhaseColumn(Column):
    """Whether the rate is over, in force or to come, now."""

    def render(self, record: Any) -> Any:
        return badge(*_phase(record, clock.now()))

    def export_cells(self, record: Any, value: Any) -> list[Cell]:
        return [_phase(record, clock.now())[1]]


class HistoryTable(Table):
    effective_from = InstantLinkColumn("From")
    ends_at = EndColumn(default="the next")
    rate = MoneyColumn("Rate", currency="rate_table__currency", is_exact=True)
    change = PercentColumn()
    intervals = IntervalColumn()
    connection_fee = MoneyColumn("Fee", currency="rate_table__currency", is_exact=True)
    conditions = ConditionsColumn()
    destination = Column("Destination")
    phase = PhaseColumn("State", accessor="pk")


class HistoryFilters(Filters):
    tag = text_filter("Tag", "tag__iexact")
    status = choice_filter("Status", "status", Rate.Status.choices)


@page_of(Surface.CONSOLE, "catalogue.read")
def rate_history(request: SurfaceRequest, table_id: int, prefix: str) -> HttpResponse:
    table = selectors.rate_table(request.scope, table_id)
    rows = selectors.rate_history(request.scope, table, prefix)
    return list_page(
        request,
        title=f"History of {prefix or ANY_NUMBER}",
        lead=f"In {table}, per {table.product.rating_unit}, the latest first.",
        rows=rows,
        table=HistoryTable,
        filters=HistoryFilters,
        name=f"history-{table.pk}-{prefix or 'any'}",
        actions=_actions(table, prefix),
        empty=Empty("No rates of this prefix", "A shorter prefix answers, or a parent table."),
        template="console/rates/rate_history.html",
        context={
            "rate_table": table,
            "chart": _chart(table, rows),
        },
    )


def _actions(table: RateTable, prefix: str) -> list[Action]:
    of_parent = {"table_id": table.parent_id, "prefix": prefix}
    rates = reverse("console_rates", kwargs={"table_id": table.pk})
    actions = [Action("Rates below it", f"{rates}?prefix={prefix}", "list-bullet")]
    if table.parent_id:
        url = reverse("console_rate_history", kwargs=of_parent)
        actions.append(Action(f"History in {table.parent}", url, "clock"))
    return actions


def _chart(table: RateTable, rows: Any) -> Chart | None:
    """The price from change to change, where there is one for all calls; the latest of many."""
    plain = rows.filter(
        status=Rate.Status.ACTIVE,
        tag="",
        time_profile=None,
        origin_prefix="",
        policy=Rate.Policy.REGULAR,
        steps="",
    )
    found = list(plain.values_list("effective_from", "rate")[:MOST_BARS])[::-1]
    if len(found) < 2:
        return None
    labels = [date_format(localtime(start), "DATE_FORMAT") for start, _ in found]
    prices = {"Rate": [price for _, price in found]}
    return bar_chart("Rate for all calls, by start", labels, prices, unit=table.currency)


def _phase(rate: Any, now: datetime) -> tuple[str, str]:
    if rate.status == Rate.Status.STASHED:
        return rate.status, "Stashed"
    if rate.effective_from > now:
        return "PENDING", "To come"
    if rate.ends_at is not None and rate.ends_at <= now:
        return "ENDED", "Over"
    return ("SUSPENDED", "Blocks") if rate.status == Rate.Status.BLOCKED else ("ACTIVE", "In force")


urls = [
    path(
        "rate-tables/<int:table_id>/prefixes/<prefix:prefix>/",
        rate_history,
        name="console_rate_history",
    ),
]
