"""Taking numbers of a series."""

from datetime import date

import pytest
from django.db import transaction

from billing.models import NumberSeries
from billing.services.numbering import take_numbers
from tenancy.models import BillerEntity, Provider
from tests.factories import make_biller_entity, make_provider, make_reseller
from tests.race import race

ISSUE_DATE = date(2026, 11, 3)


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
