"""How a comparison of two rate tables is written, on the page and in files."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from catalogue.models import Rate
from catalogue.rules.rate_comparison import CallsKey, ComparedPair, ComparedRate, ComparisonClass
from catalogue.selectors.rate_comparison import Comparison
from common.csv_files import Cell
from web.access import SurfaceRequest
from web.console.rate_columns import ANY_NUMBER, only_for
from web.shared.badges import badge
from web.shared.tables import NUMBER, Column, Table
from web.shared.writing import NONE, plain_number, price_html, signed_percent

LABELS = {
    ComparisonClass.INCREASED: "Dearer",
    ComparisonClass.DECREASED: "Cheaper",
    ComparisonClass.TERMS: "Other terms",
    ComparisonClass.ONLY_LEFT: "Only left",
    ComparisonClass.ONLY_RIGHT: "Only right",
    ComparisonClass.BOTH: "In both",
    ComparisonClass.EQUAL: "Equal",
}
# Cheaper is neither good nor bad: it depends on who pays.
_TONES = {
    ComparisonClass.ONLY_LEFT: "ENDED",
    ComparisonClass.EQUAL: "UNCHANGED",
}


class KeyColumn(Column):
    """The prefix, which leads to the rate of the left side, or else of the right."""

    def render(self, record: ComparedPair) -> SafeString:
        rate = record.left or record.right
        assert rate is not None
        address = reverse("console_rate", kwargs={"rate_id": rate.id})
        return format_html('<a href="{}">{}</a>', address, record.key.prefix or ANY_NUMBER)

    def export_cells(self, record: ComparedPair, value: CallsKey) -> list[Cell]:
        return [value.prefix]


class DestinationColumn(Column):
    """What the right side calls it, or else the left."""

    def render(self, record: ComparedPair) -> str:
        rate = record.right or record.left
        return rate.destination if rate else NONE

    def export_cells(self, record: ComparedPair, value: CallsKey) -> list[Cell]:
        return [self.render(record)]


class ConditionsColumn(Column):
    """For which of the calls to the prefix."""

    def render(self, value: CallsKey, table: "ComparisonTable") -> str:
        return conditions(value, table.profiles) or NONE

    def export_headings(self, heading: str) -> list[str]:
        return ["Tag", "Origin prefix", "Policy", "Time profile number"]

    def export_cells(self, record: ComparedPair, value: CallsKey) -> list[Cell]:
        return [value.tag, value.origin_prefix, value.policy, value.profile or None]


class SideColumn(Column):
    """The rate of one side, in the currency of its table."""

    def __init__(self, verbose_name: str, *, side: str) -> None:
        super().__init__(verbose_name, accessor=side, attrs=NUMBER)
        self.side = side

    def render(self, value: ComparedRate, table: "ComparisonTable") -> SafeString:
        if value.status == Rate.Status.BLOCKED:
            return badge("SUSPENDED", "blocked")
        return price_html(value.rate, table.currencies[self.side])

    def export_headings(self, heading: str) -> list[str]:
        return [heading, f"{heading} status"]

    def export_cells(self, record: ComparedPair, value: ComparedRate | None) -> list[Cell]:
        return [value.rate, value.status] if value else [None, None]


class DifferenceColumn(Column):
    """What the right side asks more, in the currency of both."""

    def render(self, value: Decimal, table: "ComparisonTable") -> SafeString:
        return price_html(value, table.currencies["right"])


class PercentColumn(Column):
    """How far that is, in percent of the left side."""

    def render(self, value: Decimal) -> str:
        return signed_percent(value)


class TermsColumn(Column):
    """The columns beside the rate that differ, each with both values."""

    def render(self, record: ComparedPair) -> str:
        left, right = record.left, record.right
        if left is None or right is None or not record.other_terms:
            return NONE
        return "; ".join(
            f"{name.replace('_', ' ')}: {_said(left, name)} → {_said(right, name)}"
            for name in record.other_terms
        )

    def export_cells(self, record: ComparedPair, value: tuple[str, ...]) -> list[Cell]:
        return [self.render(record) if value else None]


class ClassColumn(Column):
    """The class as a badge."""

    def render(self, value: ComparisonClass) -> SafeString:
        return badge(_TONES.get(value, ""), LABELS[value])

    def export_cells(self, record: ComparedPair, value: ComparisonClass) -> list[Cell]:
        return [value.value]


class ComparisonTable(Table):
    prefix = KeyColumn(
        "Prefix", accessor="key", attrs={"th": {"class": "code"}, "td": {"class": "code"}}
    )
    destination = DestinationColumn("Destination", accessor="key")
    conditions = ConditionsColumn("Only for", accessor="key")
    left = SideColumn("Left", side="left")
    right = SideColumn("Right", side="right")
    difference = DifferenceColumn("Difference", attrs=NUMBER)
    percent = PercentColumn("Percent", attrs=NUMBER)
    other_terms = TermsColumn("Also differs")
    comparison_class = ClassColumn("Class")

    def __init__(
        self,
        rows: Any,
        *,
        request: SurfaceRequest,
        comparison: Comparison,
        profiles: Mapping[int, str],
    ) -> None:
        super().__init__(rows, request=request)
        sides = {"left": comparison.left, "right": comparison.right}
        self.currencies = {name: side.table.currency for name, side in sides.items()}
        self.profiles = profiles


def conditions(key: CallsKey, profiles: Mapping[int, str]) -> str:
    """For which of the calls to a prefix, in words; empty for all of them."""
    return only_for(
        tag=key.tag,
        profile=profiles.get(key.profile, ""),
        origin_prefix=key.origin_prefix,
        policy=key.policy,
        least=key.least,
        most=key.most,
    )


def _said(rate: ComparedRate, name: str) -> str:
    value = getattr(rate, name)
    if value is None or value == "":
        return "none"
    return plain_number(value) if isinstance(value, int | Decimal) else str(value)
