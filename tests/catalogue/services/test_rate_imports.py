"""Rate files on their way into a table: compared, written, stashed, thrown away."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from audit.models import Entry
from catalogue.models import Rate, RateImport, RateTable
from catalogue.rules.rate_layouts import Absent, Duplicates, Errors, Unchanged
from catalogue.services.rate_imports import (
    NothingToImport,
    RateFileRefused,
    RateImportBusy,
    RateImportInState,
    RateTableChanged,
    confirm_import,
    discard_import,
    start_comparing,
)
from catalogue.services.rates import close_rate
from tests.factories import LONG_AGO, make_product, make_provider, make_rate, make_rate_table
from tests.factories.rate_files import (
    AT,
    compare_rates,
    confirm,
    import_rates,
    work,
)
from tests.refusals import refused

State = RateImport.State
TEXT = (
    "prefix,rate,destination,effective_from\n"
    "49,0.06,Destination 49,\n"  # increased
    "44,0.04,Destination 44,2026-01-01T00:00Z\n"  # decreased, in place
    "33,0.05,Destination 33,\n"  # unchanged
    "1,0.01,America,\n"  # new
)
NEXT_MONTH = datetime(2026, 7, 1, tzinfo=UTC)


@pytest.fixture
def table(db: None) -> RateTable:
    return make_rate_table(make_product(make_provider()), dict.fromkeys(("49", "44", "33"), "0.05"))


def rates(table: RateTable) -> list[tuple[Any, ...]]:
    rows = Rate.objects.filter(rate_table=table).order_by("prefix", "effective_from", "pk")
    return list(rows.values_list("prefix", "rate", "effective_from", "effective_to", "status"))


def everything(table: RateTable) -> list[tuple[Any, ...]]:
    return list(Rate.objects.filter(rate_table=table).order_by("pk").values_list())


def classes(rate_import: RateImport) -> list[tuple[str, str]]:
    return list(rate_import.rows.order_by("number").values_list("prefix", "row_class"))


class TestADryRun:
    def test_says_what_each_row_does_and_writes_nothing(self, table: RateTable) -> None:
        before = everything(table)

        compared = compare_rates(table, TEXT)

        assert compared.state == State.COMPARED
        assert classes(compared) == [
            ("49", "increased"),
            ("44", "decreased"),
            ("33", "unchanged"),
            ("1", "new"),
        ]
        assert compared.counts == {"increased": 1, "decreased": 1, "unchanged": 1, "new": 1}
        assert everything(table) == before

    def test_says_what_the_price_was_before(self, table: RateTable) -> None:
        compared = compare_rates(table, TEXT)

        assert [row.before_rate for row in compared.rows.order_by("number")] == [
            Decimal("0.05"),
            Decimal("0.05"),
            Decimal("0.05"),
            None,
        ]

    def test_tells_rates_for_other_calls_apart(self, table: RateTable) -> None:
        text = "prefix,rate,destination,tag\n49,0.06,Destination 49,\n49,0.01,Germany,on-net\n"

        compared = compare_rates(table, text)

        assert classes(compared) == [("49", "increased"), ("49", "new")]

    def test_compares_rows_of_a_prefix_with_each_other(self, table: RateTable) -> None:
        text = (
            "prefix,rate,destination,effective_from\n"
            "49,0.09,Destination 49,2026-08-01\n"
            "49,0.07,Destination 49,2026-07-01\n"
        )

        compared = compare_rates(table, text)

        assert classes(compared) == [("49", "increased"), ("49", "increased")]
        assert [row.before_rate for row in compared.rows.order_by("number")] == [
            Decimal("0.07"),
            Decimal("0.05"),
        ]

    def test_shows_rows_that_are_wrong_with_their_field_and_line(self, table: RateTable) -> None:
        compared = compare_rates(table, "prefix,rate\n49,much\n4x,1\n7,1\n")

        assert list(
            compared.rows.order_by("number").values_list("line", "prefix", "wrong_field", "error")
        ) == [
            (2, "49", "rate", "'much' is not a number; write it as 0.0125"),
            (3, "4x", "prefix", "'4x' is not a prefix, a range or a group of digits"),
            (4, "7", "destination", "name it: the table's code deck has none for this prefix"),
        ]

    def test_reads_a_file_again_as_it_is_told_anew(self, table: RateTable) -> None:
        compared = compare_rates(table, TEXT)
        layout = compared.layout
        assert layout is not None

        start_comparing(
            rate_import=compared, layout=layout, options=compared.options, at=AT, actor_id=None
        )
        again = work(compared)

        assert again.state == State.COMPARED
        assert again.rows.count() == 4

    def test_fails_for_a_file_that_cannot_be_read_to_its_end(self, table: RateTable) -> None:
        good = b"prefix,rate\n" + b"49,0.06\n" * 100_000

        failed = compare_rates(table, good + b"\xff\xff,1\n")

        assert failed.state == State.FAILED
        assert "not UTF-8" in failed.error
        assert failed.rows.count() == 0


class TestDuplicates:
    TEXT = "prefix,rate,destination\n49,0.06,Germany\n49,0.07,Germany\n44,0.05,Destination 44\n"

    @pytest.mark.parametrize(
        ("choice", "expected"),
        [
            (Duplicates.LATEST, ["duplicate", "increased", "unchanged"]),
            (Duplicates.FIRST, ["increased", "duplicate", "unchanged"]),
            (Duplicates.REFUSE, ["error", "error", "unchanged"]),
        ],
    )
    def test_count_as_chosen(
        self, table: RateTable, choice: Duplicates, expected: list[str]
    ) -> None:
        compared = compare_rates(table, self.TEXT, duplicates=choice)

        assert [row_class for _, row_class in classes(compared)] == expected


class TestAnImport:
    def test_writes_what_the_dry_run_said(self, table: RateTable) -> None:
        written = import_rates(table, TEXT)

        assert written.state == State.DONE
        assert rates(table) == [
            ("1", Decimal("0.01"), AT, None, "active"),
            ("33", Decimal("0.05"), LONG_AGO, None, "active"),
            ("44", Decimal("0.04"), LONG_AGO, None, "active"),
            ("49", Decimal("0.05"), LONG_AGO, None, "active"),
            ("49", Decimal("0.06"), AT, None, "active"),
        ]
        entry = Entry.objects.get(action="rate_import.written")
        assert entry.after is not None
        assert entry.after["increased"] == "1"

    def test_changes_nothing_the_second_time(self, table: RateTable) -> None:
        import_rates(table, TEXT)

        again = compare_rates(table, TEXT)

        assert set(again.counts) == {"unchanged"}
        with refused(NothingToImport):
            confirm_import(rate_import=again, at=AT, actor_id=None)

    def test_written_again_by_a_second_worker_changes_nothing(self, table: RateTable) -> None:
        written = import_rates(table, TEXT)
        before = everything(table)

        work(written)

        assert everything(table) == before

    def test_writes_unchanged_rates_where_they_are_to_be_kept(self, table: RateTable) -> None:
        import_rates(table, TEXT, unchanged=Unchanged.KEEP)

        assert ("33", Decimal("0.05"), AT, None, "active") in rates(table)

    def test_refused_the_whole_file_for_one_wrong_row(self, table: RateTable) -> None:
        compared = compare_rates(table, f"{TEXT}7,much,Russia,\n")

        with refused(RateFileRefused, match="1 rows are wrong"):
            confirm_import(rate_import=compared, at=AT, actor_id=None)

    def test_leaves_wrong_rows_out_where_it_is_told_to(self, table: RateTable) -> None:
        import_rates(table, f"{TEXT}7,much,Russia,\n", errors=Errors.SKIP)

        assert [row[0] for row in rates(table)] == ["1", "33", "44", "49", "49"]

    def test_refused_a_table_that_changed_since_the_dry_run(self, table: RateTable) -> None:
        compared = compare_rates(table, TEXT)
        make_rate(table, "7")

        with refused(RateTableChanged):
            confirm_import(rate_import=compared, at=AT, actor_id=None)

    def test_waits_to_be_compared_again_if_the_table_changes_before_it_is_written(
        self, table: RateTable
    ) -> None:
        compared = compare_rates(table, TEXT)
        confirm_import(rate_import=compared, at=AT, actor_id=None)
        make_rate(table, "7")
        before = everything(table)

        back = work(compared)

        assert (back.state, everything(table)) == (State.COMPARED, before)
        assert "compare it again" in back.error

    def test_is_the_only_one_of_its_table_at_work(self, table: RateTable) -> None:
        first, second = compare_rates(table, TEXT), compare_rates(table, TEXT)
        confirm_import(rate_import=first, at=AT, actor_id=None)

        with refused(RateImportBusy, match="rates.csv is being worked on"):
            confirm_import(rate_import=second, at=AT, actor_id=None)

    def test_is_refused_twice(self, table: RateTable) -> None:
        written = import_rates(table, TEXT)

        with refused(RateImportInState, match="is imported"):
            confirm_import(rate_import=written, at=AT, actor_id=None)
        with refused(RateImportInState):
            discard_import(rate_import=written, at=AT, actor_id=None)


class TestAnAToZFile:
    """Of 49, 44 and 33, and 33 once more from August, it has 49 only, from July."""

    TEXT = "prefix,rate,destination,effective_from\n49,0.06,Destination 49,2026-07-01T00:00Z\n"

    @pytest.fixture(autouse=True)
    def _future(self, table: RateTable) -> None:
        make_rate(table, "33", effective_from=datetime(2026, 8, 1, tzinfo=UTC), rate="0.08")

    def test_closes_what_it_does_not_have(self, table: RateTable) -> None:
        written = import_rates(table, self.TEXT, absent=Absent.CLOSE, close_at=NEXT_MONTH)

        assert written.counts == {"increased": 1, "closed": 2}
        assert rates(table) == [
            ("33", Decimal("0.05"), LONG_AGO, NEXT_MONTH, "active"),
            ("33", Decimal("0.08"), datetime(2026, 8, 1, tzinfo=UTC), None, "active"),
            ("44", Decimal("0.05"), LONG_AGO, NEXT_MONTH, "active"),
            ("49", Decimal("0.05"), LONG_AGO, None, "active"),
            ("49", Decimal("0.06"), NEXT_MONTH, None, "active"),
        ]

    def test_stashes_what_begins_later_where_it_is_extended(self, table: RateTable) -> None:
        written = import_rates(table, self.TEXT, absent=Absent.CLOSE_AND_STASH, close_at=NEXT_MONTH)

        assert written.counts == {"increased": 1, "closed": 2, "stashed": 1}
        assert rates(table)[1] == (
            "33",
            Decimal("0.08"),
            datetime(2026, 8, 1, tzinfo=UTC),
            None,
            "stashed",
        )

    def test_ends_a_rate_whose_successor_it_stashes(self, table: RateTable) -> None:
        make_rate(table, "44", effective_from=NEXT_MONTH, rate="0.07")

        import_rates(table, self.TEXT, absent=Absent.CLOSE_AND_STASH, close_at=NEXT_MONTH)

        assert [row for row in rates(table) if row[0] == "44"] == [
            ("44", Decimal("0.05"), LONG_AGO, NEXT_MONTH, "active"),
            ("44", Decimal("0.07"), NEXT_MONTH, None, "stashed"),
        ]

    def test_takes_a_wrong_row_for_no_absence(self, table: RateTable) -> None:
        written = import_rates(
            table,
            f"{self.TEXT}44,much,Destination 44,\n",
            absent=Absent.CLOSE,
            close_at=NEXT_MONTH,
            errors=Errors.SKIP,
        )

        assert written.counts == {"increased": 1, "closed": 1, "error": 1}
        assert ("44", Decimal("0.05"), LONG_AGO, None, "active") in rates(table)

    def test_leaves_rates_that_ended_before(self, table: RateTable) -> None:
        rate = Rate.objects.get(rate_table=table, prefix="44")
        close_rate(rate=rate, effective_to=AT, at=AT, actor_id=None)

        written = import_rates(table, self.TEXT, absent=Absent.CLOSE, close_at=NEXT_MONTH)

        assert written.counts == {"increased": 1, "closed": 1}
        assert ("44", Decimal("0.05"), LONG_AGO, AT, "active") in rates(table)


class TestAStashedImport:
    def test_adds_rates_that_are_not_used_and_changes_none(self, table: RateTable) -> None:
        before = rates(table)

        stashed = import_rates(table, TEXT, stash=True, absent=Absent.CLOSE, close_at=NEXT_MONTH)

        assert stashed.state == State.STASHED
        assert [row for row in rates(table) if row[-1] == "active"] == before
        assert [row[:2] for row in rates(table) if row[-1] == "stashed"] == [
            ("1", Decimal("0.01")),
            ("44", Decimal("0.04")),
            ("49", Decimal("0.06")),
        ]

    def test_comes_to_the_same_when_it_is_confirmed(self, table: RateTable) -> None:
        stashed = import_rates(table, TEXT, stash=True)

        confirmed = confirm(stashed)

        assert confirmed.state == State.DONE
        assert rates(table) == [
            ("1", Decimal("0.01"), AT, None, "active"),
            ("33", Decimal("0.05"), LONG_AGO, None, "active"),
            ("44", Decimal("0.04"), LONG_AGO, None, "active"),
            ("49", Decimal("0.05"), LONG_AGO, None, "active"),
            ("49", Decimal("0.06"), AT, None, "active"),
        ]

    def test_is_confirmed_although_another_was_stashed_since(self, table: RateTable) -> None:
        stashed = import_rates(table, TEXT, stash=True)
        import_rates(table, "prefix,rate\n49,9\n", stash=True, defaults={"destination": "Any"})

        assert confirm(stashed).state == State.DONE

    def test_stays_stashed_where_it_would_do_something_else_now(self, table: RateTable) -> None:
        stashed = import_rates(table, TEXT, stash=True)
        make_rate(table, "49", effective_from=AT - timedelta(days=1), rate=Decimal("0.5"))
        before = everything(table)

        back = confirm(stashed)

        assert (back.state, everything(table)) == (State.STASHED, before)
        assert "throw the stashed rates away" in back.error

    def test_stays_stashed_where_a_rate_that_it_ends_was_corrected(self, table: RateTable) -> None:
        only_49 = "prefix,rate,destination\n49,0.06,Destination 49\n"
        stashed = import_rates(table, only_49, stash=True, absent=Absent.CLOSE, close_at=NEXT_MONTH)
        Rate.objects.filter(rate_table=table, prefix="44").update(rate=Decimal("0.2"))
        before = everything(table)

        back = confirm(stashed)

        assert (back.state, everything(table)) == (State.STASHED, before)

    def test_leaves_no_trace_when_it_is_thrown_away(self, table: RateTable) -> None:
        before = everything(table)
        stashed = import_rates(table, TEXT, stash=True)

        discard_import(rate_import=stashed, at=AT, actor_id=None)

        assert work(stashed).state == State.DISCARDED
        assert everything(table) == before

    def test_is_thrown_away_although_its_rates_were_renamed(self, table: RateTable) -> None:
        before = everything(table)
        stashed = import_rates(table, TEXT, stash=True)
        Rate.objects.filter(rate_table=table, status="stashed").update(destination="Anywhere")

        discard_import(rate_import=stashed, at=AT, actor_id=None)

        assert work(stashed).state == State.DISCARDED
        assert everything(table) == before

    def test_is_not_thrown_away_while_a_rate_of_it_is_in_force(self, table: RateTable) -> None:
        stashed = import_rates(table, TEXT, stash=True)
        Rate.objects.filter(rate_table=table, prefix="1").update(status="active")
        before = everything(table)

        discard_import(rate_import=stashed, at=AT, actor_id=None)

        back = work(stashed)
        assert (back.state, everything(table)) == (State.STASHED, before)
        assert "The rate of 1 was brought into force" in back.error
