"""Bringing rate files into a table."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from audit.models import Entry
from catalogue.models import Rate, RateTable
from catalogue.rules.rate_files import RowClass
from catalogue.rules.rate_terms import RateRefused
from catalogue.services.rate_imports import (
    RateFileRefused,
    RateTableChanged,
    import_rates,
    plan_rate_import,
)
from tests.factories import LONG_AGO, make_product, make_provider, make_rate_table
from tests.refusals import refused

START = datetime(2026, 6, 1, tzinfo=UTC)
TEXT = (
    "prefix,rate,destination,effective_from\n"
    "49,0.06,Destination 49,\n"  # increased
    "44,0.04,Destination 44,2026-01-01T00:00Z\n"  # decreased, in place
    "33,0.05,Destination 33,\n"  # unchanged
    "1,0.01,America,\n"  # new
)


@pytest.fixture
def table(db: None) -> RateTable:
    table = make_rate_table(
        make_product(make_provider()), dict.fromkeys(("49", "44", "33"), "0.05")
    )
    table.refresh_from_db()
    return table


def bring(table: RateTable, text: str = TEXT, revision: int | None = None) -> None:
    import_rates(
        table=table,
        text=text,
        default_start=START,
        revision=table.revision if revision is None else revision,
        at=START,
        actor_id=None,
    )


def rates(table: RateTable) -> list[tuple[str, Decimal, datetime]]:
    rows = Rate.objects.filter(rate_table=table).order_by("prefix", "effective_from")
    return list(rows.values_list("prefix", "rate", "effective_from"))


class TestADryRun:
    def test_says_what_each_line_does_and_writes_nothing(self, table: RateTable) -> None:
        before = rates(table)

        plan = plan_rate_import(table=table, text=TEXT, default_start=START)

        assert [row.row_class for row in plan.rows] == [
            RowClass.INCREASED,
            RowClass.DECREASED,
            RowClass.UNCHANGED,
            RowClass.NEW,
        ]
        assert plan.counts[RowClass.ERROR] == 0
        assert rates(table) == before


class TestAnImport:
    def test_writes_what_the_dry_run_said(self, table: RateTable) -> None:
        bring(table)

        assert rates(table) == [
            ("1", Decimal("0.01"), START),
            ("33", Decimal("0.05"), LONG_AGO),
            ("44", Decimal("0.04"), LONG_AGO),
            ("49", Decimal("0.05"), LONG_AGO),
            ("49", Decimal("0.06"), START),
        ]
        entry = Entry.objects.get(action="rate_table.imported")
        assert entry.after == {
            "new": "1",
            "increased": "1",
            "decreased": "1",
            "changed": "0",
            "unchanged": "1",
            "error": "0",
        }

    def test_changes_nothing_the_second_time(self, table: RateTable) -> None:
        bring(table)
        table.refresh_from_db()
        before = rates(table)

        plan = plan_rate_import(table=table, text=TEXT, default_start=START)

        assert {row.row_class for row in plan.rows} == {RowClass.UNCHANGED}
        bring(table)
        assert rates(table) == before

    def test_refused_the_whole_file_for_one_wrong_line(self, table: RateTable) -> None:
        with refused(RateFileRefused, match="1 of 5 lines are wrong; the first is line 6, column"):
            bring(table, f"{TEXT}7,much,Russia,\n")

    def test_refused_a_table_that_changed_since_the_dry_run(self, table: RateTable) -> None:
        with refused(RateTableChanged):
            bring(table, revision=table.revision - 1)

    def test_refused_a_new_prefix_of_no_known_destination(self, table: RateTable) -> None:
        with refused(RateRefused, match="name it"):
            bring(table, "prefix,rate\n49,1\n7,1\n")
