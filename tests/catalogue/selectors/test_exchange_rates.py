from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from catalogue.rules.exchange_rates import CountingRate, ExchangeRateTerms
from catalogue.selectors.exchange_rates import exchange_rate_on, pair_days
from catalogue.services.exchange_rates import enter_exchange_rates
from common.periods import month
from common.scope import Scope
from tenancy.models import Provider
from tests.factories import make_provider

pytestmark = pytest.mark.django_db
OCTOBER_2 = date(2026, 10, 2)


@pytest.fixture
def provider() -> Provider:
    provider = make_provider()
    rates = [
        ExchangeRateTerms("EUR", "USD", date(2026, 9, 28), Decimal("1.07")),
        ExchangeRateTerms("EUR", "USD", OCTOBER_2, Decimal("1.08")),
    ]
    at = datetime(2026, 10, 3, tzinfo=UTC)
    for owner in (provider, make_provider()):
        enter_exchange_rates(provider_id=owner.pk, rates=rates, at=at, actor_id=None)
        rates = [ExchangeRateTerms("EUR", "USD", OCTOBER_2, Decimal(2))]
    return provider


def on(
    provider: Provider, day: date, pair: tuple[str, str] = ("EUR", "USD")
) -> CountingRate | None:
    scope = Scope.system(provider.pk)
    return exchange_rate_on(scope, from_currency=pair[0], to_currency=pair[1], day=day)


class TestTheRateOnADay:
    def test_is_that_of_the_day_or_the_last_before_it(self, provider: Provider) -> None:
        assert on(provider, OCTOBER_2) == CountingRate(OCTOBER_2, Decimal("1.08"))
        assert on(provider, date(2026, 10, 12)) == CountingRate(OCTOBER_2, Decimal("1.08"))
        assert on(provider, date(2026, 10, 13)) is None
        assert on(provider, date(2026, 10, 1)) == CountingRate(date(2026, 9, 28), Decimal("1.07"))
        assert on(provider, date(2026, 9, 27)) is None

    def test_may_be_entered_the_other_way_round(self, provider: Provider) -> None:
        found = on(provider, OCTOBER_2, ("USD", "EUR"))

        assert found == CountingRate(OCTOBER_2, Decimal("1.08"), is_inverse=True)

    def test_is_one_between_a_currency_and_itself(self, provider: Provider) -> None:
        assert on(provider, OCTOBER_2, ("GBP", "GBP")) == CountingRate(OCTOBER_2, Decimal(1))


class TestTheDaysOfAPair:
    def test_say_what_was_entered_and_what_counts(self, provider: Provider) -> None:
        days = pair_days(Scope.system(provider.pk), "EUR", "USD", month(2026, 10))

        told = [(day.day.day, day.entered is not None, day.counting) for day in days]
        older = CountingRate(date(2026, 9, 28), Decimal("1.07"))
        newer = CountingRate(OCTOBER_2, Decimal("1.08"))
        assert told[:3] == [(1, False, older), (2, True, newer), (3, False, newer)]
        assert told[11:14] == [(12, False, newer), (13, False, None), (14, False, None)]
        assert len(told) == 31
