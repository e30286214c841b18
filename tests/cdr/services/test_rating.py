"""Who pays for a call, at which table, and what waits where somebody or a rate is missing."""

from datetime import timedelta
from decimal import Decimal

import pytest

from cdr.models import (
    Leg,
    LegKind,
    PartyKind,
    Source,
    Suspense,
    UsageCharge,
    Xdr,
)
from cdr.selectors.explaining import explain_leg
from common.scope import Scope
from tests.cdr.worlds import World, counts_of, make_world, suspense_of
from tests.factories import (
    make_billing_mode,
    make_catalogue,
    make_customer,
    make_identifier,
    make_product,
    make_provider,
    make_rate,
    make_rate_table,
    make_reseller,
    make_source,
    make_trunk,
    make_vendor,
)
from tests.factories.cdr import CALL_AT, Call, import_lines, legs_of


@pytest.fixture
def world(db: None) -> World:
    return make_world()


def make_direct_source(world: World) -> Source:
    """A source whose calls go to a vendor of the provider's own."""
    vendor = make_vendor(make_rate_table(world.product, {"": "0.02"}))
    return make_source(world.product, default_vendor=vendor)


class TestCustomer:
    def test_is_named_by_the_account_code_before_the_caller(self, world: World) -> None:
        other = make_customer(world.provider, world.sub)
        make_identifier(other, "4915112345678", kind="NUMBER")

        import_lines(world.source, [Call(account="carla"), Call(account="")])

        customers = [xdr.customer for xdr in Xdr.objects.order_by("id")]
        assert customers == [world.carla, other]

    def test_of_another_provider_is_not_found(self, world: World) -> None:
        stranger = make_customer(make_provider())
        make_identifier(stranger, "stranger")

        file = import_lines(world.source, [Call(account="stranger")])

        assert counts_of(file) == {"suspended": 1}
        assert suspense_of(file)[0][1] == "unknown_customer"
        assert not Leg.objects.exists()

    def test_that_nobody_knows_is_told_by_what_was_there(self, world: World) -> None:
        file = import_lines(
            world.source, [Call(account="stranger", caller="4930999"), Call(account="", caller="")]
        )

        assert [detail for *_, detail in suspense_of(file)] == [
            'no customer goes by account code "stranger" or caller number "4930999"',
            "there is no account code, trunk, address or caller number",
        ]

    def test_pays_its_own_rate_table_before_the_catalogue(self, world: World) -> None:
        world.carla.rate_table = make_rate_table(world.product, {"": "1"})
        world.carla.save()

        file = import_lines(world.source, [Call(account="carla")])

        assert legs_of(file)[0].amount == Decimal(2)

    def test_pays_its_custom_catalogue_in_its_currency(self, world: World) -> None:
        euro, dollar = (
            make_rate_table(world.product, {"": price}, currency=currency)
            for currency, price in (("EUR", "3"), ("USD", "4"))
        )
        version = make_catalogue(
            world.provider,
            [
                {"product": world.product, "rate_table": euro, "currency": "EUR"},
                {"product": world.product, "rate_table": dollar, "currency": "USD"},
            ],
        )
        dora = make_customer(world.provider, currency="USD", custom_catalogue=version.catalogue)
        make_identifier(dora, "dora")

        import_lines(make_direct_source(world), [Call(account="dora")])

        leg = Leg.objects.get(kind=LegKind.CUSTOMER)
        assert (leg.amount, leg.currency) == (Decimal(8), "USD")
        assert (leg.payee_kind, leg.payee_id) == (PartyKind.PROVIDER, 0)

    def test_pays_the_version_in_effect_when_each_call_starts(self, world: World) -> None:
        new_prices = make_rate_table(world.product, {"": "0.5"})
        later = CALL_AT + timedelta(minutes=10)
        world.default_catalogue().versions.create(
            provider=world.provider, number=2, published_at=CALL_AT, effective_at=later
        ).items.create(
            provider=world.provider, product=world.product, currency="EUR", rate_table=new_prices
        )

        file = import_lines(
            world.source,
            [
                Call(account="carla", started_at=later - timedelta(seconds=1)),
                Call(account="carla", started_at=later),
            ],
        )

        charged = [leg.amount for leg in legs_of(file) if leg.kind == LegKind.CUSTOMER]
        assert charged == [Decimal("0.10"), Decimal(1)]


