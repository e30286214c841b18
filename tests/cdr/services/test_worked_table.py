"""Every row of the worked table of "Who pays: legs", and both scenarios the product began with."""

from decimal import Decimal

import pytest

from cdr.models import LegKind, PartyKind, UsageCharge
from tests.cdr.worlds import World, make_world, margin_of
from tests.factories import (
    make_billing_mode,
    make_customer,
    make_identifier,
    make_rate_table,
    make_reseller,
    make_source,
    make_vendor,
)
from tests.factories.cdr import Call, Owed, import_lines, legs_of

RESELLER = PartyKind.RESELLER


@pytest.fixture
def world(db: None) -> World:
    return make_world()


def calls_to_vendor(world: World) -> list[Owed]:
    """The legs of one call of Carla's, 120 seconds, to the world outside."""
    return legs_of(import_lines(world.source, [Call(account="carla", seconds=120)]))


def call_inside_sub(world: World) -> list[Owed]:
    """The legs of one call of Carla's to another customer of Sub's."""
    other = make_customer(world.provider, world.sub)
    make_identifier(other, "4930555000", kind="NUMBER")
    return legs_of(import_lines(world.source, [Call(account="carla", to="4930555000")]))


class TestScenarioOne:
    """A customer of Sub's terminates with the vendor of Root."""

    def test_with_the_mode_off_leaks(self, world: World) -> None:
        legs = calls_to_vendor(world)

        assert legs == [
            Owed(
                LegKind.CUSTOMER,
                (PartyKind.CUSTOMER, world.carla.pk),
                (RESELLER, world.sub.pk),
                Decimal("0.10"),
            ),
            Owed(
                LegKind.VENDOR,
                (RESELLER, world.root.pk),
                (PartyKind.VENDOR, world.vendor.pk),
                Decimal("0.04"),
            ),
        ]
        assert margin_of(legs, RESELLER, world.root.pk) == Decimal("-0.04")
        assert margin_of(legs, RESELLER, world.sub.pk) == Decimal("0.10")

    def test_with_the_mode_on_pays_root(self, world: World) -> None:
        make_billing_mode(world.sub, world.sub_table)

        legs = calls_to_vendor(world)

        assert legs == [
            Owed(
                LegKind.CUSTOMER,
                (PartyKind.CUSTOMER, world.carla.pk),
                (RESELLER, world.sub.pk),
                Decimal("0.10"),
            ),
            Owed(
                LegKind.RESELLER,
                (RESELLER, world.sub.pk),
                (RESELLER, world.root.pk),
                Decimal("0.06"),
            ),
            Owed(
                LegKind.VENDOR,
                (RESELLER, world.root.pk),
                (PartyKind.VENDOR, world.vendor.pk),
                Decimal("0.04"),
            ),
        ]
        assert margin_of(legs, RESELLER, world.root.pk) == Decimal("0.02")
        assert margin_of(legs, RESELLER, world.sub.pk) == Decimal("0.04")


class TestScenarioTwo:
    """Both ends are customers of Sub's: no vendor of the parent was used."""

    def test_is_free_of_reseller_legs_by_default(self, world: World) -> None:
        make_billing_mode(world.sub, world.sub_table)

        legs = call_inside_sub(world)

        assert [leg.kind for leg in legs] == [LegKind.CUSTOMER]
        assert margin_of(legs, RESELLER, world.root.pk) == 0
        assert margin_of(legs, RESELLER, world.sub.pk) == Decimal("0.10")

    def test_is_billed_as_known_systems_do_on_wish(self, world: World) -> None:
        make_billing_mode(world.sub, world.sub_table, policy="EVERY_CALL")

        legs = call_inside_sub(world)

        assert [leg.kind for leg in legs] == [LegKind.CUSTOMER, LegKind.RESELLER]
        assert legs[1].payer == (RESELLER, world.sub.pk)
        assert legs[1].payee == (RESELLER, world.root.pk)
        assert margin_of(legs, RESELLER, world.root.pk) == Decimal("0.06")
        assert margin_of(legs, RESELLER, world.sub.pk) == Decimal("0.04")

    def test_is_billed_at_a_second_table_on_wish(self, world: World) -> None:
        internal = make_rate_table(world.product, {"": "0.01"})
        make_billing_mode(
            world.sub,
            world.sub_table,
            policy="INTERNAL_TABLE",
            internal_rate_table=internal,
        )

        legs = call_inside_sub(world)

        assert margin_of(legs, RESELLER, world.root.pk) == Decimal("0.02")
        assert margin_of(legs, RESELLER, world.sub.pk) == Decimal("0.08")


class TestTwoLevelsBelowTheVendor:
    """Root → A → B, a customer of B."""

    def test_pay_up_to_the_owner_of_the_vendor(self, world: World) -> None:
        below = make_reseller(world.provider, parent=world.sub)
        make_identifier(make_customer(world.provider, below), "ben")
        make_billing_mode(world.sub, world.sub_table)
        make_billing_mode(below, make_rate_table(world.product, {"": "0.04"}))

        legs = legs_of(import_lines(world.source, [Call(account="ben")]))

        assert [(leg.kind, leg.payer, leg.payee, leg.amount) for leg in legs[1:]] == [
            (2, (RESELLER, below.pk), (RESELLER, world.sub.pk), Decimal("0.08")),
            (2, (RESELLER, world.sub.pk), (RESELLER, world.root.pk), Decimal("0.06")),
            (3, (RESELLER, world.root.pk), (PartyKind.VENDOR, world.vendor.pk), Decimal("0.04")),
        ]

    def test_owe_root_nothing_with_a_vendor_of_the_middle(self, world: World) -> None:
        below = make_reseller(world.provider, parent=world.sub)
        make_identifier(make_customer(world.provider, below), "ben")
        make_billing_mode(world.sub, world.sub_table)
        make_billing_mode(below, make_rate_table(world.product, {"": "0.04"}))
        own = make_vendor(make_rate_table(world.product, {"": "0.01"}), owner=world.sub)
        source = make_source(world.product, default_vendor=own)

        legs = legs_of(import_lines(source, [Call(account="ben")]))

        assert [(leg.kind, leg.payer, leg.payee, leg.amount) for leg in legs[1:]] == [
            (2, (RESELLER, below.pk), (RESELLER, world.sub.pk), Decimal("0.08")),
            (3, (RESELLER, world.sub.pk), (PartyKind.VENDOR, own.pk), Decimal("0.02")),
        ]


class TestUsageCharges:
    def test_hold_what_the_legs_hold(self, world: World) -> None:
        make_billing_mode(world.sub, world.sub_table)

        import_lines(world.source, [Call(account="carla"), Call(account="carla", seconds=30)])

        charges = UsageCharge.objects.order_by("kind")
        assert [
            (c.kind, c.payer_id, c.payee_id, c.call_count, c.volume, c.billed_volume, c.amount)
            for c in charges
        ] == [
            (1, world.carla.pk, world.sub.pk, 2, 150, 150, Decimal("0.125")),
            (2, world.sub.pk, world.root.pk, 2, 150, 150, Decimal("0.075")),
            (3, world.root.pk, world.vendor.pk, 2, 150, 150, Decimal("0.05")),
        ]
        assert {c.customer_reseller_id for c in charges} == {world.sub.pk}
        assert {(c.destination, c.currency, str(c.day)) for c in charges} == {
            ("Destination ", "EUR", "2026-10-05")
        }
