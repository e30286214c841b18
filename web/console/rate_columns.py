"""What the console's lists of rates have in common: their columns, filters and tabs."""

from datetime import datetime
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from catalogue.models import Rate, RateTable, TimeProfile
from catalogue.selectors.rate_tables import NO_DIGITS_LIMIT, in_force
from common.csv_files import Cell
from web.access import SurfaceRequest
from web.shared.actions import Tab
from web.shared.filters import Filters, choice_filter, tag_filter, text_filter
from web.shared.form_fields import DateTimeInput
from web.shared.links import url_of
from web.shared.tables import NUMBER, Column, InstantColumn, LinkColumn
from web.shared.writing import NONE

ANY_NUMBER = "any number"
# Label and URL name.
TABS = (
    ("Rates", "console_rates"),
    ("At an instant", "console_rates_at"),
    ("Edits", "console_rate_edits"),
)


def frame(request: SurfaceRequest, table: RateTable) -> dict[str, object]:
    """What stands above every list of a rate table."""
    address = {"table_id": table.pk}
    links = [(label, reverse(name, kwargs=address)) for label, name in TABS]
    tabs = [Tab(label, url, is_current=url == request.path) for label, url in links]
    return {"rate_table": table, "tabs": tabs}


def time_profiles(request: SurfaceRequest) -> QuerySet[TimeProfile]:
    """The provider's time profiles, to filter by."""
    return TimeProfile.objects.visible_to(request.scope).order_by("name", "pk")


def history_url(table_id: int, prefix: str) -> str:
    """The address of the history of a prefix in a table."""
    return reverse("console_rate_history", kwargs={"table_id": table_id, "prefix": prefix})


def only_for(
    *, tag: str, profile: str, origin_prefix: str, policy: str, least: int, most: int
) -> str:
    """For which of the calls to a prefix a rate is meant, in words; empty for all of them."""
    conditions = [
        f"tag {tag}" if tag else "",
        profile,
        f"from {origin_prefix}" if origin_prefix else "",
        _digits(least, most),
        "on top" if policy == Rate.Policy.ADDITIVE else "",
    ]
    return ", ".join(condition for condition in conditions if condition)


def _digits(least: int, most: int) -> str:
    if most >= NO_DIGITS_LIMIT:
        return f"at least {least} digits" if least else ""
    return f"{least} to {most} digits" if least else f"up to {most} digits"


def conditions_of(rate: Rate) -> str:
    """As `only_for`, of a stored rate."""
    return only_for(
        tag=rate.tag,
        profile=str(rate.time_profile or ""),
        origin_prefix=rate.origin_prefix,
        policy=rate.policy,
        least=rate.min_digits or 0,
        most=NO_DIGITS_LIMIT if rate.max_digits is None else rate.max_digits,
    )


class PrefixColumn(LinkColumn):
    """A prefix that leads to its rate."""

    def __init__(self, verbose_name: str = "Prefix", **options: Any) -> None:
        attrs = {"th": {"class": "code"}, "td": {"class": "code"}}
        super().__init__(verbose_name, **{"empty_values": (None,), "attrs": attrs, **options})

    def render(self, record: Any, value: str, table: Any) -> SafeString:
        return super().render(record, value or ANY_NUMBER, table)


class InstantLinkColumn(LinkColumn):
    """An instant that leads to the row."""

    def render(self, record: Any, value: datetime, table: Any) -> SafeString:
        return super().render(record, InstantColumn().render(value), table)

    def export_cells(self, record: Any, value: datetime) -> list[Cell]:
        return [localtime(value)]


class ConditionsColumn(Column):
    """For which calls a rate is meant."""

    def __init__(self, verbose_name: str = "Only for", **options: Any) -> None:
        super().__init__(verbose_name, **{"accessor": "pk", **options})

    def render(self, record: Rate) -> str:
        return conditions_of(record) or NONE

    def export_cells(self, record: Rate, value: Any) -> list[Cell]:
        return [conditions_of(record)]


class EndColumn(InstantColumn):
    """When a rate ends, by itself or because another follows."""

    def __init__(self, verbose_name: str = "Until", **options: Any) -> None:
        super().__init__(verbose_name, **{"accessor": "ends_at", **options})


class TableColumn(Column):
    """The table a rate is of, marked where it is a parent's."""

    def __init__(self, verbose_name: str = "From table", **options: Any) -> None:
        super().__init__(verbose_name, **{"accessor": "rate_table", **options})

    def render(self, record: Any, value: RateTable, table: Any) -> str | SafeString:
        if not record.is_inherited:
            return "this table"
        address = url_of(table.scope, value)
        return format_html('<span>inherited from <a href="{}">{}</a></span>', address, value)


class IntervalColumn(Column):
    """Minimum and increment as the trade writes them, 60/1."""

    def __init__(self, verbose_name: str = "Min/incr", **options: Any) -> None:
        super().__init__(verbose_name, **{"accessor": "pk", "attrs": NUMBER, **options})

    def render(self, record: Rate) -> str:
        return f"{record.minimum}/{record.increment}"

    def export_headings(self, heading: str) -> list[str]:
        return ["Minimum", "Increment"]

    def export_cells(self, record: Rate, value: Any) -> list[Cell]:
        return [record.minimum, record.increment]


class TickColumn(Column):
    """A box that chooses the rate for the buttons below the list."""

    def __init__(self, verbose_name: str = "Choose", **options: Any) -> None:
        super().__init__(verbose_name, **{"accessor": "pk", "exclude_from_export": True, **options})

    def render(self, record: Rate, value: int) -> SafeString:
        box = '<input type="checkbox" name="rate" value="{}" form="chosen" aria-label="Choose {}">'
        return format_html(box, value, record.prefix or ANY_NUMBER)


class HistoryColumn(Column):
    """Leads to the history of the row's prefix."""

    def __init__(self, verbose_name: str = "History", **options: Any) -> None:
        super().__init__(verbose_name, **{"accessor": "pk", "exclude_from_export": True, **options})

    def render(self, record: Rate) -> SafeString:
        name = record.prefix or ANY_NUMBER
        address = history_url(record.rate_table_id, record.prefix)
        words = format_html('History<span class="unseen"> of {}</span>', name)
        return format_html('<a href="{}">{}</a>', address, words)


class RateFilters(Filters):
    prefix = text_filter("Prefix", "prefix__startswith")
    destination = text_filter("Destination", "destination__icontains")
    at = django_filters.DateTimeFilter(
        label="In force at",
        method="in_force_at",
        widget=DateTimeInput(),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d"],
    )
    tag = text_filter("Tag", "tag__iexact")
    time_profile = tag_filter("Time profile", "time_profile", time_profiles)
    status = choice_filter("Status", "status", Rate.Status.choices)

    def in_force_at(self, rows: QuerySet[Rate], _: str, at: datetime) -> QuerySet[Rate]:
        return in_force(rows, at)