class TestTermination:
    def test_on_net_needs_no_vendor(self, world: World) -> None:
        other = make_customer(world.provider)
        make_identifier(other, "4930555000", kind="NUMBER")

        import_lines(world.source, [Call(account="carla", to="030 555000")])

        xdr = Xdr.objects.get()
        assert (xdr.vendor, xdr.terminating_customer) == (None, other)
        assert not Leg.objects.filter(kind=LegKind.VENDOR).exists()

    def test_through_a_trunk_is_not_on_net(self, world: World) -> None:
        make_trunk(world.source, world.vendor, "77")
        make_identifier(world.carla, "4930555000", kind="NUMBER")

        import_lines(world.source, [Call(account="carla", to="77004930555000")])

        xdr = Xdr.objects.get()
        assert (xdr.vendor, xdr.terminating_customer) == (world.vendor, None)

    def test_with_nobody_known_waits(self, world: World) -> None:
        source = make_source(world.product)

        file = import_lines(source, [Call(account="carla", to="+44 20 7946 0000")])

        assert counts_of(file) == {"suspended": 1}
        row = Suspense.objects.get()
        assert (row.reason, row.leg_kind) == ("unknown_vendor", None)
        assert row.detail.startswith('no tech prefix of "+44 20 7946 0000" names a vendor')
        assert (row.estimated_amount, row.currency) == (Decimal("0.10"), "EUR")
        assert (row.customer, row.volume, row.xdr_id) == (
            world.carla,
            120,
            row.chunk_id << 18,
        )
        assert not Leg.objects.exists()
        assert Xdr.objects.get().result == Xdr.Result.SUSPENDED

    def test_with_a_foreign_vendor_waits(self, world: World) -> None:
        stranger = make_reseller(world.provider)
        foreign = make_vendor(make_rate_table(world.product, {"": "0.02"}), owner=stranger)
        source = make_source(world.product, default_vendor=foreign)

        file = import_lines(source, [Call(account="carla")])

        assert counts_of(file) == {"suspended": 1}
        assert suspense_of(file)[0][1] == "foreign_vendor"
        assert not Leg.objects.exists()

    def test_with_a_foreign_vendor_that_is_allowed_pays_up_to_the_common_ancestor(
        self, world: World
    ) -> None:
        make_billing_mode(world.sub, world.sub_table)
        make_billing_mode(world.root, make_rate_table(world.product, {"": "0.025"}))
        sister = make_reseller(world.provider, parent=world.root)
        foreign = make_vendor(make_rate_table(world.product, {"": "0.02"}), owner=sister)
        source = make_source(world.product, default_vendor=foreign, allows_foreign_vendors=True)

        file = import_lines(source, [Call(account="carla")])

        assert [(leg.kind, leg.payer[1], leg.payee[1]) for leg in legs_of(file)[1:]] == [
            (LegKind.RESELLER, world.sub.pk, world.root.pk),
            (LegKind.VENDOR, sister.pk, foreign.pk),
        ]


class TestLeg:
    def test_on_net_is_priced_at_the_rate_tagged_so(self, world: World) -> None:
        make_rate(world.default_table(), "", tag="on-net", rate=Decimal("0.01"))
        make_identifier(make_customer(world.provider, world.sub), "4930555000", kind="NUMBER")

        file = import_lines(
            world.source,
            [Call(account="carla", to="4930555000"), Call(account="carla", to="4930555001")],
        )

        amounts = [leg.amount for leg in legs_of(file) if leg.kind == LegKind.CUSTOMER]
        assert amounts == [Decimal("0.02"), Decimal("0.10")]

    def test_is_priced_by_where_the_caller_is(self, world: World) -> None:
        make_rate(world.default_table(), "", origin_prefix="33", rate=Decimal("0.5"))

        file = import_lines(
            world.source,
            [Call(account="carla", caller=caller) for caller in ("+33 1 2345678", "anonymous")],
        )

        amounts = [leg.amount for leg in legs_of(file) if leg.kind == LegKind.CUSTOMER]
        assert amounts == [Decimal(1), Decimal("0.10")]

    def test_keeps_apart_what_an_additive_rate_adds(self, world: World) -> None:
        make_rate(world.default_table(), "49", policy="additive", rate=Decimal("0.01"))

        import_lines(world.source, [Call(account="carla")])

        leg = Leg.objects.get(kind=LegKind.CUSTOMER)
        charge = UsageCharge.objects.get(kind=LegKind.CUSTOMER)
        assert (leg.amount, leg.additive_amount) == (Decimal("0.12"), Decimal("0.02"))
        assert charge.amount == Decimal("0.12")
        assert (
            explain_leg(Scope.system(world.provider.pk), Xdr.objects.get(), leg).cost == leg.amount
        )

    def test_of_a_child_table_is_priced_at_the_parents_longer_prefix(self, world: World) -> None:
        table = world.default_table()
        table.parent = make_rate_table(world.product, {"4930": "0.08", "": "0.9"})
        table.save()

        import_lines(world.source, [Call(account="carla")])

        leg = Leg.objects.get(kind=LegKind.CUSTOMER)
        assert leg.rate is not None
        assert (leg.amount, leg.rate.rate_table) == (Decimal("0.16"), table.parent)
        assert leg.rate_table == table


