"""Bill a provider's month through the workers, and watch it; safe to repeat at any point."""

import time
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandError

from billing.models import BillRun
from billing.selectors.bill_runs import (
    RunProgress,
    failed_items,
    run_progress,
    run_totals,
    without_document,
)
from billing.services.bill_runs import (
    approve_bill_run,
    create_bill_run,
    queue_documents,
    start_calculation,
    start_issuing,
)
from common.clock import now
from common.commands import TollgateCommand
from common.money import round_money
from common.periods import parse_month
from common.scope import Scope
from tenancy.selectors import provider_by_slug

POLL_SECONDS = 0.2
# Work that has not moved for so long is queued again, in case the broker lost it.
QUEUE_AGAIN_SECONDS = 10
AMOUNTS = ("count", "net", "tax", "gross")
_CALCULATE_FROM = (BillRun.State.DRAFT, BillRun.State.CALCULATING, BillRun.State.FAILED)
_IN_ISSUE = (BillRun.State.APPROVED, BillRun.State.ISSUING)


class Command(TollgateCommand):
    help = "Calculate a month's invoices and, with --approve, issue them; resumes what there is."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--provider", required=True, metavar="SLUG")
        parser.add_argument("--period", required=True, metavar="MONTH", help="such as 2026-10")
        parser.add_argument(
            "--approve", action="store_true", help="approve, issue and print the invoices"
        )
        parser.add_argument(
            "--patience",
            type=float,
            default=30,
            metavar="SECONDS",
            help="how long to wait without any worker at work (default: 30)",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        provider = provider_by_slug(options["provider"])
        period = parse_month(options["period"])
        self.patience: float = options["patience"]
        self.scope = Scope.system(provider.pk)
        run = create_bill_run(provider=provider, period=period, at=now(), actor_id=None)
        self.title = f"{provider.name}, {period}"
        if run.state == BillRun.State.ISSUED:
            self.stdout.write(f"{self.title}: issued on {run.issue_date} already.")
        if run.state in _CALCULATE_FROM:
            self._calculate(run)
        if options["approve"]:
            self._issue(run)
        self._report(run)

    def _calculate(self, run: BillRun) -> None:
        def start() -> None:
            start_calculation(run_id=run.pk, at=now(), actor_id=None)

        start()
        self._wait(
            run,
            "Calculating",
            start,
            done=lambda seen: seen.payers - seen.waiting,
            total=lambda seen: seen.payers,
            is_over=lambda seen: seen.state != BillRun.State.CALCULATING,
        )

    def _issue(self, run: BillRun) -> None:
        def start() -> None:
            start_issuing(run_id=run.pk, at=now(), actor_id=None)

        run.refresh_from_db()
        if run.state == BillRun.State.REVIEW:
            run = approve_bill_run(run_id=run.pk, at=now(), actor_id=None)
        if run.state in _IN_ISSUE:
            start()
            self._wait(
                run,
                "Issuing",
                start,
                done=lambda seen: seen.issued,
                total=lambda seen: seen.issued + seen.approved,
                is_over=lambda seen: seen.state != BillRun.State.ISSUING,
            )
        self._print_documents(run)

    def _print_documents(self, run: BillRun) -> None:
        def start() -> None:
            queue_documents(without_document(self.scope, run.pk))

        self._wait(
            run,
            "Printing",
            start,
            done=lambda seen: seen.documents + seen.failed_documents,
            total=lambda seen: seen.invoices,
            is_over=lambda seen: seen.documents + seen.failed_documents == seen.invoices,
        )
        if failed := run_progress(self.scope, run.pk).failed_documents:
            self.stderr.write(
                f"PDFs that could not be made: {failed}. The invoices' pages say why."
            )

    def _wait(
        self,
        run: BillRun,
        doing: str,
        queue_again: Callable[[], None],
        *,
        done: Callable[[RunProgress], int],
        total: Callable[[RunProgress], int],
        is_over: Callable[[RunProgress], bool],
    ) -> None:
        seen = run_progress(self.scope, run.pk)
        moved = queued = time.monotonic()
        with self.progress() as bar:
            task = bar.add_task(doing, total=None)
            while not is_over(seen):
                time.sleep(POLL_SECONDS)
                current = run_progress(self.scope, run.pk)
                if current != seen:
                    moved = queued = time.monotonic()
                elif time.monotonic() - moved > self.patience:
                    raise CommandError(_no_worker(self.title, self.patience))
                elif time.monotonic() - queued > QUEUE_AGAIN_SECONDS:
                    queue_again()
                    queued = time.monotonic()
                seen = current
                bar.update(task, total=total(seen) or None, completed=done(seen))

    def _report(self, run: BillRun) -> None:
        run.refresh_from_db()
        self.print_table(
            ("kind", "currency", *AMOUNTS),
            [
                (
                    total.kind.lower(),
                    total.currency,
                    total.count,
                    f"{round_money(total.net_amount, total.currency):,}",
                    f"{round_money(total.tax_amount, total.currency):,}",
                    f"{round_money(total.gross_amount, total.currency):,}",
                )
                for total in run_totals(self.scope, run.pk)
            ],
            title=f"{self.title}: {run.get_state_display().lower()}",
            numeric=AMOUNTS,
        )
        for item in failed_items(self.scope, run.pk):
            self.stderr.write(f"{item.customer or item.reseller}: {item.error}")
        if run.state == BillRun.State.FAILED:
            raise CommandError(f"{self.title}: {run.error} Mend that and repeat this command.")
        if run.state == BillRun.State.REVIEW:
            self.stdout.write("These are estimates; repeat this with --approve to issue them.")
        elif run.state in _IN_ISSUE:
            self.stdout.write("It is approved, not issued; repeat this with --approve to go on.")


def _no_worker(title: str, patience: float) -> str:
    return (
        f"{title}: no worker has done anything for {patience:g} s. The run is safe and goes on as"
        " soon as one runs: start it with `celery -A config worker -Q billing,documents`, and"
        " repeat this command to watch it."
    )
