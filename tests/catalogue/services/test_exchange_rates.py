from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from audit.models import Entry
from catalogue.models import ExchangeRate
from catalogue.rules.exchange_rates import ExchangeRateRefused, ExchangeRateTerms
from catalogue.services.exchange_rates import (
    EnteredRates,
    enter_exchange_rates,
    remove_exchange_rate,
)
from tenancy.models import Provider
from tests.factories import make_provider

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 10, 10, 12, tzinfo=UTC)


@pytest.fixture
def provider() -> Provider:
    return make_provider()


def terms(
    day: int, rate: str = "1.08", pair: tuple[str, str] = ("EUR", "USD")
) -> ExchangeRateTerms:
    return ExchangeRateTerms(*pair, date(2026, 10, day), Decimal(rate))


def enter(provider: Provider, *rates: ExchangeRateTerms) -> EnteredRates:
    return enter_exchange_rates(provider_id=provider.pk, rates=rates, at=NOON, actor_id=None)


def known(provider: Provider) -> list[tuple[str, int, Decimal]]:
    rows = ExchangeRate.objects.filter(provider=provider).order_by("from_currency", "day")
    return [(row.from_currency, row.day.day, row.rate) for row in rows]


class TestEnteringRates:
    def test_adds_replaces_and_leaves_alone(self, provider: Provider) -> None:
        enter(make_provider(), terms(1))
        enter(provider, terms(1), terms(2))

        entered = enter(
            provider, terms(1), terms(2, "1.09"), terms(3), terms(3, "0.9", ("USD", "EUR"))
        )

        assert entered == EnteredRates(added=2, changed=1, unchanged=1)
        assert known(provider) == [
            ("EUR", 1, Decimal("1.08")),
            ("EUR", 2, Decimal("1.09")),
            ("EUR", 3, Decimal("1.08")),
            ("USD", 3, Decimal("0.9")),
        ]

    def test_records_what_was_replaced(self, provider: Provider) -> None:
        enter(provider, terms(1))

        enter(provider, terms(1, "1.09"), terms(2), terms(3))

        entries = Entry.objects.filter(provider_id=provider.pk).order_by("pk")
        told = [(entry.action, entry.before, entry.after) for entry in entries][1:]
        assert told == [
            (
                "exchange_rate.changed",
                {"day": "2026-10-01", "rate": "1.08"},
                {"pair": "EUR to USD", "day": "2026-10-01", "rate": "1.09"},
            ),
            (
                "exchange_rate.imported",
                None,
                {
                    "pair": "EUR to USD",
                    "days": "2",
                    "first_day": "2026-10-02",
                    "last_day": "2026-10-03",
                },
            ),
        ]

    @pytest.mark.parametrize("beside", [terms(1, "10.8"), terms(10, "0.1")])
    def test_refuses_all_where_a_point_is_misplaced(
        self, provider: Provider, beside: ExchangeRateTerms
    ) -> None:
        enter(provider, terms(5))

        with pytest.raises(ExchangeRateRefused, match="point misplaced"):
            enter(provider, terms(20), beside)

        assert known(provider) == [("EUR", 5, Decimal("1.08"))]

    def test_lets_a_misplaced_point_be_corrected(self, provider: Provider) -> None:
        enter(provider, terms(5, "10.8"))

        assert enter(provider, terms(5, "1.08")).changed == 1


class TestRemovingARate:
    def test_takes_it_away_and_says_so(self, provider: Provider) -> None:
        enter(provider, terms(1), terms(2))
        rate = ExchangeRate.objects.get(day=date(2026, 10, 1))

        remove_exchange_rate(rate=rate, at=NOON, actor_id=None)

        assert known(provider) == [("EUR", 2, Decimal("1.08"))]
        assert Entry.objects.get(action="exchange_rate.removed").before == {
            "pair": "EUR to USD",
            "day": "2026-10-01",
            "rate": "1.08",
        }
