"""A quote says what the import of the same call then charges."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from cdr.models import (
    AllowanceCounter,
    Leg,
    LegKind,
    PartyKind,
    Source,
    Suspense,
    UsageCharge,
    Xdr,
)
from cdr.services.quoting import CallToQuote, Quote, quote
from common.scope import Scope
from customers.models import Customer
from resellers.models import Vendor
from tests.cdr.worlds import World, make_world, suspense_of
from tests.factories import (
    make_billing_mode,
    make_customer,
    make_identifier,
    make_product,
    make_provider,
    make_rate,
    make_rate_table,
    make_source,
    make_trunk,
    make_vendor,
)
from tests.factories.allowances import give_minutes
from tests.factories.cdr import CALL_AT, Call, Owed, import_lines, legs_of

FAR = "493012345678"


@pytest.fixture
def world(db: None) -> World:
    return make_world()


def quoted(world: World, **fields: Any) -> Quote:
    call = CallToQuote(
        source_id=world.source.pk,
        destination_number=FAR,
        started_at=CALL_AT,
        volume=120,
        account_code="carla",
        caller_number="4915112345678",
    )
    return quote(Scope.system(world.provider.pk), replace(call, **fields))


def owed(found: Quote) -> list[Owed]:
    """The legs that would be charged, as the import's legs are told."""
    return [
        Owed(
            leg.kind,
            (PartyKind(leg.payer_key[0]), leg.payer_key[1]),
            (PartyKind(leg.payee_key[0]), leg.payee_key[1]),
            leg.amount,
        )
        for leg in found.legs
        if leg.is_due and leg.amount is not None
    ]


def with_billing_mode(world: World) -> None:
    make_billing_mode(world.sub, world.sub_table)
    make_billing_mode(world.root, make_rate_table(world.product, {"": "0.025"}))


def with_own_vendor(world: World) -> None:
    with_billing_mode(world)
    world.source.default_vendor = make_vendor(world.vendor.rate_table)
    world.source.save()


def with_called_customer(world: World) -> None:
    with_billing_mode(world)
    make_identifier(make_customer(world.provider, world.root), FAR, "NUMBER")


def with_tags_and_callers(world: World) -> None:
    world.source.tags = "wholesale"
    world.source.save()
    make_rate(world.default_table(), "49", rate="0.07", tag="wholesale", origin_prefix="4915")


def with_additive_rate(world: World) -> None:
    make_rate(world.default_table(), "49", rate="0.01", policy="additive", connection_fee="0.5")


def with_a_boundary_to_split_at(world: World) -> None:
    table = world.default_table()
    table.boundary = "split"
    table.save()
    make_rate(table, "", rate="0.5", effective_from=CALL_AT.replace(minute=1))


def without_a_vendor_rate(world: World) -> None:
    world.vendor.rate_table.rates.all().delete()


def without_a_reseller_rate(world: World) -> None:
    make_billing_mode(world.sub, make_rate_table(world.product))


def with_a_blocked_customer_rate(world: World) -> None:
    make_rate(world.default_table(), "49", status="blocked")


def without_a_vendor(world: World) -> None:
    Source.objects.filter(pk=world.source.pk).update(default_vendor=None)


class TestQuote:
    @pytest.mark.parametrize(
        "prepare",
        [
            with_billing_mode,
            with_own_vendor,
            with_called_customer,
            with_tags_and_callers,
            with_additive_rate,
            with_a_boundary_to_split_at,
            without_a_vendor_rate,
            without_a_reseller_rate,
            with_a_blocked_customer_rate,
            without_a_vendor,
        ],
    )
    @pytest.mark.parametrize("volume", [0, 120])
    def test_is_what_the_same_call_is_then_charged(
        self, world: World, prepare: Any, volume: int
    ) -> None:
        prepare(world)

        found = quoted(world, volume=volume)
        file = import_lines(world.source, [Call(account="carla", to=FAR, seconds=volume)])

        assert owed(found) == legs_of(file)
        troubles = [found.trouble, *(leg.trouble for leg in found.legs)]
        told = [(trouble.reason, trouble.detail) for trouble in troubles if trouble]
        assert told == [(reason, detail) for _, reason, _, detail in suspense_of(file)]
        assert found.tags == Xdr.objects.get().tags

    def test_explains_every_leg_to_its_amount(self, world: World) -> None:
        with_billing_mode(world)
        with_additive_rate(world)

        legs = quoted(world).legs

        assert [leg.kind for leg in legs] == [
            LegKind.CUSTOMER,
            LegKind.RESELLER,
            LegKind.VENDOR,
        ]
        for leg in legs:
            assert leg.explanation is not None
            assert leg.explanation.cost == leg.amount
            assert leg.explanation.lines

    def test_adds_up_to_what_each_party_earns(self, world: World) -> None:
        with_billing_mode(world)

        found = quoted(world)

        margins = {margin.party: margin.amount for margin in found.margins}
        assert margins == {world.sub: Decimal("0.04"), world.root: Decimal("0.02")}
        customer, *_, vendor = (leg.amount for leg in found.legs)
        assert customer is not None
        assert vendor is not None
        assert sum(margins.values()) == customer - vendor

    def test_writes_nothing(self, world: World) -> None:
        without_a_vendor_rate(world)

        quoted(world)

        for model in (Xdr, Leg, UsageCharge, Suspense):
            assert not model.objects.exists()

    def test_says_who_is_unknown(self, world: World) -> None:
        found = quoted(world, account_code="nobody", caller_number="")

        assert (found.customer, found.legs, found.margins) == (None, (), ())
        assert found.trouble is not None
        assert found.trouble.reason == "unknown_customer"

    def test_of_a_number_that_is_none_says_so(self, world: World) -> None:
        found = quoted(world, destination_number="reception")

        assert found.number == ""
        assert not any(leg.is_due for leg in found.legs)
        trouble = found.legs[0].trouble
        assert trouble is not None
        assert trouble.detail == '"reception" is not a number that can be rated'


