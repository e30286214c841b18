"""Taking rate imports back."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from catalogue.models import Rate, RateImport, RateTable
from catalogue.rules.rate_layouts import Absent
from catalogue.services.rate_import_work import PATIENCE
from catalogue.services.rate_imports import RateImportInState
from catalogue.services.rates import close_rate
from cdr.selectors.rate_use import is_import_used
from cdr.services.rate_undoing import (
    RatesUsed,
    ask_to_undo,
    requeue_lost_undos,
    undo_rate_import,
)
from common.scope import Scope
from tests.factories import (
    make_customer,
    make_identifier,
    make_product,
    make_provider,
    make_rate,
    make_rate_table,
    make_source,
    make_time_profile,
    make_vendor,
)
from tests.factories.cdr import CALL_AT, Call, import_lines
from tests.factories.rate_files import AT, compare_rates, confirm, import_rates
from tests.refusals import refused

State = RateImport.State
CLOSE_AT = datetime(2026, 7, 1, tzinfo=UTC)
TEXT = (
    "prefix,rate,destination,effective_from\n"
    "49,0.06,Destination 49,\n"
    "44,0.04,Destination 44,2026-01-01T00:00Z\n"
    "1,0.01,America,\n"
)


@pytest.fixture(autouse=True)
def _files_of_its_own(settings: Any, tmp_path: Path) -> None:
    settings.RATE_FILES_DIR = tmp_path / "rate_files"
    settings.XDR_FILES_DIR = tmp_path / "xdr_files"


@pytest.fixture
def table(db: None) -> RateTable:
    """49 and 44 are in the file; 33, today and in August, and 34 with all its columns are not."""
    product = make_product(make_provider())
    table = make_rate_table(product, dict.fromkeys(("49", "44", "33"), "0.05"))
    make_rate(table, "33", effective_from=datetime(2026, 8, 1, tzinfo=UTC), rate="0.08")
    make_rate(
        table,
        "34",
        effective_from=datetime(2026, 1, 1, 0, 0, 0, 123456, tzinfo=UTC),
        effective_to=datetime(2027, 1, 1, tzinfo=UTC),
        rate=Decimal("-0.00000001"),
        initial_rate=Decimal("9999999999.99999999"),
        steps="",
        min_cost=Decimal("0.1"),
        max_digits=9,
        origin_prefix="1",
        status="blocked",
    )
    return table


def everything(table: RateTable) -> list[tuple[Any, ...]]:
    return list(Rate.objects.filter(rate_table=table).order_by("pk").values_list())


def undo(rate_import: RateImport) -> RateImport:
    ask_to_undo(rate_import=rate_import, at=AT, actor_id=None)
    undo_rate_import(import_id=rate_import.pk, at=AT)
    return RateImport.objects.get(pk=rate_import.pk)


def import_a_to_z(table: RateTable, **options: Any) -> RateImport:
    return import_rates(table, TEXT, absent=Absent.CLOSE_AND_STASH, close_at=CLOSE_AT, **options)


class TestUndoing:
    @pytest.mark.parametrize("stash", [False, True])
    def test_restores_every_column_of_every_rate(self, table: RateTable, stash: bool) -> None:
        before = everything(table)
        done = import_a_to_z(table, stash=stash)
        if stash:
            done = confirm(done)
        assert everything(table) != before
        assert done.counts["closed"] == 2
        assert done.counts["stashed"] == 1

        undone = undo(done)

        assert undone.state == State.UNDONE
        assert everything(table) == before

    def test_is_done_once(self, table: RateTable) -> None:
        undone = undo(import_a_to_z(table))
        before = everything(table)

        undo_rate_import(import_id=undone.pk, at=AT)

        assert everything(table) == before
        with refused(RateImportInState):
            ask_to_undo(rate_import=undone, at=AT, actor_id=None)

    def test_is_not_done_where_a_rate_was_changed_since(self, table: RateTable) -> None:
        done = import_a_to_z(table)
        rate = Rate.objects.get(rate_table=table, prefix="1")
        close_rate(rate=rate, effective_to=CLOSE_AT, at=AT, actor_id=None)
        before = everything(table)

        kept = undo(done)

        assert (kept.state, everything(table)) == (State.DONE, before)
        assert "The rate of 1 was changed" in kept.error

    def test_goes_backwards_over_several_imports(self, table: RateTable) -> None:
        before = everything(table)
        first = import_a_to_z(table)
        second = import_rates(
            table,
            "prefix,rate,destination\n7,1,Russia\n",
            absent=Absent.CLOSE,
            close_at=CLOSE_AT + timedelta(days=1),
        )

        assert undo(first).state == State.DONE
        assert undo(second).state == State.UNDONE
        assert undo(RateImport.objects.get(pk=first.pk)).state == State.UNDONE
        assert everything(table) == before

    def test_is_of_no_import_that_is_only_compared(self, table: RateTable) -> None:
        compared = compare_rates(table, TEXT)

        with refused(RateImportInState):
            ask_to_undo(rate_import=compared, at=AT, actor_id=None)

    def test_that_was_lost_is_queued_again(self, table: RateTable) -> None:
        ask_to_undo(rate_import=import_a_to_z(table), at=AT, actor_id=None)

        assert requeue_lost_undos(at=AT) == 0
        assert requeue_lost_undos(at=AT + PATIENCE) == 1


class TestAnImportThatWasUsed:
    def call(self, table: RateTable, number: str, **fields: Any) -> None:
        """A call that the vendor is owed for by the table."""
        customer = make_customer(table.provider)
        make_identifier(customer, "carla")
        source = make_source(table.product, make_vendor(table))
        import_lines(source, [Call(account="carla", to=number, **fields)])

    def test_cannot_be_undone(self, table: RateTable) -> None:
        done = import_rates(table, TEXT)
        self.call(table, "12125550100")

        with refused(RatesUsed, match="cannot be taken back any more"):
            ask_to_undo(rate_import=done, at=AT, actor_id=None)

    def test_cannot_be_undone_when_that_happens_while_it_waits(self, table: RateTable) -> None:
        done = import_rates(table, TEXT)
        ask_to_undo(rate_import=done, at=AT, actor_id=None)
        self.call(table, "12125550100")
        before = everything(table)

        undo_rate_import(import_id=done.pk, at=AT)

        kept = RateImport.objects.get(pk=done.pk)
        assert (kept.state, everything(table)) == (State.DONE, before)
        assert "Usage was priced" in kept.error

    def test_can_be_undone_where_others_were_used(self, table: RateTable) -> None:
        done = import_rates(table, TEXT)
        self.call(table, "33123456789")

        assert undo(done).state == State.UNDONE

    @pytest.mark.parametrize(
        ("boundary", "number", "later", "is_used"),
        [
            ("split", "33123456789", timedelta(seconds=60), True),
            ("split", "33123456789", timedelta(seconds=300), False),
            ("split", "49123456789", timedelta(seconds=60), False),
            ("start", "33123456789", timedelta(seconds=60), False),
        ],
    )
    def test_counts_a_call_that_lasted_into_a_rate_of_a_table_that_splits(
        self, table: RateTable, boundary: str, number: str, later: timedelta, is_used: bool
    ) -> None:
        RateTable.objects.filter(pk=table.pk).update(boundary=boundary)
        start = (CALL_AT + later).isoformat()
        text = f"prefix,rate,destination,effective_from\n33,0.09,Destination 33,{start}\n"
        done = import_rates(table, text)
        self.call(table, number, seconds=120)

        assert is_import_used(Scope.system(table.provider_id), done) is is_used
        if not is_used:
            assert undo(done).state == State.UNDONE

    def test_counts_a_call_that_lasted_into_the_hours_of_a_rate(self, table: RateTable) -> None:
        RateTable.objects.filter(pk=table.pk).update(boundary="split")
        make_time_profile(table.provider, "Mon 12:01-24:00", weight=1)
        text = "prefix,rate,destination,time_profile\n33,0.09,Destination 33,Mon 12:01-24:00 @1\n"
        done = import_rates(table, text)
        self.call(table, "33123456789", started_at=CALL_AT, seconds=9000)

        with refused(RatesUsed):
            ask_to_undo(rate_import=done, at=AT, actor_id=None)

    def test_counts_additive_rates_too(self, table: RateTable) -> None:
        text = "prefix,rate,destination,policy\n33,0.01,Destination 33,additive\n"
        done = import_rates(table, text)
        self.call(table, "33123456789")

        with refused(RatesUsed):
            ask_to_undo(rate_import=done, at=AT, actor_id=None)
