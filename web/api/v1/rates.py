"""Rate tables and their rates."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from catalogue.models import Rate, RateTable
from catalogue.selectors import in_force, rate_table, rate_tables, rates
from web.api.endpoint import Endpoint
from web.api.pages import NothingIn, PageIn, page_response, read_query
from web.api.v1.legs import amount_out, instant_out


class RateTableOut(serializers.Serializer[Any]):
    """A named set of rates in one currency, for one product."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    currency = serializers.CharField()
    product = serializers.CharField()
    time_zone = serializers.CharField()
    parent = serializers.IntegerField(allow_null=True)  # type: ignore[assignment]
    rounding = serializers.CharField()
    decimals = serializers.IntegerField()
    increment_base = serializers.CharField()
    boundary = serializers.CharField()


class RateTablePageOut(serializers.Serializer[Any]):
    results = RateTableOut(many=True)
    next = serializers.CharField(allow_null=True, help_text="Address of the next page.")


class RatesIn(PageIn):
    """Which rates; without any, all of the table, by prefix."""

    prefix = serializers.RegexField(
        r"^[0-9]*$", required=False, max_length=20, help_text="How their prefixes begin."
    )
    at = serializers.DateTimeField(required=False, help_text="Those in force at this instant.")
    status = serializers.ChoiceField(choices=Rate.Status.values, required=False)


class RateOut(serializers.Serializer[Any]):
    """The price of a destination prefix from an effective time; see docs/rating.md."""

    id = serializers.IntegerField()
    prefix = serializers.CharField()
    destination = serializers.CharField()
    effective_from = serializers.DateTimeField()
    effective_to = serializers.DateTimeField(allow_null=True)
    rate = serializers.DecimalField(max_digits=18, decimal_places=8)
    initial_rate = serializers.DecimalField(max_digits=18, decimal_places=8, allow_null=True)
    connection_fee = serializers.DecimalField(max_digits=18, decimal_places=8)
    minimum = serializers.IntegerField()
    increment = serializers.IntegerField()
    grace = serializers.IntegerField()
    steps = serializers.CharField()
    min_cost = serializers.DecimalField(max_digits=18, decimal_places=8, allow_null=True)
    max_cost = serializers.DecimalField(max_digits=18, decimal_places=8, allow_null=True)
    attempt_fee = serializers.DecimalField(max_digits=18, decimal_places=8)
    time_profile = serializers.CharField(allow_null=True, help_text="Its name.")
    policy = serializers.CharField()
    tag = serializers.CharField()
    origin_prefix = serializers.CharField()
    min_digits = serializers.IntegerField(allow_null=True)
    max_digits = serializers.IntegerField(allow_null=True)
    status = serializers.ChoiceField(choices=Rate.Status.values)


class RatePageOut(serializers.Serializer[Any]):
    results = RateOut(many=True)
    next = serializers.CharField(allow_null=True, help_text="Address of the next page.")


class RateTables(Endpoint):
    """The rate tables there are."""

    needs = {"GET": "rates:read"}

    @extend_schema(operation_id="list_rate_tables", parameters=[PageIn], responses=RateTablePageOut)
    def get(self, request: Request) -> Response:
        """Rate tables, by name."""
        asked = read_query(PageIn, request)
        rows = rate_tables(self.scope)
        return page_response(request, rows, asked, lambda page: [_table_out(row) for row in page])


class OneRateTable(Endpoint):
    """One rate table."""

    needs = {"GET": "rates:read"}

    @extend_schema(operation_id="get_rate_table", responses=RateTableOut)
    def get(self, request: Request, table_id: int) -> Response:
        """A rate table, without its rates."""
        read_query(NothingIn, request)
        return Response(_table_out(rate_table(self.scope, table_id)))


class Rates(Endpoint):
    """The rates of a table."""

    needs = {"GET": "rates:read"}

    @extend_schema(operation_id="list_rates", parameters=[RatesIn], responses=RatePageOut)
    def get(self, request: Request, table_id: int) -> Response:
        """The rates of a table by prefix, the latest first; its parents' are not among them."""
        asked = read_query(RatesIn, request)
        rows = rates(self.scope, rate_table(self.scope, table_id))
        if "prefix" in asked:
            rows = rows.filter(prefix__startswith=asked["prefix"])
        if "status" in asked:
            rows = rows.filter(status=asked["status"])
        if "at" in asked:
            rows = in_force(rows, asked["at"])  # type: ignore[assignment]
        return page_response(request, rows, asked, lambda page: [_rate_out(row) for row in page])


def _table_out(table: RateTable) -> dict[str, Any]:
    names = ("id", "name", "currency", "time_zone", "rounding", "decimals")
    return {
        **{name: getattr(table, name) for name in (*names, "increment_base", "boundary")},
        "product": table.product.name,
        "parent": table.parent_id,
    }


def _rate_out(rate: Rate) -> dict[str, Any]:
    profile = rate.time_profile.name if rate.time_profile else None
    names = [str(name) for name in RateOut().fields]
    values = {name: getattr(rate, name) for name in names if name != "time_profile"}
    return {name: _written(value) for name, value in values.items()} | {"time_profile": profile}


def _written(value: Any) -> Any:
    if isinstance(value, Decimal):
        return amount_out(value)
    return instant_out(value) if isinstance(value, datetime) else value


urls = [
    path("rate-tables", RateTables.as_view(), name="api_rate_tables"),
    path("rate-tables/<int:table_id>", OneRateTable.as_view(), name="api_rate_table"),
    path("rate-tables/<int:table_id>/rates", Rates.as_view(), name="api_rates"),
]