class TestCaller:
    @pytest.mark.parametrize(
        ("kind", "value", "sent"),
        [
            ("ACCOUNT_CODE", "code", {"account_code": "code"}),
            ("TRUNK", "berlin-1", {"trunk": "berlin-1"}),
            ("IP", "192.0.2.7", {"caller_ip": "192.0.2.7"}),
            ("IP", "192.0.2.0/24", {"caller_ip": "::ffff:192.0.2.7"}),
            ("IP", "2001:db8::/32", {"caller_ip": "2001:DB8::7"}),
            ("NUMBER", "4915100000001", {"caller_number": "+49 151 00000001"}),
        ],
    )
    def test_is_known_by_whatever_the_switch_would_send(
        self, world: World, kind: str, value: str, sent: dict[str, str]
    ) -> None:
        other = make_customer(world.provider, world.sub)
        make_identifier(other, value, kind)

        found = quoted(world, **{"account_code": "", "caller_number": ""} | sent)

        assert found.customer == other


class TestChosenParties:
    def test_come_before_what_the_switch_would_send(self, world: World) -> None:
        other = make_customer(world.provider)
        vendor = make_vendor(make_rate_table(world.product, {"": "0.01"}))

        found = quoted(world, customer_id=other.pk, vendor_id=vendor.pk)

        assert (found.customer, found.vendor) == (other, vendor)
        assert [leg.amount for leg in found.legs] == [Decimal("0.10"), Decimal("0.02")]

    def test_make_it_no_on_net_call(self, world: World) -> None:
        with_called_customer(world)

        assert quoted(world).called_customer is not None
        found = quoted(world, vendor_id=world.vendor.pk)

        assert found.called_customer is None
        assert [leg.kind for leg in found.legs][-1] == LegKind.VENDOR

    def test_go_through_the_trunk_that_the_number_names(self, world: World) -> None:
        trunk = make_trunk(
            world.source, make_vendor(make_rate_table(world.product, {"": "0.001"})), "77#"
        )

        found = quoted(world, destination_number=f"77#{FAR}")

        assert (found.vendor, found.number) == (trunk.vendor, FAR)

    @pytest.mark.parametrize("name", ["source_id", "customer_id", "vendor_id"])
    def test_of_another_provider_are_not_found(self, world: World, name: str) -> None:
        product = make_product(make_provider())
        foreign: dict[str, Source | Customer | Vendor] = {
            "source_id": make_source(product),
            "customer_id": make_customer(product.provider),
            "vendor_id": make_vendor(make_rate_table(product)),
        }

        with pytest.raises(type(foreign[name]).DoesNotExist):
            quoted(world, **{name: foreign[name].pk})


class TestAllowances:
    def test_cover_what_is_left_of_them_and_are_not_used(self, world: World) -> None:
        give_minutes(world.carla, world.product, 200, name="Small")
        import_lines(world.source, [Call(account="carla")])
        counters = list(AllowanceCounter.objects.values())

        found = quoted(world)

        leg = found.legs[0]
        assert found.included == {"Small": 80}
        assert (leg.included_volume, leg.billed_volume) == (80, 40)
        assert leg.amount == Decimal("0.033333")
        assert leg.explanation is not None
        assert leg.explanation.cost == leg.amount
        assert [each.included_volume for each in found.legs[1:]] == [0]
        assert list(AllowanceCounter.objects.values()) == counters

    def test_that_nobody_has_used_yet_are_not_opened(self, world: World) -> None:
        give_minutes(world.carla, world.product, 100, rolls_over=True)

        assert quoted(world).legs[0].amount == Decimal(0)
        assert not AllowanceCounter.objects.exists()
