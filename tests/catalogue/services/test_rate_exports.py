import csv
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import BytesIO, StringIO
from typing import Any

import pytest
from openpyxl import load_workbook

from catalogue.models import RateExport, RateTable
from catalogue.rules.rate_lines import COLUMNS
from catalogue.services.rate_exports import (
    give_up_rate_export,
    request_rate_export,
    sweep_rate_exports,
    write_rate_export,
)
from cdr.rating.csv_rates import read_deck
from common.table_files import file_pieces
from tenancy.models import Provider
from tests.factories import (
    make_product,
    make_provider,
    make_rate,
    make_rate_table,
    make_time_profile,
)

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 10, 10, 12, tzinfo=UTC)
JUNE = datetime(2026, 6, 1, tzinfo=UTC)
Format, Layout = RateExport.Format, RateExport.PrefixLayout


@pytest.fixture
def provider() -> Provider:
    return make_provider()


@pytest.fixture
def table(provider: Provider) -> RateTable:
    return make_rate_table(make_product(provider), time_zone="Europe/Berlin")


def request(table: RateTable, **fields: Any) -> RateExport:
    asked = {"format": Format.CSV, "prefix_layout": Layout.ROWS, "in_force_at": None, **fields}
    return request_rate_export(table=table, **asked, at=NOON, actor_id=None)


def export(table: RateTable, **fields: Any) -> bytes:
    asked = request(table, **fields)
    assert write_rate_export(export_id=asked.pk, at=NOON)
    asked.refresh_from_db()
    assert (asked.state, asked.done_count) == ("DONE", asked.rate_count)
    return unpacked(asked)


def unpacked(export: RateExport) -> bytes:
    return b"".join(file_pieces(export.format, bytes(export.content or b"")))


def lines(table: RateTable, **fields: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(export(table, **fields).decode())))


class TestTheFile:
    def test_has_every_column_of_a_rate(self, provider: Provider, table: RateTable) -> None:
        profile = make_time_profile(provider, "Mon-Fri 08:00-20:00;12-25 00:00-24:00", weight=20)
        make_rate(
            table,
            "49",
            destination="=Germany",
            effective_from=JUNE,
            effective_to=datetime(2026, 12, 1, tzinfo=UTC),
            rate=Decimal("-0.05"),
            initial_rate=Decimal("1234567890.12345678"),
            connection_fee=Decimal(100),
            minimum=60,
            increment=6,
            grace=2,
            steps="0:0.60/60;60:0.30/1",
            min_cost=Decimal("0.01"),
            max_cost=Decimal(5),
            attempt_fee=Decimal("0.001"),
            time_profile=profile,
            policy="additive",
            tag="@vip",
            origin_prefix="44",
            min_digits=8,
            max_digits=14,
            status="blocked",
        )
        make_rate(make_rate_table(make_product(provider)), "1")

        [line] = lines(table)

        assert tuple(line) == COLUMNS
        assert tuple(line.values()) == (
            *("49", "'=Germany", "2026-06-01T02:00:00+02:00", "2026-12-01T01:00:00+01:00"),
            *("-0.05", "1234567890.12345678", "100", "60", "6", "2", "0:0.60/60;60:0.30/1"),
            *("0.01", "5", "0.001", "Mon-Fri 08:00-20:00;12-25 00:00-24:00 @20", "additive"),
            *("'@vip", "44", "8", "14", "blocked"),
        )

    def test_is_one_that_offline_rating_reads(self, provider: Provider, table: RateTable) -> None:
        profile = make_time_profile(provider, "Sat 00:00-24:00", weight=3)
        make_rate(table, "49", time_profile=profile, steps="0:0.60/60")
        make_rate(table, "491", tag="vip", initial_rate=Decimal("0.1"), max_digits=14)

        deck = read_deck(BytesIO(export(table)), "RATES.csv")

        assert len(deck.table("any").rates) == 2

    def test_writes_prefixes_of_the_same_terms_in_one_cell(self, table: RateTable) -> None:
        for prefix in ("4420", "4421", "4422", "447"):
            make_rate(table, prefix, destination="United Kingdom")
        make_rate(table, "4423", destination="London")

        ranges, lists = (lines(table, prefix_layout=Layout(name)) for name in ("ranges", "lists"))

        assert [(line["prefix"], line["destination"]) for line in ranges] == [
            ("4423", "London"),
            ("447,4420-4422", "United Kingdom"),
        ]
        assert lists[1]["prefix"] == "447,4420,4421,4422"

    def test_may_be_of_the_rates_in_force_at_an_instant(self, table: RateTable) -> None:
        make_rate(table, "49", rate=Decimal("0.01"))
        make_rate(table, "49", rate=Decimal("0.02"), effective_from=JUNE)
        make_rate(table, "49", rate=Decimal("0.03"), effective_from=NOON)
        make_rate(table, "44", status="stashed")

        assert [line["rate"] for line in lines(table, in_force_at=JUNE)] == ["0.02"]
        assert [line["rate"] for line in lines(table, in_force_at=NOON)] == ["0.03"]
        assert len(lines(table)) == 4

    def test_is_a_spreadsheet_without_formulas_and_with_every_digit(self, table: RateTable) -> None:
        make_rate(table, "0049", destination="=1+1", rate=Decimal("1234567890.12345678"))

        sheet = load_workbook(BytesIO(export(table, format=Format.XLSX))).active

        assert sheet is not None
        heading, line = sheet.iter_rows()
        assert tuple(cell.value for cell in heading) == COLUMNS
        assert [(cell.value, cell.data_type) for cell in line[:2]] == [("0049", "s"), ("=1+1", "s")]
        assert line[4].value == "1234567890.12345678"
        assert (line[7].value, line[7].data_type) == (1, "n")


class TestWriting:
    def test_is_done_once(self, table: RateTable) -> None:
        make_rate(table, "49")
        asked = request(table)
        write_rate_export(export_id=asked.pk, at=NOON)
        make_rate(table, "44")

        assert not write_rate_export(export_id=asked.pk, at=NOON)

        asked.refresh_from_db()
        assert unpacked(asked).count(b"\n") == 2

    def test_that_was_given_up_is_not_begun_again(self, table: RateTable) -> None:
        asked = request(table)
        give_up_rate_export(export_id=asked.pk, at=NOON)

        assert not write_rate_export(export_id=asked.pk, at=NOON)

        asked.refresh_from_db()
        assert (asked.state, asked.content) == ("FAILED", None)
        assert sweep_rate_exports(at=NOON + timedelta(days=1)) == 0


class TestTheSweep:
    def test_queues_what_was_forgotten_and_empties_what_is_old(self, table: RateTable) -> None:
        old, forgotten = request(table), request(table)
        write_rate_export(export_id=old.pk, at=NOON)

        assert sweep_rate_exports(at=NOON + timedelta(minutes=14)) == 0
        assert sweep_rate_exports(at=NOON + timedelta(days=6)) == 1
        old.refresh_from_db()
        assert old.content is not None
        sweep_rate_exports(at=NOON + timedelta(days=8))

        old.refresh_from_db()
        forgotten.refresh_from_db()
        assert bytes(old.content or b"") == b""
        assert old.state == "DONE"
        assert forgotten.state == "QUEUED"
