"""Gapless numbers: taken under the series' row lock, by the transaction that issues."""

from datetime import date

from django.db import connection, transaction

from billing.models import NumberSeries
from billing.rules.numbering import format_number

# How a series is written until the provider chooses otherwise.
PATTERNS = {
    NumberSeries.Kind.INVOICE: "INV-{year}-{number:06}",
    NumberSeries.Kind.SETTLEMENT: "SET-{year}-{number:06}",
    NumberSeries.Kind.CREDIT_NOTE: "CN-{year}-{number:06}",
    NumberSeries.Kind.RECEIPT: "REC-{year}-{number:06}",
    NumberSeries.Kind.PAYOUT: "PAY-{year}-{number:06}",
}
_TAKE = """
    UPDATE billing_numberseries SET next_number = next_number + %s
    WHERE provider_id = %s AND biller_entity_id = %s
      AND issuing_reseller_id IS NOT DISTINCT FROM %s AND kind = %s
    RETURNING pattern, next_number - %s
"""


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
        pattern=PATTERNS[NumberSeries.Kind(kind)],
    )
    NumberSeries.objects.bulk_create([series], ignore_conflicts=True)
