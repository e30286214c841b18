"""What a leg is in the currencies of the provider and of the customer."""

from datetime import UTC, date, datetime
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command

from catalogue.models import ExchangeRate
from cdr.models import Leg, LegKind, Xdr
from cdr.rules.xdr_keys import format_xdr_key
from cdr.selectors.equivalents import Equivalent, equivalents
from cdr.selectors.explaining import explained_legs
from cdr.services.quoting import CallToQuote, quote
from common.scope import Scope
from tenancy.models import Provider
from tests.cdr.worlds import World, make_world
from tests.factories import make_provider, make_rate_table
from tests.factories.cdr import CALL_AT, Call, import_lines

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 10, 5, 12, tzinfo=UTC)
TODAY = date(2026, 10, 5)


@pytest.fixture
def provider() -> Provider:
    return make_provider()


def enter(provider: Provider, day: date, rate: str, pair: str = "EUR USD") -> None:
    one, other = pair.split()
    ExchangeRate.objects.create(
        provider=provider,
        from_currency=one,
        to_currency=other,
        day=day,
        rate=Decimal(rate),
        entered_at=NOON,
    )


def told(provider: Provider, *wanted: str, at: datetime = NOON) -> tuple[Equivalent, ...]:
    scope = Scope.system(provider.pk)
    return equivalents(scope, Decimal("0.10"), "EUR", at=at, wanted=wanted)


class TestEquivalents:
    def test_are_of_the_rate_of_the_day(self, provider: Provider) -> None:
        enter(provider, TODAY, "1.25")

        (found,) = told(provider, "USD", "EUR", "")

        assert (found.currency, found.amount) == ("USD", Decimal("0.12500000"))
        assert found.rate_line == "1 EUR = 1.25 USD on 2026-10-05"

    def test_say_how_old_the_rate_is_and_which_way_round(self, provider: Provider) -> None:
        enter(provider, date(2026, 10, 2), "0.8", "USD EUR")

        (found,) = told(provider, "USD")

        assert found.amount == Decimal("0.125")
        assert found.rate_line == "1 USD = 0.8 EUR on 2026-10-02, the last before 2026-10-05"

    def test_are_unknown_where_no_rate_counts(self, provider: Provider) -> None:
        enter(make_provider(), TODAY, "1.25")

        (found,) = told(provider, "USD")

        assert (found.rate, found.amount) == (None, None)
        assert found.rate_line == "no exchange rate from EUR to USD counts on 2026-10-05"

    def test_are_by_the_day_of_the_provider(self, provider: Provider) -> None:
        late = datetime(2026, 10, 5, 23, 30, tzinfo=UTC)  # the sixth in Berlin
        enter(provider, TODAY, "1.25")
        enter(provider, date(2026, 10, 6), "1.5")

        (found,) = told(provider, "USD", at=late)

        assert provider.time_zone == "Europe/Berlin"
        assert found.amount == Decimal("0.15")


class TestALegInAnotherCurrency:
    @pytest.fixture
    def world(self) -> World:
        """The customer's own table is in dollars, all else in euros."""
        world = make_world()
        world.carla.rate_table = make_rate_table(world.product, {"": "1"}, currency="USD")
        world.carla.save()
        enter(world.provider, TODAY, "1.25")
        return world

    def test_is_told_in_that_of_the_provider_where_it_is_explained(self, world: World) -> None:
        import_lines(world.source, [Call(account="carla")])

        legs = explained_legs(Scope.system(world.provider.pk), Xdr.objects.get())

        found = {entry.leg.kind: entry.equivalents for entry in legs}
        assert [also.amount for also in found[LegKind.CUSTOMER]] == [Decimal("1.6")]
        assert found[LegKind.VENDOR] == ()

    def test_is_told_by_the_command(self, world: World) -> None:
        import_lines(world.source, [Call(account="carla")])
        key = format_xdr_key(*Xdr.objects.values_list("started_at", "id").get())
        written = StringIO()

        call_command("explain_xdr", key, "--provider", world.provider.slug, stdout=written)

        assert "  in EUR: 1.6 EUR, 1 EUR = 1.25 USD on 2026-10-05\n" in written.getvalue()
        assert Leg.objects.get(kind=LegKind.CUSTOMER).currency == "USD"

    def test_is_told_where_a_call_is_quoted(self, world: World) -> None:
        call = CallToQuote(
            source_id=world.source.pk,
            destination_number="493012345678",
            started_at=CALL_AT,
            volume=120,
            account_code="carla",
        )

        legs = quote(Scope.system(world.provider.pk), call).legs

        assert [also.amount for also in legs[0].equivalents] == [Decimal("1.6")]
        assert legs[1].equivalents == ()
