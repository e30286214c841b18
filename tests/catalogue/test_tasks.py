"""Work that never comes to an end is given up, and can be asked for again."""

import logging
from datetime import timedelta

import pytest
from django.test import Client

from catalogue import tasks
from catalogue.models import RateBatchEdit, RateExport, RateImport, RateTable
from catalogue.rules.rate_edits import RateEdit
from catalogue.services.rate_edits import ask_for_rate_edit, requeue_lost_edits
from catalogue.services.rate_exports import request_rate_export, sweep_rate_exports
from catalogue.services.rate_import_work import requeue_lost_imports
from catalogue.services.rate_imports import confirm_import, start_comparing
from common.tries import GIVEN_UP, MOST_TRIES
from tests.factories import make_product, make_provider, make_rate_table, make_staff
from tests.factories.rate_files import AT, compare_rates
from tests.factories.tries import let_the_pause_pass

TEXT = "prefix,rate,destination,effective_from\n49,0.06,Destination 49,\n"
LATER = AT + timedelta(days=1)


@pytest.fixture
def table(db: None) -> RateTable:
    return make_rate_table(make_product(make_provider()), {"49": "0.05"})


@pytest.fixture
def damaged(table: RateTable) -> RateImport:
    """An import that is to be compared and whose layout nobody can read any more."""
    compare_again(compare_rates(table, TEXT))
    RateImport.objects.update(kept_layout={"columns": {}})
    return RateImport.objects.get()


def compare_again(rate_import: RateImport, read_as: RateImport | None = None) -> None:
    """Have it compared once more, read as another was."""
    layout = (read_as or rate_import).layout
    assert layout is not None
    options = (read_as or rate_import).options
    start_comparing(rate_import=rate_import, layout=layout, options=options, at=AT, actor_id=None)


def fail(rate_import: RateImport, times: int) -> RateImport:
    for _ in range(times):
        with pytest.raises(KeyError):
            tasks.work_on_rate_import(import_id=rate_import.pk)
        let_the_pause_pass(RateImport)
    return RateImport.objects.get(pk=rate_import.pk)


class TestAnImportThatFailsUnexpectedly:
    def test_is_queued_again_a_few_times(self, damaged: RateImport) -> None:
        failed = fail(damaged, MOST_TRIES - 1)

        assert (failed.state, failed.try_count) == ("COMPARING", MOST_TRIES - 1)
        assert requeue_lost_imports(at=LATER) == 1

    def test_ends_with_a_plain_message_and_the_traceback_in_the_log(
        self, damaged: RateImport, client: Client, caplog: pytest.LogCaptureFixture
    ) -> None:
        client.force_login(make_staff(damaged.provider))
        fail(damaged, MOST_TRIES - 1)

        with caplog.at_level(logging.ERROR, "common.tries"):
            tasks.work_on_rate_import(import_id=damaged.pk)

        ended = RateImport.objects.get()
        assert (ended.state, ended.error) == ("FAILED", GIVEN_UP)
        assert "KeyError" in caplog.text
        text = client.get(f"/console/rate-imports/{ended.pk}/").content.decode()
        assert "something unexpected went wrong" in text
        assert "KeyError" not in text
        assert requeue_lost_imports(at=LATER) == 0

    def test_can_be_asked_for_again(self, damaged: RateImport, table: RateTable) -> None:
        fail(damaged, MOST_TRIES - 1)
        tasks.work_on_rate_import(import_id=damaged.pk)
        read_before = compare_rates(table, TEXT)

        compare_again(damaged, read_before)
        tasks.work_on_rate_import(import_id=damaged.pk)

        again = RateImport.objects.get(pk=damaged.pk)
        assert (again.state, again.error, again.counts) == ("COMPARED", "", {"increased": 1})

    def test_is_given_up_where_workers_die_of_it(self, damaged: RateImport) -> None:
        RateImport.objects.update(try_count=MOST_TRIES)

        tasks.work_on_rate_import(import_id=damaged.pk)

        assert RateImport.objects.get().state == "FAILED"

    def test_waits_to_be_confirmed_again_where_it_was_being_written(self, table: RateTable) -> None:
        confirm_import(rate_import=compare_rates(table, TEXT), at=AT, actor_id=None)
        RateImport.objects.update(try_count=MOST_TRIES)

        tasks.work_on_rate_import(import_id=RateImport.objects.get().pk)

        ended = RateImport.objects.get()
        assert (ended.state, ended.error) == ("COMPARED", GIVEN_UP)
        confirm_import(rate_import=ended, at=AT, actor_id=None)
        tasks.work_on_rate_import(import_id=ended.pk)
        assert RateImport.objects.get().state == "DONE"


class TestAFileThatCannotBeWritten:
    def test_is_given_up(self, table: RateTable, client: Client) -> None:
        client.force_login(make_staff(table.provider))
        asked = request_rate_export(
            table=table,
            format=RateExport.Format.CSV,
            prefix_layout=RateExport.PrefixLayout.ROWS,
            in_force_at=None,
            at=AT,
            actor_id=None,
        )
        RateTable.objects.update(time_zone="No/Where")
        for _ in range(MOST_TRIES - 1):
            with pytest.raises(LookupError):
                tasks.write_rate_export(export_id=asked.pk)
            let_the_pause_pass(RateExport)

        tasks.write_rate_export(export_id=asked.pk)

        assert RateExport.objects.get().state == "FAILED"
        assert sweep_rate_exports(at=LATER) == 0
        text = client.get(f"/console/rate-tables/exports/{asked.pk}/").content.decode()
        assert "The file was not written" in text


class TestAnEditThatCannotBeMade:
    def test_is_given_up(self, table: RateTable) -> None:
        asked = ask_for_rate_edit(
            table=table,
            rate_ids=[table.rates.get().pk],
            edit=RateEdit(values={"minimum": 60}),
            at=AT,
            actor_id=None,
        )
        RateBatchEdit.objects.update(edit={})
        for _ in range(MOST_TRIES - 1):
            with pytest.raises(KeyError):
                tasks.edit_rates(edit_id=asked.pk)
            let_the_pause_pass(RateBatchEdit)

        tasks.edit_rates(edit_id=asked.pk)

        ended = RateBatchEdit.objects.get()
        assert (ended.state, ended.error) == ("FAILED", GIVEN_UP)
        assert requeue_lost_edits(at=LATER) == 0
        assert table.rates.get().minimum == 1
