"""How far bill runs are that are at work, without looking at invoices."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, QuerySet

from billing.models import BillRun, BillRunItem
from common.periods import Period
from common.scope import Scope

AT_WORK = (BillRun.State.CALCULATING, BillRun.State.ISSUING)
TO_DO = {
    BillRun.State.CALCULATING: BillRunItem.State.WAITING,
    BillRun.State.ISSUING: BillRunItem.State.APPROVED,
}
"""In which state a payer still waits for the step that its run is in."""


@dataclass(frozen=True)
class RunAtWork:
    """A run that is calculating or issuing, with its payers, done and in all."""

    run: BillRun
    done_count: int
    payer_count: int

    @property
    def title(self) -> str:
        """The days it is for."""
        return str(Period(self.run.period_from, self.run.period_to))


@dataclass(frozen=True)
class PayersOfRun:
    """How many payers of a run at work are in a state; the provider by its slug."""

    provider: str
    run_id: int
    state: str
    count: int


def runs_at_work(scope: Scope) -> list[RunAtWork]:
    """The provider's runs at work, the oldest first."""
    runs = BillRun.objects.visible_to(scope).filter(state__in=AT_WORK).order_by("pk")
    items = BillRunItem.objects.visible_to(scope).filter(run__in=runs)
    counts: dict[int, dict[str, int]] = {}
    for run_id, state, count in _by_state(items, "run_id"):
        counts.setdefault(run_id, {})[state] = count
    return [_at_work(run, counts.get(run.pk, {})) for run in runs]


def payers_of_runs_at_work() -> list[PayersOfRun]:
    """Of the whole installation; asked by the role of the metrics, which sees no other columns."""
    items = BillRunItem.objects.filter(run__state__in=AT_WORK)
    return [PayersOfRun(*row) for row in _by_state(items, "provider__slug", "run_id")]


def _at_work(run: BillRun, counts: Mapping[str, int]) -> RunAtWork:
    payers = sum(counts.values())
    return RunAtWork(run, payers - counts.get(TO_DO[BillRun.State(run.state)], 0), payers)


def _by_state(items: QuerySet[BillRunItem], *names: str) -> QuerySet[Any, Any]:
    columns = (*names, "state")
    return items.order_by().values_list(*columns).annotate(count=Count("pk")).order_by(*columns)
