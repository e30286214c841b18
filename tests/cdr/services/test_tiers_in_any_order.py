"""A month at tiers after any sequence of imports, moves and re-ratings."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalogue.rules.tier_prices import price_of_total
from cdr.models import Leg, TierTotal, UsageCharge
from common.scope import Scope
from customers.models import Customer
from subscriptions.models import Subscription
from tenancy.selectors import provider_zone
from tests.factories import make_identifier
from tests.factories.catalogue import make_allowance
from tests.factories.cdr import import_lines
from tests.factories.mending import try_again
from tests.factories.rerating import OCTOBER_FROM, rerate
from tests.factories.tiers import Metered, make_ben, make_metered, usage

pytestmark = pytest.mark.django_db
OCTOBER = date(2026, 10, 1)


MODELS = st.sampled_from(
    [
        ("GRADUATED", "0:0.10+1;100:0.05"),
        ("GRADUATED", "0:0.333;7:0.111+0.77"),
        ("VOLUME", "0:0.10;100:0.03"),
        ("VOLUME", "0:0.10+3;100:0.03+1;200:0.20"),
        ("PACKAGE", "0:5;300:4+1"),
        ("STEPPED", "0:0+10;100:0+18;200:0+4"),
    ]
)
ACCOUNTS = ("carla", "karla", "ben", "nobody")
STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("import"),
            st.lists(
                st.tuples(
                    st.integers(0, 60 * 24 * 45),
                    st.integers(0, 150_000),
                    st.sampled_from(ACCOUNTS),
                ),
                min_size=1,
                max_size=4,
            ),
        ),
        st.tuples(st.just("move"), st.sampled_from(ACCOUNTS), st.booleans()),
        st.tuples(st.just("end"), st.booleans(), st.integers(0, 60)),
        st.tuples(st.just("rerate"), st.integers(0, 40), st.integers(1, 45)),
        st.tuples(st.just("release")),
    ),
    min_size=2,
    max_size=7,
)
END_AT = datetime(2026, 12, 1, tzinfo=UTC)


class TestAnySequence:
    """Imports, identifiers that move, subscriptions that end, re-ratings and releases."""

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(terms=MODELS, steps=STEPS, covered=st.integers(0, 60_000))
    def test_leaves_every_month_at_the_price_of_its_total(
        self, terms: tuple[str, str], steps: list[tuple[object, ...]], covered: int
    ) -> None:
        metered = make_metered(*terms)
        if covered:
            make_allowance(metered.item, metered.product, volume=covered)
        ben, _ = make_ben(metered, tiers="0:0.20;50:0.10")
        make_identifier(metered.carla, "karla")

        for step in steps:
            self.take(metered, ben, step)
            self.check(metered)
        # Whom usage moves to is known by the first, and the second puts it in order there.
        for _ in range(3):
            settled = rerate(metered.provider, started_to=END_AT)
            self.check(metered)
        assert not settled.slices.filter(has_changes=True).exists()
        self.check_order(metered)

    def take(self, metered: Metered, ben: Customer, step: tuple[object, ...]) -> None:
        match step:
            case ("import", list(lines)):
                import_lines(
                    metered.source,
                    [
                        usage(volume, at=OCTOBER_FROM + timedelta(minutes=at), account=account)
                        for at, volume, account in lines
                    ],
                    at=END_AT,
                )
            case ("move", str(account), bool(is_bens)):
                of_account = metered.carla.identifiers.model.objects.filter(
                    provider=metered.provider, value=account
                )
                of_account.update(customer=ben if is_bens else metered.carla)
            case ("end", bool(is_bens), int(days)):
                of_customer = Subscription.objects.filter(
                    customer=ben if is_bens else metered.carla
                )
                of_customer.update(end_date=OCTOBER + timedelta(days=days) if days < 50 else None)
            case ("rerate", int(first), int(count)):
                begins = OCTOBER_FROM + timedelta(days=first)
                rerate(
                    metered.provider,
                    started_from=begins,
                    started_to=begins + timedelta(days=count),
                )
            case _:
                try_again(metered.provider, at=END_AT)

    def check(self, metered: Metered) -> None:
        """Totals are the sums of their legs, and cost what legs and usage charges come to."""
        zone = provider_zone(Scope.system(metered.provider.pk))
        volumes: dict[tuple[int | None, date], int] = {}
        sums: dict[tuple[int | None, date], Decimal] = {}
        for leg in Leg.objects.filter(provider=metered.provider):
            day = leg.started_at.astimezone(zone).date()
            of_month = leg.subscription_id, day.replace(day=1)
            volumes[of_month] = volumes.get(of_month, 0) + leg.billed_volume
            sums[of_month] = sums.get(of_month, Decimal(0)) + leg.amount
        for total in self.totals(metered):
            key: tuple[int | None, date] = total.subscription_id, total.month
            assert total.volume == volumes.pop(key, 0)
            tiers = total.subscription.item.metered_tiers
            assert tiers is not None
            assert sums.get(key, Decimal(0)) == price_of_total(tiers, total.volume, 1000)
        assert not volumes
        charges = UsageCharge.objects.filter(provider=metered.provider)
        charged = charges.aggregate(sum=Sum("amount"))["sum"] or Decimal(0)
        assert charged == sum(sums.values(), Decimal(0))

    def check_order(self, metered: Metered) -> None:
        """Each leg begins where the one that started before it ended."""
        zone = provider_zone(Scope.system(metered.provider.pk))
        reached: dict[tuple[int | None, date], int] = {}
        legs = Leg.objects.filter(provider=metered.provider)
        for leg in legs.order_by("started_at", "xdr_id"):
            day = leg.started_at.astimezone(zone).date()
            key = leg.subscription_id, day.replace(day=1)
            assert leg.total_before == reached.get(key, 0)
            reached[key] = reached.get(key, 0) + leg.billed_volume

    def totals(self, metered: Metered) -> Iterator[TierTotal]:
        rows = TierTotal.objects.filter(provider=metered.provider)
        return rows.select_related("subscription__item", "subscription__product").iterator()
