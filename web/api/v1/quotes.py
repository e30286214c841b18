"""What a call that has not happened would cost everybody, and why."""

from typing import Any

from django.db.models import QuerySet
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from catalogue.rules.tags import TAGS_CHARACTERS
from cdr.importers.tollgate_json.adapter import MOST_SECONDS
from cdr.models import SuspenseReason
from cdr.selectors.sources import sources
from cdr.services.quoting import CallToQuote, Quote, QuotedLeg, Trouble, quote
from customers.selectors import customers
from resellers.selectors import vendors
from web.api.endpoint import Endpoint
from web.api.pages import NothingIn, read_query
from web.api.v1.legs import (
    LEG_KINDS,
    CandidateOut,
    EquivalentOut,
    IncludedOut,
    PartyOut,
    amount_out,
    candidates_out,
    equivalents_out,
    included_out,
    party_out,
)


class QuoteIn(serializers.Serializer[Any]):
    """A call as the switch of a source would send it."""

    source = serializers.SlugField(help_text="The source that would bring it.")  # type: ignore[assignment]
    destination_number = serializers.CharField(
        max_length=64, help_text="As dialled; a tech prefix in front names a trunk."
    )
    started_at = serializers.DateTimeField()
    volume = serializers.IntegerField(
        min_value=0, max_value=MOST_SECONDS, help_text="In the volume unit of the product."
    )
    customer = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=2**31 - 1,
        help_text="The customer's number, whatever account code and caller say.",
    )
    account_code = serializers.CharField(required=False, max_length=64)
    caller_number = serializers.CharField(required=False, max_length=64)
    trunk = serializers.CharField(
        required=False, max_length=64, help_text="The trunk that it would come by."
    )
    caller_ip = serializers.IPAddressField(
        required=False, help_text="The address that it would come from."
    )
    vendor = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=2**63 - 1,
        help_text="Who terminates it, whatever tech prefix and source say.",
    )
    tags = serializers.CharField(
        required=False, max_length=TAGS_CHARACTERS, help_text="Separated by commas."
    )


class TroubleOut(serializers.Serializer[Any]):
    """Why a call, or one leg of it, would wait in suspense."""

    reason = serializers.ChoiceField(choices=SuspenseReason.values)
    detail = serializers.CharField()


class QuotedLegOut(serializers.Serializer[Any]):
    """What one party would pay another, and why."""

    kind = serializers.ChoiceField(choices=LEG_KINDS)
    payer = PartyOut()
    payee = PartyOut()
    rate_table = serializers.IntegerField(allow_null=True)
    billed_volume = serializers.IntegerField()
    included_volume = serializers.IntegerField(
        help_text="What the customer's allowances would cover; the rest would be billed."
    )
    amount = serializers.DecimalField(
        max_digits=26,
        decimal_places=8,
        allow_null=True,
        help_text="null: no rate gives one. At tiers: what it would add to the month so far.",
    )
    currency = serializers.CharField(help_text="Empty where there is no rate table.")
    is_due = serializers.BooleanField(help_text="Whether it would be charged.")
    trouble = TroubleOut(allow_null=True)
    candidates = CandidateOut(many=True)
    additive_candidates = CandidateOut(many=True)
    arithmetic = serializers.ListField(child=serializers.CharField())
    equivalents = EquivalentOut(many=True)


class MarginOut(serializers.Serializer[Any]):
    """What the provider or a reseller would earn, in one currency."""

    party = PartyOut()
    amount = serializers.DecimalField(max_digits=26, decimal_places=8)
    currency = serializers.CharField()


