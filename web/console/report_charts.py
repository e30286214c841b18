"""The pictures of the reports: which columns make them, one for each currency."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from common.money import ZERO
from reports.columns import Kind, heading, kind_of
from reports.library import Report
from web.shared.charts import Chart, bar_chart, ranking_chart, stacked_chart

MOST_SERIES, MOST_CURRENCIES, MOST_RANKED = 5, 3, 10
Draw = Callable[[str, Sequence[Any], str], Chart]
"""From a title, rows of one currency and the currency (or nothing) to a picture."""


@dataclass(frozen=True)
class OverTime:
    """A column by month or day, in parts by another one: the largest parts, and the others."""

    time: str
    value: str
    part: str

    def __call__(self, title: str, rows: Sequence[Any], unit: str) -> Chart:
        times = sorted({getattr(row, self.time) for row in rows})
        series = _by_part(self, rows, times)
        draw = bar_chart if _has_negative(series) else stacked_chart
        return draw(title, _labels(times), series, unit=unit)


@dataclass(frozen=True)
class SideBySide:
    """Several columns by month or day."""

    time: str
    values: tuple[str, ...]

    def __call__(self, title: str, rows: Sequence[Any], unit: str) -> Chart:
        times = sorted({getattr(row, self.time) for row in rows})
        series = {heading(value): _at(rows, self.time, value, times) for value in self.values}
        return bar_chart(title, _labels(times), series, unit=unit)


@dataclass(frozen=True)
class Largest:
    """A column by another one, the largest first."""

    label: str
    value: str

    def __call__(self, title: str, rows: Sequence[Any], unit: str) -> Chart:
        sums: dict[str, Decimal] = defaultdict(Decimal)
        for row in rows:
            sums[str(getattr(row, self.label))] += getattr(row, self.value)
        ranked = sorted(sums.items(), key=lambda pair: -pair[1])[:MOST_RANKED]
        return ranking_chart(title, dict(ranked), unit=unit)


@dataclass(frozen=True)
class Bands:
    """The sums of several columns next to each other."""

    values: tuple[str, ...]

    def __call__(self, title: str, rows: Sequence[Any], unit: str) -> Chart:
        labels = [heading(value) for value in self.values]
        return bar_chart(
            title, labels, {title: [_sum(rows, name) for name in self.values]}, unit=unit
        )


_MARGIN_PARTS = ("from_customers_amount", "to_vendors_amount", "margin_amount")
CHARTS: Mapping[str, tuple[str, Draw]] = {
    "total-reseller-sales": ("Net sales", OverTime("month", "net_amount", "reseller")),
    "non-reseller-sales": (
        "Sales without a reseller",
        SideBySide("month", ("invoiced_amount", "credited_amount", "net_amount")),
    ),
    "reseller-payout": (
        "Commission",
        SideBySide("month", ("accrued_amount", "clawed_back_amount", "settled_amount")),
    ),
    "acquisition": (
        "Customers",
        SideBySide("month", ("acquired_count", "invoiced_count", "terminated_count")),
    ),
    "wholesale": ("Charged to resellers", OverTime("day", "charged_amount", "reseller")),
    "aged-receivables": (
        "Due by age",
        Bands(
            (
                "not_due_amount",
                "days_1_to_30_amount",
                "days_31_to_60_amount",
                "days_61_to_90_amount",
                "older_amount",
            )
        ),
    ),
    "collections": ("Received", OverTime("month", "received_amount", "mode")),
    "tax": ("Net tax", OverTime("month", "net_amount", "tax")),
    "unbilled": (
        "Unbilled",
        Bands(("recurring_amount", "one_time_amount", "usage_amount", "unbilled_amount")),
    ),
    "credit-exposure": ("Unbilled and due", Largest("customer", "receivable_amount")),
    "wallet-holdings": ("Held", Largest("customer", "held_amount")),
    "margin": ("Margin", OverTime("month", "margin_amount", "party")),
    "margin-by-reseller": ("Margin", SideBySide("month", _MARGIN_PARTS)),
    "margin-by-destination": ("Margin", Largest("destination", "margin_amount")),
    "vendor-cost": ("Cost", OverTime("month", "cost_amount", "vendor")),
    "traffic": ("Calls", Largest("destination", "call_count")),
    "traffic-by-source": ("Calls", SideBySide("day", ("answered_count", "unanswered_count"))),
    "suspense-ageing": ("Waiting", Largest("reason", "waiting_count")),
}


def charts_of(report: Report, rows: Sequence[Any]) -> list[Chart]:
    """A report's pictures: where it shows amounts one for each of the commonest currencies."""
    if report.name not in CHARTS or not rows:
        return []
    title, draw = CHARTS[report.name]
    if not _shows_amounts(draw):
        return [draw(title, rows, "")]
    count = Counter(row.currency for row in rows if row.currency)
    return [
        draw(title, [row for row in rows if row.currency == currency], currency)
        for currency, _ in count.most_common(MOST_CURRENCIES)
    ]


def _shows_amounts(draw: Draw) -> bool:
    values = getattr(draw, "values", None) or (getattr(draw, "value", ""),)
    return any(kind_of(value) is Kind.AMOUNT for value in values)


def _by_part(spec: OverTime, rows: Sequence[Any], times: Sequence[Any]) -> dict[str, list[Decimal]]:
    lots: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        lots[str(getattr(row, spec.part))].append(row)
    ranked = sorted(lots, key=lambda part: -abs(_sum(lots[part], spec.value)))
    series = {part: _at(lots[part], spec.time, spec.value, times) for part in ranked[:MOST_SERIES]}
    if others := [row for part in ranked[MOST_SERIES:] for row in lots[part]]:
        series["Others"] = _at(others, spec.time, spec.value, times)
    return series


def by_month(
    lots: Mapping[str, Sequence[Any]], value: str
) -> tuple[list[str], dict[str, list[Decimal]]]:
    """A column of several lots of rows by month: the months, and a series for each lot."""
    months = sorted({row.month for rows in lots.values() for row in rows})
    return months, {name: _at(rows, "month", value, months) for name, rows in lots.items()}


def _at(rows: Sequence[Any], time: str, value: str, times: Sequence[Any]) -> list[Decimal]:
    """The sums of a column at each time."""
    sums: dict[Any, Decimal] = defaultdict(Decimal)
    for row in rows:
        sums[getattr(row, time)] += getattr(row, value)
    return [sums[at] for at in times]


def _labels(times: Sequence[str | date]) -> list[str]:
    """What stands below the axis: months as they are, days short, with their month now and then."""
    return [
        time
        if isinstance(time, str)
        else f"{time.day} {time:%b}"
        if at == 0 or time.day == 1
        else str(time.day)
        for at, time in enumerate(times)
    ]


def _has_negative(series: Mapping[str, Sequence[Decimal]]) -> bool:
    return any(value < 0 for values in series.values() for value in values)


def _sum(rows: Sequence[Any], column: str) -> Decimal:
    return sum((getattr(row, column) for row in rows), ZERO)
