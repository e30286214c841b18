"""Files of every format through the whole import: whose they are, and what lines become."""

from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest

from cdr.models import IdentifiedBy, Mending, Source, Suspense, Xdr, XdrFile
from cdr.rules.mending import Change, ChangeKind
from cdr.services.chunks import rate_chunk
from cdr.services.intake import XdrFileUnlikeSource, receive_file
from cdr.services.rating import FEW_XDRS
from cdr.services.splitting import split_file
from tests.cdr.importers.samples import MAPPING, SAMPLES
from tests.cdr.worlds import World, counts_of, make_world
from tests.factories import make_customer, make_identifier, make_source
from tests.factories.mending import Result, mend, try_again

AT = datetime(2026, 10, 6, tzinfo=UTC)
HEADER = "start,to,seconds,account,trunk,ip,from\n"
COLUMNS = {
    "started_at": "start",
    "destination_number": "to",
    "volume": "seconds",
    "account_code": "account",
    "trunk": "trunk",
    "caller_ip": "ip",
    "caller_number": "from",
}


@pytest.fixture
def world(db: None) -> World:
    return make_world()


def source_of(world: World, format_: str, **fields: Any) -> Source:
    if format_ == "mapped-csv":
        fields.setdefault("mapping", MAPPING.to_json())
    return make_source(world.product, default_vendor=world.vendor, format=format_, **fields)


def with_columns(world: World, **fields: Any) -> Source:
    mapping = {**MAPPING.to_json(), "columns": COLUMNS, "separator": ",", "decimal_sign": "."}
    mapping["time_format"] = "2026-10-31 23:59:59"
    return source_of(world, "mapped-csv", mapping=mapping, **fields)


def import_content(source: Source, content: bytes) -> XdrFile:
    file = receive_file(content=BytesIO(content), name="calls", source=source, at=AT, actor_id=None)
    split_file(file_id=file.pk, at=AT)
    for chunk_id in file.chunks.order_by("number").values_list("pk", flat=True):
        rate_chunk(chunk_id=chunk_id, at=AT)
    file.refresh_from_db()
    return file


class TestEveryFormat:
    @pytest.mark.parametrize("format_", sorted(SAMPLES))
    def test_counts_each_line_once_wherever_chunks_end(
        self, world: World, settings: Any, format_: str
    ) -> None:
        settings.XDR_CHUNK_LINES = 1
        content = SAMPLES[format_].read_bytes()

        file = import_content(source_of(world, format_), content)

        counts = counts_of(file)
        counts.pop("partly_suspended", 0)
        assert file.state == XdrFile.State.DONE
        assert sum(counts.values()) == content.count(b"\n")
        assert counts.get("zero", 0) > 0
        assert not Suspense.objects.filter(reason="unparsable").exists()

    @pytest.mark.parametrize("format_", sorted(SAMPLES))
    def test_takes_an_xdr_once_from_two_files(self, world: World, format_: str) -> None:
        source, content = source_of(world, format_), SAMPLES[format_].read_bytes()
        first = import_content(source, content)
        kept = Xdr.objects.count()

        again = import_content(source, content + b"\n")

        assert Xdr.objects.count() == kept
        assert counts_of(again)["duplicate"] == kept
        assert counts_of(first).get("duplicate", 0) == 0


