"""Rating chunks: what is counted, stored, suspended and refused a second time."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from django.db.models import Sum
from django.db.models.expressions import RawSQL

from cdr.models import (
    Leg,
    LegKind,
    PartyKind,
    Source,
    Suspense,
    UsageCharge,
    Xdr,
    XdrChunk,
    XdrFile,
)
from cdr.services.chunks import rate_chunk
from cdr.services.intake import receive_file
from cdr.services.splitting import split_file
from tests.cdr.worlds import World, make_world
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
from tests.factories.cdr import CALL_AT, IMPORT_AT, Call, file_of, import_lines, legs_of

COUNTS = ("rated", "zero", "duplicate", "suspended", "partly_suspended", "blank")


@pytest.fixture
def world(db: None) -> World:
    return make_world()


def counts_of(file: XdrFile) -> dict[str, int]:
    """The counts that are not zero."""
    sums = file.chunks.aggregate(**{name: Sum(f"{name}_count") for name in COUNTS})
    return {name: count for name, count in sums.items() if count}


def suspense_of(file: XdrFile) -> list[tuple[Any, ...]]:
    rows = Suspense.objects.filter(chunk__file=file).order_by("line_number", "leg_kind")
    return [(row.line_number, row.reason, row.leg_kind, row.detail) for row in rows]


def make_direct_source(world: World) -> Source:
    """A source whose calls go to a vendor of the provider's own."""
    vendor = make_vendor(make_rate_table(world.product, {"": "0.02"}))
    return make_source(world.product, default_vendor=vendor)


class TestXdr:
    def test_is_stored_as_received_and_as_understood(self, world: World) -> None:
        trunk_vendor = make_vendor(make_rate_table(world.product, {"": "0.01"}))
        make_trunk(world.source, trunk_vendor, "99#")
        call = Call(account="carla", to="99#0044 20 7946 0000", seconds=61, uuid="abc")

        file = import_lines(world.source, [call])

        xdr = Xdr.objects.get()
        assert xdr.chunk == file.chunks.get()
        assert xdr.id == xdr.chunk_id << 18
        assert (xdr.started_at, xdr.line_number, xdr.call_id) == (CALL_AT, 1, "abc")
        assert (xdr.account_code, xdr.caller_number) == ("carla", "4915112345678")
        assert xdr.destination_number == "99#0044 20 7946 0000"
        assert xdr.normalised_number == "442079460000"
        assert (xdr.duration_seconds, xdr.volume) == (66, 61)
        assert xdr.hangup_cause == "NORMAL_CLEARING"
        assert (xdr.customer, xdr.vendor) == (world.carla, trunk_vendor)
        assert xdr.terminating_customer is None
        assert xdr.result == Xdr.Result.RATED

    def test_goes_to_the_partition_of_its_utc_month(self, world: World) -> None:
        new_year_in_berlin = datetime(2026, 9, 30, 22, 30, tzinfo=UTC)

        import_lines(world.source, [Call(account="carla", started_at=new_year_in_berlin)])

        partitions = Xdr.objects.annotate(partition=RawSQL("tableoid::regclass::text", []))
        assert partitions.values_list("partition", flat=True).get() == "cdr_xdr_2026_09"
        assert str(UsageCharge.objects.first().day) == "2026-10-01"  # type: ignore[union-attr]

    def test_keeps_texts_that_csv_would_trip_over(self, world: World) -> None:
        raw = Call(account="carla").line.replace("default", "x").replace("Anna", "A, B")
        odd = raw.replace("NORMAL_CLEARING", "\\N").replace("carla", "\\.")

        import_lines(world.source, [odd])

        xdr = Xdr.objects.get()
        assert (xdr.hangup_cause, xdr.account_code) == ("\\N", "\\.")
        assert Suspense.objects.get().raw == odd


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
        make_rate(world.vendor.rate_table, "49", steps="0:0.6/60")

        file = import_lines(world.source, [Call(account="carla")])

        ((_, reason, _, detail),) = suspense_of(file)
        assert reason == "unrated_vendor"
        assert "steps '0:0.6/60' is not supported by the engine" in detail

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


class TestZeroVolume:
    def test_is_stored_unbilled(self, world: World) -> None:
        file = import_lines(
            world.source, [Call(account="carla", seconds=0), Call(account="nobody", seconds=0)]
        )

        assert counts_of(file) == {"zero": 2}
        assert {xdr.result for xdr in Xdr.objects.all()} == {Xdr.Result.ZERO}
        assert not Leg.objects.exists()
        assert not Suspense.objects.exists()
        assert not UsageCharge.objects.exists()

    def test_costs_the_attempt_fee_where_there_is_one(self, world: World) -> None:
        make_rate(world.default_table(), "4930", attempt_fee=Decimal("0.002"))

        file = import_lines(world.source, [Call(account="carla", seconds=0)])

        assert counts_of(file) == {"zero": 1}
        leg = Leg.objects.get()
        assert (leg.kind, leg.amount, leg.billed_volume) == (1, Decimal("0.002"), 0)
        charge = UsageCharge.objects.get()
        assert (charge.call_count, charge.volume, charge.amount) == (1, 0, Decimal("0.002"))