class TestLegWithoutRate:
    def test_of_a_reseller_waits_while_the_others_stand(self, world: World) -> None:
        make_billing_mode(world.sub, make_rate_table(world.product, {"1": "0.03"}, name="US only"))

        file = import_lines(world.source, [Call(account="carla")])

        assert [leg.kind for leg in legs_of(file)] == [LegKind.CUSTOMER, LegKind.VENDOR]
        assert counts_of(file) == {"rated": 1, "partly_suspended": 1}
        row = Suspense.objects.get()
        assert (row.reason, row.detail) == (
            "reseller_unrated",
            'no rate for 493012345678 in "US only"',
        )
        assert (row.leg_kind, row.payer_kind, row.payer_id) == (
            LegKind.RESELLER,
            PartyKind.RESELLER,
            world.sub.pk,
        )
        assert (row.estimated_amount, row.currency) == (Decimal("0.10"), "EUR")

    @pytest.mark.parametrize(
        ("reason", "leg_kind"),
        [("unrated_customer", LegKind.CUSTOMER), ("unrated_vendor", LegKind.VENDOR)],
    )
    def test_of_customer_or_vendor_waits_too(
        self, world: World, reason: str, leg_kind: LegKind
    ) -> None:
        empty = make_rate_table(world.product)
        if leg_kind == LegKind.CUSTOMER:
            world.carla.rate_table = empty
            world.carla.save()
        else:
            world.vendor.rate_table = empty
            world.vendor.save()

        file = import_lines(world.source, [Call(account="carla")])

        assert [row[1:3] for row in suspense_of(file)] == [(reason, leg_kind)]
        assert {leg.kind for leg in legs_of(file)} == {1, 3} - {leg_kind}

    def test_of_a_customer_whose_catalogue_has_no_table_says_so(self, world: World) -> None:
        dora = make_customer(world.provider, currency="USD")
        make_identifier(dora, "dora")

        file = import_lines(make_direct_source(world), [Call(account="dora")])

        assert suspense_of(file) == [
            (
                1,
                "unrated_customer",
                LegKind.CUSTOMER,
                "the customer's catalogue gives no rate table for the product",
            )
        ]

    def test_of_a_table_the_engine_does_not_rate_names_the_column(self, world: World) -> None:
        make_rate(world.vendor.rate_table, "49", steps="by and by")

        file = import_lines(world.source, [Call(account="carla")])

        ((_, reason, _, detail),) = suspense_of(file)
        assert reason == "unrated_vendor"
        assert "steps 'by and by': write them as 0:0.60/60;60:0.30/1" in detail

    def test_for_what_is_no_number_says_so(self, world: World) -> None:
        file = import_lines(world.source, [Call(account="carla", to="voicemail")])

        assert counts_of(file) == {"suspended": 1}
        assert suspense_of(file) == [
            (1, "unrated_customer", 1, '"voicemail" is not a number that can be rated'),
            (1, "unrated_vendor", 3, '"voicemail" is not a number that can be rated'),
        ]

    def test_too_dear_to_be_true_is_an_overflow(self, world: World) -> None:
        make_rate(world.vendor.rate_table, "4930", rate=Decimal("9999999999"))
        seconds = 3600

        file = import_lines(world.source, [Call(account="carla", seconds=seconds)])

        assert [row[1:3] for row in suspense_of(file)] == [("overflow", LegKind.VENDOR)]


class TestBlockedRate:
    def test_of_the_customer_holds_the_whole_xdr(self, world: World) -> None:
        default = world.default_table()
        make_rate(default, "4930", status="blocked")

        file = import_lines(world.source, [Call(account="carla")])

        assert counts_of(file) == {"suspended": 1}
        assert suspense_of(file) == [
            (1, "blocked", None, "the customer's rate for 493012345678 blocks this traffic")
        ]
        assert not Leg.objects.exists()


class TestBillingMode:
    def test_holds_from_its_start_to_its_end_to_the_second(self, world: World) -> None:
        on, off = CALL_AT, CALL_AT + timedelta(minutes=5)
        make_billing_mode(world.sub, world.sub_table, valid_from=on, valid_to=off)
        second = timedelta(seconds=1)
        starts = [on - second, on, off - second, off]

        file = import_lines(
            world.source, [Call(account="carla", started_at=start) for start in starts]
        )

        per_call = [
            Leg.objects.filter(started_at=start, kind=LegKind.RESELLER).count() for start in starts
        ]
        assert per_call == [0, 1, 1, 0]
        assert counts_of(file) == {"rated": 4}

    def test_changes_table_where_one_assignment_follows_another(self, world: World) -> None:
        change = CALL_AT + timedelta(minutes=5)
        make_billing_mode(world.sub, world.sub_table, valid_to=change)
        dearer = make_rate_table(world.product, {"": "0.04"})
        make_billing_mode(world.sub, dearer, valid_from=change)

        file = import_lines(
            world.source, [Call(account="carla"), Call(account="carla", started_at=change)]
        )

        owed = [leg.amount for leg in legs_of(file) if leg.kind == LegKind.RESELLER]
        assert owed == [Decimal("0.06"), Decimal("0.08")]

    def test_of_another_product_does_not_count(self, world: World) -> None:
        make_billing_mode(world.sub, world.sub_table, product=make_product(world.provider))

        file = import_lines(world.source, [Call(account="carla")])

        assert LegKind.RESELLER not in {leg.kind for leg in legs_of(file)}
