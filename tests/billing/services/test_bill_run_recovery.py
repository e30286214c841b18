"""What is left of a bill run when workers, brokers or databases are lost."""

from datetime import datetime
from typing import Any

import pytest
from django.db import OperationalError
from pytest_django import DjangoCaptureOnCommitCallbacks

from billing.models import BillRun, BillRunItem
from billing.services import bill_run_work
from billing.services.batches import do_each
from billing.services.bill_runs import (
    create_bill_run,
    finish_calculation,
    queue_open_runs,
    retry_failed,
    start_calculation,
)
from billing.services.discarding import discard_bill_run
from common.tries import KILLED, MOST_TRIES
from tenancy.models import Provider
from tests.factories import make_customer, make_provider
from tests.factories.billing import (
    IN_NOVEMBER,
    OCTOBER,
    calculate_run,
    item_ids,
    make_chunk,
    make_usage,
)
from tests.factories.tries import let_the_pause_pass, refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider() -> Provider:
    return make_provider()


def create(provider: Provider, at: datetime = IN_NOVEMBER) -> BillRun:
    return create_bill_run(provider=provider, period=OCTOBER, at=at, actor_id=None)


def batches(sent: list[tuple[str, dict[str, Any]]]) -> list[tuple[str, int]]:
    """The tasks sent, with how many items or invoices each is about."""
    return [(name, len(kwargs.get("item_ids") or kwargs["invoice_ids"])) for name, kwargs in sent]


class TestATaskThatComesLate:
    def test_leaves_a_discarded_run_alone(self, provider: Provider) -> None:
        run = calculate_run(provider)
        ids, run_id = item_ids(run), run.pk
        discard_bill_run(run_id=run_id, at=IN_NOVEMBER, actor_id=None)

        bill_run_work.calculate(run_id=run_id, item_ids=ids, at=IN_NOVEMBER)
        bill_run_work.issue(run_id=run_id, item_ids=ids, at=IN_NOVEMBER)

        assert not BillRun.objects.exists()


class TestTheSweep:
    @pytest.mark.parametrize(
        ("state", "item_state", "task"),
        [
            (BillRun.State.CALCULATING, BillRunItem.State.WAITING, "billing.calculate_items"),
            (BillRun.State.ISSUING, BillRunItem.State.APPROVED, "billing.issue_items"),
        ],
    )
    def test_queues_what_an_open_run_has_left(
        self,
        provider: Provider,
        sent: list[tuple[str, dict[str, Any]]],
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
        state: str,
        item_state: str,
        task: str,
    ) -> None:
        for _ in range(3):
            make_customer(provider)
        run = calculate_run(provider)
        BillRunItem.objects.filter(pk__in=item_ids(run)[:2]).update(state=item_state)
        BillRun.objects.update(state=state)

        with django_capture_on_commit_callbacks(execute=True):
            assert queue_open_runs(at=IN_NOVEMBER) == 1

        assert batches(sent) == [(task, 2)]

    def test_finishes_a_run_whose_last_worker_died_before_saying_so(
        self, provider: Provider
    ) -> None:
        run = calculate_run(provider)
        BillRun.objects.update(state=BillRun.State.CALCULATING)

        bill_run_work.calculate(run_id=run.pk, item_ids=[], at=IN_NOVEMBER)

        run.refresh_from_db()
        assert run.state == BillRun.State.REVIEW

    def test_leaves_other_runs_alone(
        self,
        provider: Provider,
        sent: list[tuple[str, dict[str, Any]]],
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    ) -> None:
        calculate_run(provider)

        with django_capture_on_commit_callbacks(execute=True):
            assert queue_open_runs(at=IN_NOVEMBER) == 0

        assert sent == []


class TestFinishing:
    def test_happens_once(self, provider: Provider) -> None:
        run = calculate_run(provider)

        assert not finish_calculation(run_id=run.pk, at=IN_NOVEMBER)


class TestLosingTheDatabase:
    def test_fails_no_item(self, provider: Provider) -> None:
        make_customer(provider)
        run = create(provider)
        start_calculation(run_id=run.pk, at=IN_NOVEMBER, actor_id=None)

        def lose(_: object) -> None:
            raise OperationalError("server closed the connection")

        with pytest.raises(OperationalError):
            do_each(lose, run, item_ids(run), waiting=BillRunItem.State.WAITING, at=IN_NOVEMBER)

        assert run.items.get().state == BillRunItem.State.WAITING


class TestAPayerWithWhomTheDatabaseAlwaysFails:
    """As with a statement that takes too long: that looks like the database's fault, at first."""

    @pytest.fixture
    def run(self, provider: Provider) -> BillRun:
        chunk = make_chunk(provider)
        for _ in range(3):
            make_usage(make_customer(provider), "1", chunk=chunk)
        run = create(provider)
        return start_calculation(run_id=run.pk, at=IN_NOVEMBER, actor_id=None)

    def calculate(self, run: BillRun) -> None:
        bill_run_work.calculate(run_id=run.pk, item_ids=item_ids(run), at=IN_NOVEMBER)

    def states(self, run: BillRun) -> list[str]:
        return list(run.items.order_by("pk").values_list("state", flat=True))

    def test_fails_when_it_was_tried_five_times_and_stops_nobody(self, run: BillRun) -> None:
        slow = run.items.order_by("pk")[1]
        seen = []
        with refused(
            "INSERT", "billing_invoice", when=f"NEW.customer_id = {slow.customer_id}", code="57014"
        ):
            for _ in range(MOST_TRIES - 1):
                with pytest.raises(OperationalError):
                    self.calculate(run)
                let_the_pause_pass(BillRunItem)
                seen.append(self.states(run))
            self.calculate(run)

        assert seen == [["ESTIMATED", "WAITING", "ESTIMATED"]] * (MOST_TRIES - 1)
        assert self.states(run) == ["ESTIMATED", "FAILED", "ESTIMATED"]
        slow.refresh_from_db()
        assert slow.error == "It was tried five times. OperationalError: out of order"
        run.refresh_from_db()
        assert (run.state, run.error) == ("REVIEW", "1 of 3 payers failed; see their items.")

    def test_is_calculated_when_somebody_tries_again(self, run: BillRun) -> None:
        self.test_fails_when_it_was_tried_five_times_and_stops_nobody(run)

        retry_failed(run_id=run.pk, at=IN_NOVEMBER, actor_id=None)
        self.calculate(run)

        assert self.states(run) == ["ESTIMATED"] * 3
        assert list(run.items.values_list("try_count", "try_error").distinct()) == [(0, "")]

    def test_or_kills_workers_is_found_by_doing_each_alone(self, run: BillRun) -> None:
        """A worker died of the set, and then four of the second payer alone."""
        run.items.update(try_began_at=IN_NOVEMBER)
        deadly = run.items.order_by("pk")[1]
        BillRunItem.objects.filter(pk=deadly.pk).update(try_count=MOST_TRIES - 1)

        self.calculate(run)

        assert self.states(run) == ["ESTIMATED", "FAILED", "ESTIMATED"]
        deadly.refresh_from_db()
        assert deadly.error == f"It was tried five times. {KILLED}"