class TestDuplicate:
    def test_in_one_file_is_kept_once(self, world: World) -> None:
        call = Call(account="carla")

        file = import_lines(world.source, [call, Call(account="carla"), call])

        assert counts_of(file) == {"rated": 2, "duplicate": 1}
        assert [xdr.line_number for xdr in Xdr.objects.order_by("id")] == [1, 2]

    def test_across_chunks_and_files_is_kept_once(self, world: World, settings: Any) -> None:
        settings.XDR_CHUNK_LINES = 2
        calls = [Call(account="carla") for _ in range(3)]

        first = import_lines(world.source, [*calls, calls[0]])
        second = import_lines(world.source, [calls[1], Call(account="carla")])

        assert counts_of(first) == {"rated": 3, "duplicate": 1}
        assert counts_of(second) == {"rated": 1, "duplicate": 1}
        assert Leg.objects.filter(kind=LegKind.CUSTOMER).count() == 4

    def test_of_another_source_is_another_xdr(self, world: World) -> None:
        call = Call(account="carla")
        other = make_source(world.product, default_vendor=world.vendor, name="Other")

        import_lines(world.source, [call])
        file = import_lines(other, [call, call.again(seconds=5)])

        assert counts_of(file) == {"rated": 1, "duplicate": 1}


class TestBadLine:
    def test_is_kept_verbatim_and_stops_nothing(self, world: World) -> None:
        broken = '"half a line'
        late = Call(account="carla", started_at=CALL_AT - timedelta(days=401))
        early = Call(account="carla", started_at=IMPORT_AT + timedelta(days=2))
        wide = Call(account="c" * 65)

        file = import_lines(world.source, [broken, Call(account="carla"), "", late, early, wide])

        assert counts_of(file) == {"rated": 1, "suspended": 4, "blank": 1}
        assert suspense_of(file) == [
            (1, "unparsable", None, "the quotes are not balanced"),
            (4, "too_old", None, "started before 2025-09-01 00:00:00 UTC"),
            (5, "in_future", None, "starts after 2026-10-07 00:00:00 UTC"),
            (6, "unparsable", None, "account_code has more than 64 characters"),
        ]
        rows = Suspense.objects.order_by("line_number")
        assert [row.raw for row in rows] == [broken, late.line, early.line, wide.line]
        assert [row.xdr_id for row in rows] == [None] * 4
        assert [row.started_at for row in rows] == [None, late.started_at, early.started_at, None]

    def test_counts_lines_from_the_start_of_the_file(self, world: World, settings: Any) -> None:
        settings.XDR_CHUNK_LINES = 2

        file = import_lines(world.source, [*(Call(account="carla") for _ in range(4)), "x"])

        assert suspense_of(file)[0][0] == 5
        assert file.chunks.count() == 3


class TestChunk:
    def test_is_rated_once(self, world: World) -> None:
        file = import_lines(world.source, [Call(account="carla")])
        chunk = file.chunks.get()

        again = rate_chunk(chunk_id=chunk.pk, at=IMPORT_AT + timedelta(hours=1))

        assert again is False
        assert Leg.objects.count() == 2
        assert UsageCharge.objects.count() == 2
        chunk.refresh_from_db()
        assert chunk.finished_at == IMPORT_AT

    def test_ends_its_file_with_the_last_one(self, world: World, settings: Any) -> None:
        settings.XDR_CHUNK_LINES = 1
        file = receive_file(
            content=BytesIO(file_of([Call(account="carla"), Call(account="carla")])),
            name="two.csv",
            source=world.source,
            at=IMPORT_AT,
            actor_id=None,
        )
        split_file(file_id=file.pk, at=IMPORT_AT)
        first, last = XdrChunk.objects.order_by("number")

        rate_chunk(chunk_id=last.pk, at=IMPORT_AT)
        file.refresh_from_db()
        assert (file.state, file.finished_at) == (XdrFile.State.RATING, None)

        rate_chunk(chunk_id=first.pk, at=IMPORT_AT)
        file.refresh_from_db()
        assert (file.state, file.finished_at) == (XdrFile.State.DONE, IMPORT_AT)


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


class TestTwoProviders:
    def test_have_xdrs_and_charges_of_their_own(self, world: World) -> None:
        other = make_world()
        call = Call(account="carla")

        first = import_lines(world.source, [call])
        second = import_lines(other.source, [call])

        assert counts_of(first) == counts_of(second) == {"rated": 1}
        for each in (world, other):
            charges = UsageCharge.objects.filter(provider=each.provider)
            assert {charge.payer_id for charge in charges} == {each.carla.pk, each.root.pk}
