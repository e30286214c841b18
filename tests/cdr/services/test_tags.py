"""Which tags an xDR carries, and the rates it gets by them."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import polars as pl
import pytest

from cdr.models import Leg, LegKind, Suspense, Xdr
from cdr.selectors.explaining import explain_leg
from cdr.services.chunks import record_lines
from cdr.services.mediation import mediate_lines
from cdr.services.recording import Origin
from cdr.services.sources import source_terms
from common.scope import Scope
from tests.cdr.worlds import World, make_world
from tests.factories import make_customer, make_identifier, make_rate, make_trunk, make_vendor
from tests.factories.cdr import IMPORT_AT, Call, file_of, import_lines, receive
from tests.factories.mending import try_again


@pytest.fixture
def world(db: None) -> World:
    return make_world()


def tag_retail(world: World, prices: Mapping[str, str]) -> None:
    """Rates of the customers' table for xDRs with a tag."""
    for tag, price in prices.items():
        make_rate(world.default_table(), "", rate=price, tag=tag)


def charged() -> list[Decimal]:
    legs = Leg.objects.filter(kind=LegKind.CUSTOMER).order_by("xdr_id")
    return [leg.amount for leg in legs]


class TestTags:
    def test_of_the_source_are_carried_by_all_its_xdrs(self, world: World) -> None:
        world.source.tags = "wholesale"
        world.source.save()
        tag_retail(world, {"wholesale": "0.01"})

        import_lines(world.source, [Call(account="carla")])

        assert charged() == [Decimal("0.02")]
        assert Xdr.objects.get().tags == "wholesale"

    def test_of_a_trunk_are_carried_by_what_took_it(self, world: World) -> None:
        trunk = make_trunk(world.source, world.vendor, "77#")
        trunk.tags = "premium"
        trunk.save()
        tag_retail(world, {"premium": "0.5"})

        import_lines(
            world.source,
            [Call(account="carla", to="77#493012345678"), Call(account="carla")],
        )

        assert charged() == [Decimal(1), Decimal("0.10")]
        assert [xdr.tags for xdr in Xdr.objects.order_by("id")] == ["premium", ""]

    def test_of_an_identifier_are_carried_by_what_it_names_the_customer_of(
        self, world: World
    ) -> None:
        for kind, value in (("ACCOUNT_CODE", "carla-fax"), ("NUMBER", "4915112345678")):
            row = make_identifier(world.carla, value, kind)
            row.tags = "fax" if kind == "ACCOUNT_CODE" else "mobile"
            row.save()
        tag_retail(world, {"fax": "0.2", "mobile": "0.3"})

        import_lines(
            world.source,
            [Call(account="carla"), Call(account="carla-fax"), Call(account="")],
        )

        assert charged() == [Decimal("0.10"), Decimal("0.40"), Decimal("0.60")]
        assert [xdr.tags for xdr in Xdr.objects.order_by("id")] == ["", "fax", "mobile"]

    def test_received_with_a_line_join_those_of_the_source(self, world: World) -> None:
        world.source.tags = "wholesale"
        world.source.save()
        tag_retail(world, {"vip": "0.2"})
        source = source_terms(world.source.pk)
        chunk = receive(world.source, [Call()]).chunks.create(
            provider=world.provider,
            number=1,
            first_line=1,
            first_byte=0,
            byte_count=0,
            line_count=1,
            queued_at=IMPORT_AT,
            source=world.source,
        )
        lines = mediate_lines(
            file_of([Call(account="carla")]), first_line=1, source=source, at=IMPORT_AT
        )
        tagged = replace(
            lines, xdrs=lines.xdrs.with_columns(received_tags=pl.lit("vip; two words"))
        )

        record_lines(tagged, Origin(source, chunk.pk, IMPORT_AT), first_line=1)

        xdr = Xdr.objects.get()
        assert (xdr.received_tags, xdr.tags) == ("vip; two words", "two words,vip,wholesale")
        assert charged() == [Decimal("0.40")]

    def test_go_with_on_net(self, world: World) -> None:
        world.source.tags = "wholesale"
        world.source.save()
        make_identifier(world.carla, "493012345678", "NUMBER")
        tag_retail(world, {"on-net": "0.001"})

        import_lines(world.source, [Call(account="carla")])

        assert charged() == [Decimal("0.002")]
        assert Xdr.objects.get().tags == "wholesale"


class TestTagsOfRatedXdrs:
    def test_explain_the_charge_after_the_source_has_others(self, world: World) -> None:
        world.source.tags = "wholesale"
        world.source.save()
        tag_retail(world, {"wholesale": "0.01"})
        import_lines(world.source, [Call(account="carla")])
        world.source.tags = ""
        world.source.save()

        xdr, leg = Xdr.objects.get(), Leg.objects.get(kind=LegKind.CUSTOMER)
        explanation = explain_leg(Scope.system(world.provider.pk), xdr, leg)

        assert explanation.cost == leg.amount == Decimal("0.02")
        assert explanation.winner is not None
        assert explanation.winner.tag == "wholesale"

    def test_hold_for_a_leg_that_is_rated_later(self, world: World) -> None:
        world.source.tags = "wholesale"
        world.source.save()
        table = world.vendor.rate_table
        table.rates.all().delete()
        import_lines(world.source, [Call(account="carla")])
        world.source.tags = ""
        world.source.save()
        make_rate(table, "", rate="0.02")
        make_rate(table, "", rate="0.005", tag="wholesale")

        try_again(world.provider, at=IMPORT_AT)

        assert Leg.objects.get(kind=LegKind.VENDOR).amount == Decimal("0.01")

    def test_are_told_again_where_the_parties_are(self, world: World) -> None:
        tag_retail(world, {"fax": "0.2"})
        import_lines(world.source, [Call(account="new")])
        row = make_identifier(make_customer(world.provider, world.sub), "new")
        row.tags = "fax"
        row.save()

        try_again(world.provider, at=IMPORT_AT)

        assert Xdr.objects.get().tags == "fax"
        assert charged() == [Decimal("0.40")]
        assert Suspense.objects.get().state == Suspense.State.RESOLVED


def test_a_vendor_without_a_trunk_has_no_tags_of_one(world: World) -> None:
    world.source.default_vendor = make_vendor(world.vendor.rate_table)
    world.source.save()

    import_lines(world.source, [Call(account="carla", to="+49 30 12345678")])

    assert Xdr.objects.get().tags == ""