class TestACustomer:
    @pytest.mark.parametrize(
        ("order", "payer"),
        [
            ([IdentifiedBy.ACCOUNT_CODE, IdentifiedBy.TRUNK], "by code"),
            ([IdentifiedBy.TRUNK, IdentifiedBy.ACCOUNT_CODE], "by trunk"),
            ([IdentifiedBy.IP], "by address"),
            ([IdentifiedBy.NUMBER, IdentifiedBy.IP], "by number"),
        ],
    )
    def test_is_the_one_that_the_first_of_the_order_names(
        self, world: World, order: list[IdentifiedBy], payer: str
    ) -> None:
        for name, kind, value in (
            ("by code", "ACCOUNT_CODE", "A1"),
            ("by trunk", "TRUNK", "west-1"),
            ("by address", "IP", "192.0.2.7"),
            ("by number", "NUMBER", "4930123456"),
        ):
            make_identifier(make_customer(world.provider, organisation=name), value, kind)
        source = with_columns(world, identified_by=order)
        line = "2026-10-01 10:00:00,442071234567,60,A1,west-1,192.0.2.7,030123456\n"

        import_content(source, (HEADER + line).encode())

        xdr = Xdr.objects.get()
        assert (xdr.trunk, xdr.caller_ip) == ("west-1", "192.0.2.7")
        assert xdr.customer is not None
        assert xdr.customer.organisation == payer

    @pytest.mark.parametrize("rows", [1, FEW_XDRS + 1])
    def test_is_known_by_the_longest_network_of_the_address(self, world: World, rows: int) -> None:
        for name, value in (
            ("all", "192.0.2.0/24"),
            ("half", "192.0.2.128/25"),
            ("host", "192.0.2.200"),
            ("six", "2001:db8::/32"),
        ):
            make_identifier(make_customer(world.provider, organisation=name), value, "IP")
        make_identifier(make_customer(world.provider), "0.0.0.0/0", "TRUNK")
        source = with_columns(world, identified_by=["IP"])
        addresses = (
            "192.0.2.7",
            "192.0.2.199:5060",
            "::ffff:192.0.2.200",
            "2001:DB8::1",
            "10.0.0.1",
        )
        lines = [
            f"2026-10-01 10:00:00,44207{place}{caller:06},60,A1,west-1,{address},030123456\n"
            for place, address in enumerate(addresses)
            for caller in range(rows)
        ]

        import_content(source, (HEADER + "".join(lines)).encode())

        found = Xdr.objects.values_list("caller_ip", "customer__organisation").distinct()
        assert sorted(found) == [
            ("10.0.0.1", None),
            ("192.0.2.199", "half"),
            ("192.0.2.200", "host"),
            ("192.0.2.7", "all"),
            ("2001:db8::1", "six"),
        ]

    def test_is_looked_for_by_the_next_where_the_first_names_nobody(self, world: World) -> None:
        make_identifier(world.carla, "192.0.2.7", "IP")
        source = with_columns(world)
        line = "2026-10-01 10:00:00,442071234567,60,nobody,,192.0.2.7,\n"

        import_content(source, (HEADER + line).encode())

        assert Xdr.objects.get().customer == world.carla

    def test_is_found_when_what_names_it_is_known_later(self, world: World) -> None:
        source = with_columns(world)
        line = "2026-10-01 10:00:00,442071234567,60,,west-1,,\n"
        import_content(source, (HEADER + line).encode())
        waiting = Suspense.objects.get()
        make_identifier(world.carla, "west-1", "TRUNK")

        retried = try_again(world.provider, at=AT)

        assert 'trunk "west-1"' in waiting.detail
        assert retried == Result(1, 0)
        assert Xdr.objects.get().customer == world.carla


class TestAFraction:
    @pytest.mark.parametrize(("rounding", "volume"), [("up", 61), ("nearest", 60), ("down", 60)])
    def test_is_rounded_as_the_source_says(self, world: World, rounding: str, volume: int) -> None:
        source = with_columns(world, volume_rounding=rounding)
        line = "2026-10-01 10:00:00,442071234567,60.4,carla,,,\n"

        import_content(source, (HEADER + line).encode())

        assert Xdr.objects.get().volume == volume


class TestALineOfAFileWithAHeader:
    def test_is_corrected_with_the_header_of_its_file(self, world: World) -> None:
        source = with_columns(world)
        bad = "yesterday,442071234567,60,carla,,,"
        good = "2026-10-01 10:00:00,442071234567,60,carla,,,"
        import_content(source, f"{HEADER}{bad}\n".encode())
        row = Suspense.objects.get()

        change = Change(ChangeKind.LINE, new_text=good)
        mend(world.provider, Mending.Kind.CORRECT, change=change, at=AT, suspense_ids=(row.pk,))

        row.refresh_from_db()
        assert (row.raw, row.line_number) == (bad, 2)
        assert row.state == Suspense.State.RESOLVED
        assert Xdr.objects.get().customer == world.carla


class TestAFileUnlikeItsSource:
    @pytest.mark.parametrize("format_", ["yeti-csv", "cucm-csv", "kamailio-csv", "mapped-csv"])
    def test_is_refused_whole(self, world: World, format_: str) -> None:
        source = source_of(world, format_)

        with pytest.raises(XdrFileUnlikeSource, match="its header has no column"):
            import_content(source, SAMPLES["asterisk-csv"].read_bytes())

        assert not XdrFile.objects.exists()

    def test_is_any_before_its_columns_are_named(self, world: World) -> None:
        source = source_of(world, "mapped-csv", mapping=None)

        with pytest.raises(XdrFileUnlikeSource, match="which column is what"):
            import_content(source, b"a,b\n")
