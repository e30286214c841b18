"""Taking numbers of a series."""

from datetime import UTC, date, datetime

import pytest
from django.db import transaction

from audit.models import Entry
from billing.models import NumberSeries
from billing.services.numbering import (
    NextNumberRefused,
    PatternRefused,
    PatternTaken,
    change_series,
    take_numbers,
)
from tenancy.models import BillerEntity, Provider
from tests.factories import make_biller_entity, make_provider, make_reseller
from tests.race import race

ISSUE_DATE = date(2026, 11, 3)
AT = datetime(2026, 11, 2, 9, tzinfo=UTC)


@pytest.fixture
def provider() -> Provider:
    return make_provider()


def take(provider: Provider, count: int = 1, **changes: int) -> list[str]:
    values = {"biller_entity_id": BillerEntity.objects.get(provider=provider, is_default=True).pk}
    with transaction.atomic():
        return take_numbers(
            provider_id=provider.pk,
            kind=NumberSeries.Kind.RECEIPT,
            issue_date=ISSUE_DATE,
            count=count,
            **values | changes,
        )


@pytest.mark.django_db
class TestASeries:
    def test_begins_with_its_first_document(self, provider: Provider) -> None:
        assert take(provider) == ["REC-2026-000001"]

    def test_goes_on_without_a_gap(self, provider: Provider) -> None:
        take(provider, 2)

        assert take(provider, 2) == ["REC-2026-000003", "REC-2026-000004"]

    def test_is_written_as_the_provider_chose(self, provider: Provider) -> None:
        take(provider)
        NumberSeries.objects.update(pattern="Q/{number}")

        assert take(provider) == ["Q/2"]

    def test_of_another_biller_or_reseller_is_another(self, provider: Provider) -> None:
        other = make_biller_entity(provider, is_default=False)
        reseller = make_reseller(provider)
        take(provider)

        assert take(provider, biller_entity_id=other.pk) == ["REC-2026-000001"]
        assert take(provider, issuing_reseller_id=reseller.pk) == ["REC-2026-000001"]

    def test_takes_a_number_back_that_was_not_used(self, provider: Provider) -> None:
        take(provider)
        with transaction.atomic():
            take(provider)
            transaction.set_rollback(True)

        assert take(provider) == ["REC-2026-000002"]


@pytest.mark.django_db(transaction=True)
class TestTakingNumbersAtTheSameMoment:
    def test_gives_each_once(self, provider: Provider) -> None:
        taken = race(*[lambda: take(provider, 5)] * 6)

        numbers = sorted(number for part in taken if isinstance(part, list) for number in part)
        assert numbers == [f"REC-2026-{number:06}" for number in range(1, 31)]


def change(
    provider: Provider,
    kind: NumberSeries.Kind = NumberSeries.Kind.RECEIPT,
    pattern: str = "R/{number}",
    next_number: int = 1,
) -> NumberSeries:
    return change_series(
        entity=BillerEntity.objects.get(provider=provider, is_default=True),
        kind=kind,
        pattern=pattern,
        next_number=next_number,
        at=AT,
        actor_id=None,
    )


@pytest.mark.django_db
class TestChangeSeries:
    def test_numbers_the_next_documents(self, provider: Provider) -> None:
        take(provider)

        change(provider, pattern="R{year}/{number:03}", next_number=2)

        assert take(provider) == ["R2026/002"]
        entry = Entry.objects.get(action="number_series.changed")
        assert entry.before == {"pattern": "REC-{year}-{number:06}", "next_number": "2"}
        assert entry.after == {"pattern": "R{year}/{number:03}", "next_number": "2"}

    def test_begins_with_a_chosen_number(self, provider: Provider) -> None:
        change(provider, next_number=4712)

        assert take(provider, 2) == ["R/4712", "R/4713"]

    @pytest.mark.parametrize("number", [0, 1, 5])
    def test_goes_on_from_where_it_is(self, provider: Provider, number: int) -> None:
        take(provider, 2)

        with pytest.raises(NextNumberRefused, match="The next number is 3"):
            change(provider, next_number=number)

        assert take(provider) == ["REC-2026-000003"]

    @pytest.mark.parametrize(
        "pattern",
        [
            "",
            "R",
            "{number}{number}",
            "{month}-{number}",
            "R {",
            "{number:50}",
            f"{'R' * 40}{{number}}",
        ],
    )
    def test_refuses_a_pattern_that_numbers_nothing_or_too_long(
        self, provider: Provider, pattern: str
    ) -> None:
        with pytest.raises(PatternRefused):
            change(provider, pattern=pattern)

        assert not NumberSeries.objects.exists()

    def test_refuses_the_pattern_of_another_kind(self, provider: Provider) -> None:
        change(provider, NumberSeries.Kind.INVOICE, "{year}-{number:06}")

        for taken in ("{year}-{number:06}", "CN-{year}-{number:06}"):
            with pytest.raises(PatternTaken):
                change(provider, NumberSeries.Kind.SETTLEMENT, taken)

        assert not NumberSeries.objects.filter(kind=NumberSeries.Kind.SETTLEMENT).exists()