class QuoteOut(serializers.Serializer[Any]):
    """A call with its parties as identified, its legs, and what each party would earn."""

    normalised_number = serializers.CharField()
    tags = serializers.CharField()
    customer = PartyOut(allow_null=True)
    terminating_customer = PartyOut(allow_null=True)
    vendor = PartyOut(allow_null=True)
    trouble = TroubleOut(allow_null=True, help_text="Why the whole call would wait.")
    included = IncludedOut(
        many=True,
        help_text="By what is left of the customer's allowances now; nothing of it is used up.",
    )
    legs = QuotedLegOut(many=True)
    margins = MarginOut(many=True)


class RatingQuote(Endpoint):
    """A question that is too long for an address; asking changes nothing."""

    needs = {"POST": "rates:read"}

    @extend_schema(operation_id="quote_call", request=QuoteIn, responses=QuoteOut)
    def post(self, request: Request) -> Response:
        """Price a call that has not happened, every leg of it; nothing is written."""
        read_query(NothingIn, request)
        asked = QuoteIn(data=request.data)
        asked.is_valid(raise_exception=True)
        return Response(_quote_out(quote(self.scope, self._call(asked.validated_data))))

    def _call(self, asked: dict[str, Any]) -> CallToQuote:
        rows: dict[str, QuerySet[Any]] = {
            "source": sources(self.scope).filter(slug=asked["source"]),
            "customer": customers(self.scope).filter(number=asked.get("customer", 0)),
            "vendor": vendors(self.scope).filter(pk=asked.get("vendor", 0)),
        }
        found: dict[str, Any] = {name: row.first() for name, row in rows.items() if name in asked}
        unknown = {
            name: [f"There is no {name} {asked[name]}."]
            for name, row in found.items()
            if row is None
        }
        if unknown:
            raise serializers.ValidationError(unknown)
        names = (
            *("destination_number", "started_at", "volume", "account_code", "caller_number"),
            *("trunk", "caller_ip", "tags"),
        )
        return CallToQuote(
            source_id=found["source"].pk,
            customer_id=found["customer"].pk if "customer" in found else None,
            vendor_id=found["vendor"].pk if "vendor" in found else None,
            **{name: asked[name] for name in names if name in asked},
        )


def _quote_out(quoted: Quote) -> dict[str, Any]:
    parties = {
        "customer": ("customer", quoted.customer),
        "terminating_customer": ("customer", quoted.called_customer),
        "vendor": ("vendor", quoted.vendor),
    }
    return {
        "normalised_number": quoted.number,
        "tags": quoted.tags,
        **{name: row and {"kind": kind, "id": row.pk} for name, (kind, row) in parties.items()},
        "trouble": _trouble_out(quoted.trouble),
        "included": included_out(quoted.included),
        "legs": [_leg_out(leg) for leg in quoted.legs],
        "margins": [
            {
                "party": party_out(*margin.party_key),
                "amount": amount_out(margin.amount),
                "currency": margin.currency,
            }
            for margin in quoted.margins
        ],
    }


def _leg_out(leg: QuotedLeg) -> dict[str, Any]:
    explanation = leg.explanation
    additive = explanation.additive if explanation else None
    return {
        "kind": leg.kind.name.lower(),
        "payer": party_out(*leg.payer_key),
        "payee": party_out(*leg.payee_key),
        "rate_table": leg.rate_table and leg.rate_table.pk,
        "billed_volume": leg.billed_volume,
        "included_volume": leg.included_volume,
        "amount": None if leg.amount is None else amount_out(leg.amount),
        "currency": leg.currency,
        "is_due": leg.is_due,
        "trouble": _trouble_out(leg.trouble),
        "candidates": candidates_out(explanation.candidates if explanation else ()),
        "additive_candidates": candidates_out(additive.candidates if additive else ()),
        "arithmetic": leg.arithmetic,
        "equivalents": equivalents_out(leg.equivalents),
    }


def _trouble_out(trouble: Trouble | None) -> dict[str, Any] | None:
    if trouble is None:
        return None
    return {"reason": trouble.reason.value, "detail": trouble.detail}


urls = [path("rating/quote", RatingQuote.as_view(), name="api_quote")]
