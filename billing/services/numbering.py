"""Gapless numbers: taken under the series' row lock, by the transaction that issues."""

from datetime import date, datetime

from django.db import connection, transaction

from audit.services import record
from billing.models import NumberSeries
from billing.rules.numbering import format_number, is_pattern
from common.errors import DomainError
from common.locks import lock_in_transaction
from tenancy.models import BillerEntity

_TAKE = """
    UPDATE billing_numberseries SET next_number = next_number + %s
    WHERE provider_id = %s AND biller_entity_id = %s
      AND issuing_reseller_id IS NOT DISTINCT FROM %s AND kind = %s
    RETURNING pattern, next_number - %s
"""


class PatternRefused(DomainError):
    """A number is written as plain text with one `{number}`, and `{year}` where wanted."""


class PatternTaken(DomainError):
    """Another series of the biller entity is written the same: two documents would be alike."""


class NextNumberRefused(DomainError):
    """A series begins with 1 or more, and goes on from where it is."""


def take_numbers(
    *,
    provider_id: int,
    biller_entity_id: int,
    kind: NumberSeries.Kind,
    issue_date: date,
    count: int = 1,
    issuing_reseller_id: int | None = None,
) -> list[str]:
    """The next `count` numbers of a series, which is opened with its first document.

    The series stays locked to the end of the transaction, so others wait for it and a rollback
    gives the numbers back: take them last. With more than one series, in ascending order of
    (biller entity, issuing reseller, kind).
    """
    assert connection.in_atomic_block, "numbers are taken in the transaction that issues"
    keys = (provider_id, biller_entity_id, issuing_reseller_id, str(kind))
    taken = _take(keys, count)
    if taken is None:
        _open(keys)
        taken = _take(keys, count)
    assert taken is not None
    pattern, first = taken
    return [
        format_number(pattern, year=issue_date.year, number=first + place) for place in range(count)
    ]


@transaction.atomic
def change_series(
    *,
    entity: BillerEntity,
    kind: NumberSeries.Kind,
    pattern: str,
    next_number: int,
    at: datetime,
    actor_id: int | None,
) -> NumberSeries:
    """Change how the next documents of a kind are numbered; those that are issued keep theirs.

    The number can be chosen until the series has left 1, to go on from another system's.

    :raises PatternRefused: if the pattern has no number, two, or anything unknown in braces.
    :raises PatternTaken: if another kind of the biller entity's documents has the pattern.
    :raises NextNumberRefused: if the number is below 1, or would change after it left 1.
    """
    if not is_pattern(pattern) or not _fits(pattern):
        raise PatternRefused(
            f"'{pattern}' is no pattern: up to 40 letters, digits and / _ . - with one"
            " {number} or {number:06}, and {year} where you like, such as INV-{year}-{number:06}."
        )
    lock_in_transaction("number_patterns", entity.pk)
    _check_free(entity, kind, pattern)
    _open((entity.provider_id, entity.pk, None, str(kind)))
    own = NumberSeries.objects.filter(biller_entity=entity, issuing_reseller=None, kind=kind)
    series = own.select_for_update(no_key=True).get()
    if next_number < 1 or series.next_number not in (1, next_number):
        raise NextNumberRefused(
            f"The next number is {series.next_number}: a series begins with 1 or more, and goes on"
            " without gaps from where it is."
        )
    before = {"pattern": series.pattern, "next_number": series.next_number}
    series.pattern, series.next_number = pattern, next_number
    series.save(update_fields=["pattern", "next_number"])
    record(
        provider_id=entity.provider_id,
        action="number_series.changed",
        changed=series,
        at=at,
        actor_id=actor_id,
        before=before,
        after={"pattern": pattern, "next_number": next_number},
    )
    return series


def _fits(pattern: str) -> bool:
    """Whether the pattern and all that it will ever make have their place on documents."""
    longest = format_number(pattern, year=9999, number=10**12)
    return max(len(pattern), len(longest)) <= 40


def _check_free(entity: BillerEntity, kind: NumberSeries.Kind, pattern: str) -> None:
    own = NumberSeries.objects.filter(biller_entity=entity, issuing_reseller=None)
    patterns = {other: other.default_pattern for other in NumberSeries.Kind}
    patterns |= {NumberSeries.Kind(series.kind): series.pattern for series in own}
    taken = [other for other in patterns if other != kind and patterns[other] == pattern]
    if taken:
        raise PatternTaken(f"{taken[0].label} are written {pattern}; make them differ.")


def _take(keys: tuple[int, int, int | None, str], count: int) -> tuple[str, int] | None:
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [count, *keys, count])
        row: tuple[str, int] | None = cursor.fetchone()
    return row


@transaction.atomic
def _open(keys: tuple[int, int, int | None, str]) -> None:
    provider_id, biller_entity_id, issuing_reseller_id, kind = keys
    series = NumberSeries(
        provider_id=provider_id,
        biller_entity_id=biller_entity_id,
        issuing_reseller_id=issuing_reseller_id,
        kind=kind,
        pattern=NumberSeries.Kind(kind).default_pattern,
    )
    NumberSeries.objects.bulk_create([series], ignore_conflicts=True)
