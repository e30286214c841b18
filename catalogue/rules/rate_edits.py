"""One change of many rates: what becomes of each, and how it is kept until it is done."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal, localcontext
from enum import StrEnum
from typing import Any

from catalogue.rules.rate_terms import AMOUNT_DECIMALS, RateRefused, RateTerms, check_amount
from common.errors import DomainError

_QUANTUM = Decimal(1).scaleb(-AMOUNT_DECIMALS)
_PRECISION = 60
_ZERO = Decimal(0)

AMOUNTS = ("initial_rate", "connection_fee", "min_cost", "max_cost", "attempt_fee")
CALLS = ("tag", "time_profile_id", "policy", "origin_prefix", "min_digits", "max_digits")
"""The columns, beside the prefix, that say for which calls a rate is meant."""

EDITABLE = (
    *AMOUNTS,
    *CALLS,
    *("destination", "minimum", "increment", "grace", "steps", "status", "effective_to"),
)
"""The columns that can be set for many rates at once, beside the rate itself."""


class NothingToChange(DomainError):
    """An edit that says nothing."""


class PriceChange(StrEnum):
    """How a price is changed."""

    PERCENT = "percent"
    AMOUNT = "amount"
    VALUE = "value"


@dataclass(frozen=True, slots=True)
class PriceEdit:
    """A change of prices: by percent, by an amount per rating unit, or to a rate.

    By percent and amount it is made to the rate, to the initial rate where there is one, and to
    the prices of in-call steps; to a rate, to the rate alone. Fees, floors and caps stay.
    """

    change: PriceChange
    by: Decimal

    def __post_init__(self) -> None:
        check_amount("by", self.by)
        if self.change is PriceChange.PERCENT and self.by < -100:
            raise RateRefused("by", self.by, "a price falls by at most 100 percent")

    @property
    def factor(self) -> Decimal:
        """What a price is multiplied with."""
        return 1 + self.by / 100 if self.change is PriceChange.PERCENT else Decimal(1)

    @property
    def summand(self) -> Decimal:
        """What is then added to it."""
        return self.by if self.change is PriceChange.AMOUNT else _ZERO

    def applied(self, price: Decimal) -> Decimal:
        """The new price: exact, then rounded half up, away from zero, to eight decimals.

        >>> PriceEdit(PriceChange.PERCENT, Decimal("2.5")).applied(Decimal("0.00000001"))
        Decimal('1E-8')
        """
        with localcontext(prec=_PRECISION):
            if self.change is PriceChange.VALUE:
                return self.by.quantize(_QUANTUM)
            return (price * self.factor + self.summand).quantize(_QUANTUM, ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class RateEdit:
    """A change of many rates; `values` are the columns it sets, None where it takes one away.

    With `effective_from` each rate ends there and goes on changed; rates that begin there or later
    are changed themselves, rates that are over by then stay. Without it each is corrected from its
    own start on.

    :raises RateRefused: naming the column that no rate may have so.
    :raises NothingToChange: if it changes nothing.
    """

    effective_from: datetime | None = None
    price: PriceEdit | None = None
    values: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.price is None and not self.values:
            raise NothingToChange("Say what is to change: the price or another field.")
        assert set(self.values) <= set(EDITABLE), self.values
        start = self.effective_from or datetime.min.replace(tzinfo=UTC)
        given = {name: value for name, value in self.values.items() if value is not None}
        # A rate of these values, to have each checked as those of a rate are.
        RateTerms(**{"prefix": "", "rate": _ZERO, "effective_from": start, **given})  # type: ignore[arg-type]

    @property
    def changes_calls(self) -> bool:
        """Whether the rates are for other calls then."""
        return any(name in CALLS for name in self.values)


def written(edit: RateEdit) -> dict[str, object]:
    """The edit as JSON keeps it: amounts and instants as texts, exactly."""
    price = edit.price and {"change": edit.price.change.value, "by": f"{edit.price.by:f}"}
    values = {name: _text(value) for name, value in edit.values.items()}
    return {"effective_from": _text(edit.effective_from), "price": price, "values": values}


def read(kept: Mapping[str, Any]) -> RateEdit:
    """The edit that `written` wrote."""
    price = kept["price"]
    return RateEdit(
        effective_from=_instant(kept["effective_from"]),
        price=price and PriceEdit(PriceChange(price["change"]), Decimal(price["by"])),
        values={name: _value(name, value) for name, value in kept["values"].items()},
    )


def _text(value: object) -> object:
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value.isoformat() if isinstance(value, datetime) else value


def _value(name: str, kept: Any) -> object:
    if name in AMOUNTS and kept is not None:
        return Decimal(kept)
    return _instant(kept) if name == "effective_to" else kept


def _instant(kept: str | None) -> datetime | None:
    return None if kept is None else datetime.fromisoformat(kept)
