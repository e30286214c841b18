"""Exchange rates: entered one by one or as a file, and removed."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import transaction

from audit.services import record
from catalogue.models import ExchangeRate
from catalogue.rules.exchange_rates import (
    MOST_DAYS_OLD,
    CountingRate,
    ExchangeRateTerms,
    refuse_misplaced,
)
from common.locks import lock_in_transaction

_BATCH_ROWS = 1000
_Pair = tuple[str, str]


@dataclass(frozen=True)
class EnteredRates:
    """What became of the rates: new days, days with another rate than before, and the others."""

    added: int
    changed: int
    unchanged: int


@transaction.atomic
def enter_exchange_rates(
    *, provider_id: int, rates: Sequence[ExchangeRateTerms], at: datetime, actor_id: int | None
) -> EnteredRates:
    """Enter rates, each in place of the one that its pair has on its day; all or none.

    Of two for one pair and day the later in `rates` counts.

    :raises ExchangeRateRefused: one is ten times off the rates of its pair on the days around it.
    """
    lock_in_transaction("exchange_rates", provider_id)
    by_pair: dict[_Pair, dict[date, Decimal]] = defaultdict(dict)
    for terms in rates:
        by_pair[terms.from_currency, terms.to_currency][terms.day] = terms.rate
    entered = [
        _enter_pair(provider_id, pair, by_day, at, actor_id) for pair, by_day in by_pair.items()
    ]
    return EnteredRates(
        sum(each.added for each in entered),
        sum(each.changed for each in entered),
        sum(each.unchanged for each in entered),
    )


@transaction.atomic
def remove_exchange_rate(*, rate: ExchangeRate, at: datetime, actor_id: int | None) -> None:
    """Take a rate away; its day goes by the one before it from now on."""
    record(
        provider_id=rate.provider_id,
        action="exchange_rate.removed",
        changed=rate,
        at=at,
        actor_id=actor_id,
        before={"pair": _name(rate.from_currency, rate.to_currency), **_told(rate.day, rate.rate)},
    )
    rate.delete()


def _enter_pair(
    provider_id: int,
    pair: _Pair,
    by_day: Mapping[date, Decimal],
    at: datetime,
    actor_id: int | None,
) -> EnteredRates:
    known = _known(provider_id, pair, by_day)
    _refuse_misplaced(pair, by_day, known)
    writing = {day: rate for day, rate in by_day.items() if day not in known or known[day] != rate}
    rows = ExchangeRate.objects.bulk_create(
        (
            ExchangeRate(
                provider_id=provider_id,
                from_currency=pair[0],
                to_currency=pair[1],
                day=day,
                rate=rate,
                entered_at=at,
            )
            for day, rate in sorted(writing.items())
        ),
        batch_size=_BATCH_ROWS,
        update_conflicts=True,
        unique_fields=["provider", "from_currency", "to_currency", "day"],
        update_fields=["rate", "entered_at"],
    )
    changed = [row for row in rows if row.day in known]
    added = [row for row in rows if row.day not in known]
    for row in changed:
        _record(row, at, actor_id, before=_told(row.day, known[row.day]))
    if len(added) == 1:
        _record(added[0], at, actor_id)
    elif added:
        _record_many(added, at, actor_id)
    return EnteredRates(len(added), len(changed), len(by_day) - len(rows))


def _known(provider_id: int, pair: _Pair, by_day: Mapping[date, Decimal]) -> dict[date, Decimal]:
    """What the pair has on the days that are entered, and on those around them."""
    around = timedelta(days=MOST_DAYS_OLD)
    rows = ExchangeRate.objects.filter(
        provider_id=provider_id,
        from_currency=pair[0],
        to_currency=pair[1],
        day__range=(min(by_day) - around, max(by_day) + around),
    )
    return dict(rows.values_list("day", "rate"))


def _refuse_misplaced(
    pair: _Pair, by_day: Mapping[date, Decimal], known: Mapping[date, Decimal]
) -> None:
    """Compare each with the nearest days before and after it, as they will be."""
    rates = {**known, **by_day}
    days = sorted(rates)
    place = {day: number for number, day in enumerate(days)}
    for day, rate in by_day.items():
        near = [days[at] for at in (place[day] - 1, place[day] + 1) if 0 <= at < len(days)]
        around = [
            CountingRate(other, rates[other])
            for other in near
            if abs((other - day).days) <= MOST_DAYS_OLD
        ]
        refuse_misplaced(ExchangeRateTerms(*pair, day, rate), around)


def _record(
    row: ExchangeRate,
    at: datetime,
    actor_id: int | None,
    before: Mapping[str, object] | None = None,
) -> None:
    record(
        provider_id=row.provider_id,
        action="exchange_rate.changed" if before else "exchange_rate.entered",
        changed=row,
        at=at,
        actor_id=actor_id,
        before=before,
        after={"pair": _name(row.from_currency, row.to_currency), **_told(row.day, row.rate)},
    )


def _record_many(rows: Sequence[ExchangeRate], at: datetime, actor_id: int | None) -> None:
    first, last = rows[0], rows[-1]
    record(
        provider_id=last.provider_id,
        action="exchange_rate.imported",
        changed=last,
        at=at,
        actor_id=actor_id,
        after={
            "pair": _name(last.from_currency, last.to_currency),
            "days": len(rows),
            "first_day": first.day,
            "last_day": last.day,
        },
    )


def _name(from_currency: str, to_currency: str) -> str:
    return f"{from_currency} to {to_currency}"


def _told(day: date, rate: Decimal) -> Mapping[str, object]:
    return {"day": day, "rate": f"{rate.normalize():f}"}
