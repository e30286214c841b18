"""Legs, parties, amounts and instants, as every route writes them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from rest_framework import serializers

from cdr.models import Leg, LegKind, PartyKind, SuspenseReason, Xdr
from cdr.rating import Candidate
from cdr.selectors.equivalents import Equivalent
from cdr.services.recorded_legs import RecordedLeg

PARTY_KINDS = [kind.name.lower() for kind in PartyKind]
LEG_KINDS = [kind.name.lower() for kind in LegKind]
XDR_RESULTS = [result.name.lower() for result in Xdr.Result]


class PartyOut(serializers.Serializer[Any]):
    """Who pays or is paid; the provider's id is 0."""

    kind = serializers.ChoiceField(choices=PARTY_KINDS)
    id = serializers.IntegerField()


class LegOut(serializers.Serializer[Any]):
    """One party's charge for an xDR; amounts are exact, in the currency of the rate table.

    A leg of a metered product sold at tiers has a subscription instead of rate and rate table.
    """

    number = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=LEG_KINDS)
    payer = PartyOut()
    payee = PartyOut()
    rate_table = serializers.IntegerField(allow_null=True)
    rate = serializers.IntegerField(allow_null=True)
    subscription = serializers.IntegerField(allow_null=True)
    total_before = serializers.IntegerField(
        allow_null=True,
        help_text="What was used in the month before it, where the tiers of a subscription price.",
    )
    billed_volume = serializers.IntegerField()
    included_volume = serializers.IntegerField(
        help_text="What allowances covered of the volume; the rest was billed."
    )
    amount = serializers.DecimalField(max_digits=18, decimal_places=8)
    additive_amount = serializers.DecimalField(
        max_digits=18, decimal_places=8, help_text="What of the amount an additive rate adds."
    )
    currency = serializers.CharField()


class WaitingOut(serializers.Serializer[Any]):
    """Why an xDR, or one leg of it, waits in suspense."""

    reason = serializers.ChoiceField(choices=SuspenseReason.values)
    detail = serializers.CharField()
    leg = serializers.ChoiceField(
        choices=LEG_KINDS, allow_null=True, help_text="null: the whole xDR waits."
    )


class CandidateOut(serializers.Serializer[Any]):
    """A rate whose prefix fits; `lost_because` is empty for the one that won."""

    rate = serializers.IntegerField()
    table = serializers.CharField()
    prefix = serializers.CharField()
    destination = serializers.CharField()
    price = serializers.DecimalField(max_digits=18, decimal_places=8)
    lost_because = serializers.CharField()


class IncludedOut(serializers.Serializer[Any]):
    """How much of the volume an allowance covers."""

    allowance = serializers.CharField()
    volume = serializers.IntegerField()


class EquivalentOut(serializers.Serializer[Any]):
    """An amount in the currency of the provider or the customer; it is told, never charged."""

    currency = serializers.CharField()
    amount = serializers.DecimalField(
        max_digits=36, decimal_places=8, allow_null=True, help_text="null: no exchange rate counts."
    )
    conversion = serializers.CharField(help_text="The exchange rate that counts, and its day.")


def included_out(included: Mapping[str, int]) -> list[dict[str, Any]]:
    """What allowances cover, by the name of each, as it is written."""
    return [{"allowance": name, "volume": volume} for name, volume in included.items()]


def leg_out(leg: Leg | RecordedLeg) -> dict[str, Any]:
    """A leg as it is written."""
    return {
        "number": leg.number,
        "kind": LegKind(leg.kind).name.lower(),
        "payer": party_out(leg.payer_kind, leg.payer_id),
        "payee": party_out(leg.payee_kind, leg.payee_id),
        "rate_table": leg.rate_table_id,
        "rate": leg.rate_id,
        "subscription": leg.subscription_id,
        "total_before": leg.total_before,
        "billed_volume": leg.billed_volume,
        "included_volume": leg.included_volume,
        "amount": amount_out(leg.amount),
        "additive_amount": amount_out(leg.additive_amount),
        "currency": leg.currency,
    }


def party_out(kind: int, party_id: int) -> dict[str, Any]:
    """A party as it is written."""
    return {"kind": PartyKind(kind).name.lower(), "id": party_id}


def waiting_out(reason: str, detail: str, leg_kind: int | None) -> dict[str, Any]:
    """What waits, as it is written."""
    leg = None if leg_kind is None else LegKind(leg_kind).name.lower()
    return {"reason": reason, "detail": detail, "leg": leg}


def amount_out(amount: Decimal) -> str:
    """An amount with the eight decimals it is kept with."""
    return f"{amount:.8f}"


def instant_out(instant: datetime) -> str:
    """An instant in UTC, to the microsecond where it has any."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def equivalents_out(equivalents: Sequence[Equivalent]) -> list[dict[str, Any]]:
    """An amount in other currencies, as it is written."""
    return [
        {
            "currency": each.currency,
            "amount": None if each.amount is None else amount_out(each.amount),
            "conversion": each.rate_line,
        }
        for each in equivalents
    ]


def candidates_out(candidates: Sequence[Candidate]) -> list[dict[str, Any]]:
    """The rates that were considered, as they are written."""
    return [
        {
            "rate": candidate.rate.id,
            "table": candidate.table.name,
            "prefix": candidate.rate.prefix,
            "destination": candidate.rate.destination,
            "price": amount_out(candidate.rate.rate),
            "lost_because": str(candidate.lost or ""),
        }
        for candidate in candidates
    ]
