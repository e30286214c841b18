"""Retrying suspense once the cause is mended."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from audit.models import Entry
from cdr.models import Leg, LegKind, PartyKind, Suspense, UsageCharge, Xdr
from tests.cdr.worlds import World, make_world, margin_of
from tests.factories import (
    make_billing_mode,
    make_customer,
    make_identifier,
    make_rate,
    make_rate_table,
    make_reseller,
    make_source,
    make_vendor,
)
from tests.factories.cdr import CALL_AT, IMPORT_AT, Call, import_lines, legs_of
from tests.factories.mending import Result, try_again

LATER = IMPORT_AT + timedelta(hours=1)


@pytest.fixture
def world(db: None) -> World:
    return make_world()


def retry(world: World, **choice: Any) -> Result:
    return try_again(world.provider, at=LATER, **choice)


def snapshot() -> list[object]:
    """All that a retry could change."""
    tables = (Xdr, Leg, UsageCharge, Suspense)
    return [
        sorted(
            model.objects.values_list(
                *(field.attname for field in model._meta.concrete_fields if field.name != "mending")
            ),
            key=str,
        )
        for model in tables
    ]


class TestRetryOfAWholeXdr:
    def test_charges_the_customer_found_since(self, world: World) -> None:
        file = import_lines(world.source, [Call(account="new"), Call(account="carla")])
        newcomer = make_customer(world.provider, world.sub)
        make_identifier(newcomer, "new")

        assert retry(world) == Result(1, 0)

        xdr = Xdr.objects.get(account_code="new")
        assert (xdr.customer, xdr.vendor, xdr.result) == (
            newcomer,
            world.vendor,
            Xdr.Result.RATED,
        )
        legs = [leg for leg in legs_of(file) if leg.payer == (PartyKind.CUSTOMER, newcomer.pk)]
        assert [(leg.kind, leg.amount) for leg in legs] == [(LegKind.CUSTOMER, Decimal("0.10"))]
        assert sorted(Leg.objects.filter(xdr_id=xdr.id).values_list("number", flat=True)) == [1, 2]
        charge = UsageCharge.objects.get(payer_id=newcomer.pk, kind=LegKind.CUSTOMER)
        assert (charge.amount, charge.call_count, charge.created_at) == (Decimal("0.10"), 1, LATER)
        row = Suspense.objects.get()
        assert (row.state, row.resolved_at) == (Suspense.State.RESOLVED, LATER)
        after = Entry.objects.get(action="suspense.mended").after
        assert after == {"freed": "1", "waiting": "0", "left": "0"}

    def test_changes_nothing_the_second_time(self, world: World) -> None:
        import_lines(world.source, [Call(account="new"), Call(account="nobody")])
        make_identifier(make_customer(world.provider, world.sub), "new")
        assert retry(world) == Result(1, 1)
        before = snapshot()

        assert retry(world) == Result(0, 1)

        assert snapshot() == before

    def test_says_anew_why_it_still_waits(self, world: World) -> None:
        source = make_source(world.product)
        import_lines(source, [Call(account="new")])
        make_identifier(make_customer(world.provider, world.sub), "new")

        assert retry(world) == Result(0, 1)

        row = Suspense.objects.get()
        assert (row.state, row.reason) == (Suspense.State.OPEN, "unknown_vendor")
        assert "names a vendor" in row.detail

    def test_leaves_only_the_leg_that_has_no_rate(self, world: World) -> None:
        import_lines(world.source, [Call(account="new")])
        make_identifier(make_customer(world.provider, world.sub), "new")
        make_billing_mode(world.sub, make_rate_table(world.product))

        assert retry(world) == Result(1, 0)

        assert {leg.kind for leg in Leg.objects.all()} == {LegKind.CUSTOMER, LegKind.VENDOR}
        row = Suspense.objects.get(state=Suspense.State.OPEN)
        assert (row.reason, row.payer_id, row.created_at) == (
            "reseller_unrated",
            world.sub.pk,
            LATER,
        )

    def test_takes_a_foreign_vendor_once_it_is_allowed(self, world: World) -> None:
        foreign = make_vendor(
            make_rate_table(world.product, {"": "0.02"}), owner=make_reseller(world.provider)
        )
        source = make_source(world.product, default_vendor=foreign)
        import_lines(source, [Call(account="carla")])
        source.allows_foreign_vendors = True
        source.save()

        assert retry(world) == Result(1, 0)

        assert {leg.kind for leg in Leg.objects.all()} == {LegKind.CUSTOMER, LegKind.VENDOR}


class TestRetryOfALeg:
    def test_rates_it_when_the_rate_arrives(self, world: World) -> None:
        table = make_rate_table(world.product)
        make_billing_mode(world.sub, table)
        file = import_lines(world.source, [Call(account="carla")])
        make_rate(table, "49", rate=Decimal("0.03"))

        assert retry(world) == Result(1, 0)

        legs = legs_of(file)
        assert [leg.kind for leg in legs] == [LegKind.CUSTOMER, LegKind.VENDOR, LegKind.RESELLER]
        assert margin_of(legs, *world.root_party) == Decimal("0.02")
        assert margin_of(legs, *world.sub_party) == Decimal("0.04")
        assert UsageCharge.objects.filter(kind=LegKind.RESELLER).get().amount == Decimal("0.06")
        assert UsageCharge.objects.count() == 3

    def test_keeps_the_customer_the_xdr_has(self, world: World) -> None:
        default = world.default_table()
        default.rates.all().delete()
        import_lines(world.source, [Call(account="carla")])
        other = make_customer(world.provider, world.sub)
        world.carla.identifiers.update(customer=other)
        make_rate(default, "49")

        assert retry(world) == Result(1, 0)

        assert Leg.objects.get(kind=LegKind.CUSTOMER).payer_id == world.carla.pk

    def test_gives_up_a_reseller_leg_that_is_not_due_any_more(self, world: World) -> None:
        mode = make_billing_mode(world.sub, make_rate_table(world.product))
        import_lines(world.source, [Call(account="carla")])
        mode.delete()

        assert retry(world) == Result(1, 0)

        assert not Leg.objects.filter(kind=LegKind.RESELLER).exists()

    def test_makes_a_suspended_xdr_rated(self, world: World) -> None:
        for table in (world.default_table(), world.vendor.rate_table):
            table.rates.all().delete()
        import_lines(world.source, [Call(account="carla")])
        assert Xdr.objects.get().result == Xdr.Result.SUSPENDED
        make_rate(world.vendor.rate_table, "49")

        assert retry(world) == Result(1, 1)

        assert Xdr.objects.get().result == Xdr.Result.RATED
        assert Leg.objects.get().kind == LegKind.VENDOR


class TestRetryOfALine:
    def test_takes_it_when_its_time_has_come(self, world: World) -> None:
        early = Call(account="carla", started_at=IMPORT_AT + timedelta(hours=24, minutes=30))
        file = import_lines(world.source, ["junk", early, Call(account="carla")])

        assert retry(world) == Result(1, 1)

        xdr = Xdr.objects.get(started_at=early.started_at)
        assert (xdr.line_number, xdr.id) == (2, (xdr.chunk_id << 18) + 1)
        assert Leg.objects.filter(xdr_id=xdr.id).count() == 2
        assert Suspense.objects.get(state=Suspense.State.OPEN).reason == "unparsable"
        assert file.chunks.get().suspended_count == 2

    def test_takes_it_when_the_source_reaches_back_further(self, world: World) -> None:
        late = Call(account="carla", started_at=CALL_AT - timedelta(days=401))
        import_lines(world.source, [late])
        assert retry(world) == Result(0, 1)
        world.source.oldest_days = 500
        world.source.save()

        # It is an xDR now, of a time when no catalogue had a price yet.
        assert retry(world) == Result(0, 1)

        assert Xdr.objects.get().started_at == late.started_at
        waiting = Suspense.objects.filter(state=Suspense.State.OPEN)
        assert set(waiting.values_list("reason", flat=True)) == {
            "unrated_customer",
            "unrated_vendor",
        }


class TestRetryOfSome:
    def test_leaves_other_reasons_and_ids_alone(self, world: World) -> None:
        import_lines(world.source, [Call(account="new"), Call(account="also-new")])
        customer = make_customer(world.provider, world.sub)
        make_identifier(customer, "new")
        make_identifier(customer, "also-new")
        first = Suspense.objects.order_by("line_number")[0]

        assert retry(world, reason="blocked") == Result(0, 0)
        assert retry(world, suspense_ids=(first.pk,)) == Result(1, 0)

        assert Suspense.objects.get(state=Suspense.State.OPEN).line_number == 2

    def test_never_touches_another_provider(self, world: World) -> None:
        import_lines(world.source, [Call(account="new")])
        make_identifier(make_customer(world.provider, world.sub), "new")
        before = snapshot()

        assert retry(make_world()) == Result(0, 0)

        assert snapshot() == before
