"""The rates of a table as they are, were or will be at an instant, with those of its parents."""

from datetime import datetime
from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import path
from django.utils.formats import date_format
from django.utils.timezone import localtime

from catalogue import selectors
from catalogue.models import Rate
from catalogue.selectors.rates_at import rates_at
from common import clock
from common.scope import Surface
from web.access import SurfaceRequest, page_of
from web.console.rate_columns import (
    ConditionsColumn,
    EndColumn,
    IntervalColumn,
    PrefixColumn,
    TableColumn,
    frame,
    time_profiles,
)
from web.shared.filters import Filters, choice_filter, tag_filter, text_filter, yes_no_filter
from web.shared.form_fields import DateTimeInput, InstantField
from web.shared.lists import Empty, list_page
from web.shared.tables import (
    BadgeColumn,
    Column,
    InstantColumn,
    MoneyColumn,
    Table,
)


class RateAtTable(Table):
    prefix = PrefixColumn()
    destination = Column("Destination")
    rate = MoneyColumn("Rate", currency="rate_table__currency", is_exact=True)
    intervals = IntervalColumn()
    connection_fee = MoneyColumn("Fee", currency="rate_table__currency", is_exact=True)
    conditions = ConditionsColumn()
    effective_from = InstantColumn("From")
    ends_at = EndColumn()
    rate_table = TableColumn()
    status = BadgeColumn("Status", accessor="get_status_display", value="status")


class InstantFilter(django_filters.DateTimeFilter):  # type: ignore[misc]
    """An instant in the provider's zone, which the page's rows are made for."""

    field_class = InstantField

    def filter(self, qs: QuerySet[Rate], value: datetime | None) -> QuerySet[Rate]:
        return qs


class RateAtFilters(Filters):
    at = InstantFilter(label="In force at", widget=DateTimeInput())
    prefix = text_filter("Prefix", "prefix__startswith")
    destination = text_filter("Destination", "destination__icontains")
    tag = text_filter("Tag", "tag__iexact")
    time_profile = tag_filter("Time profile", "time_profile", time_profiles)
    inherited = yes_no_filter("Table", "is_inherited__exact", yes="Inherited", no="This table")
    status = choice_filter(
        "Status", "status", [(Rate.Status.ACTIVE, "Active"), (Rate.Status.BLOCKED, "Blocked")]
    )


@page_of(Surface.CONSOLE, "catalogue.read")
def rate_at_list(request: SurfaceRequest, table_id: int) -> HttpResponse:
    table = selectors.rate_table(request.scope, table_id)
    at = _instant(request.GET.get("at", "")) or clock.now()
    instant = date_format(localtime(at), "DATETIME_FORMAT")
    return list_page(
        request,
        title=f"{table} at an instant",
        lead=f"What is used on {instant}, rates inherited from parent tables included.",
        rows=selectors.with_ends(rates_at(request.scope, table, at)),
        table=RateAtTable,
        filters=RateAtFilters,
        name=f"rates-{table.pk}-{localtime(at):%Y-%m-%d}",
        empty=Empty("No rates then", "Neither the table nor its parents had any in force."),
        template="console/rates/rate_at_list.html",
        context=frame(request, table),
    )


def _instant(text: str) -> datetime | None:
    """What is asked for; nothing where it is not understood, which the filter says."""
    field: Any = InstantField(required=False)
    try:
        found: datetime | None = field.clean(text)
    except forms.ValidationError:
        return None
    return found


urls = [
    path("rate-tables/<int:table_id>/at/", rate_at_list, name="console_rates_at"),
]
