"""Reading bill runs: how far they are, what they come to, who failed."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Count, Sum

from billing.models import BillRun, BillRunItem, Document, Invoice
from billing.selectors.documents import to_be_made
from common.money import ZERO
from common.scope import Scope
from tenancy.owned import ProviderQuerySet


@dataclass(frozen=True)
class RunProgress:
    """How many payers of a run are in which state, and how many documents there are.

    `failed_documents` were given up. `started_at` is when the present step began, None before the
    first.
    """

    state: str
    error: str
    started_at: datetime | None
    payers: int
    waiting: int
    estimated: int
    approved: int
    discarded: int
    empty: int
    issued: int
    failed: int
    invoices: int
    documents: int
    failed_documents: int


@dataclass(frozen=True)
class KindTotal:
    """What a run's invoices (or estimates) of one kind and currency come to."""

    kind: str
    currency: str
    count: int
    net_amount: Decimal
    tax_amount: Decimal
    gross_amount: Decimal


def bill_runs(scope: Scope) -> ProviderQuerySet[BillRun]:
    """The provider's runs, the latest period first; no portal sees any."""
    return BillRun.objects.visible_to(scope).order_by("-period_from", "-pk")


def run_progress(scope: Scope, run_id: int) -> RunProgress:
    """How far a run is.

    :raises BillRun.DoesNotExist: if the scope sees no such run.
    """
    run = BillRun.objects.visible_to(scope).get(pk=run_id)
    rows = BillRunItem.objects.visible_to(scope).filter(run=run)
    counts = Counter(dict(rows.values_list("state").annotate(count=Count("pk"))))
    issued = Invoice.objects.visible_to(scope).filter(bill_run_item__run=run)
    issued = issued.exclude(state=Invoice.State.ESTIMATE)
    documents = Document.objects.visible_to(scope).filter(invoice__in=issued)
    by_state = dict(documents.values_list("state").annotate(count=Count("pk")))
    return RunProgress(
        state=run.state,
        error=run.error,
        started_at=run.started_at,
        payers=counts.total(),
        waiting=counts[BillRunItem.State.WAITING],
        estimated=counts[BillRunItem.State.ESTIMATED],
        approved=counts[BillRunItem.State.APPROVED],
        discarded=counts[BillRunItem.State.DISCARDED],
        empty=counts[BillRunItem.State.EMPTY],
        issued=counts[BillRunItem.State.ISSUED],
        failed=counts[BillRunItem.State.FAILED],
        invoices=issued.count(),
        documents=by_state.get(Document.State.DONE, 0),
        failed_documents=by_state.get(Document.State.FAILED, 0),
    )


def run_totals(
    scope: Scope,
    run_id: int,
    *,
    item_states: Collection[str] | None = None,
    item_ids: Collection[int] | None = None,
) -> list[KindTotal]:
    """The run's sums by kind and currency, never across currencies; of all items or of some."""
    rows = Invoice.objects.visible_to(scope).filter(bill_run_item__run=run_id)
    if item_states is not None:
        rows = rows.filter(bill_run_item__state__in=item_states)
    if item_ids is not None:
        rows = rows.filter(bill_run_item__in=item_ids)
    return _totals(rows)


def failed_items(scope: Scope, run_id: int) -> ProviderQuerySet[BillRunItem]:
    """The payers that failed, with their errors."""
    rows = BillRunItem.objects.visible_to(scope).filter(run=run_id)
    rows = rows.filter(state=BillRunItem.State.FAILED)
    return rows.select_related("customer", "reseller").order_by("pk")


def open_items(scope: Scope, run_id: int) -> ProviderQuerySet[BillRunItem]:
    """The payers whose estimates can still be approved or discarded."""
    rows = BillRunItem.objects.visible_to(scope).filter(run=run_id)
    open_states = [BillRunItem.State.ESTIMATED, BillRunItem.State.APPROVED]
    return rows.filter(state__in=open_states).order_by("pk")


def without_document(scope: Scope, run_id: int) -> list[int]:
    """Ids of the run's issued invoices that workers have to render still."""
    rows = Invoice.objects.visible_to(scope).filter(bill_run_item__run=run_id)
    issued = to_be_made(rows).exclude(state=Invoice.State.ESTIMATE)
    return list(issued.order_by("pk").values_list("pk", flat=True))


@dataclass(frozen=True)
class ComparedTotal:
    """A run's sum of one kind and currency beside that of the period before it."""

    total: KindTotal
    before: KindTotal

    @property
    def change_amount(self) -> Decimal:
        """How much more net there is than in the period before."""
        return self.total.net_amount - self.before.net_amount


def compared_totals(scope: Scope, run: BillRun) -> list[ComparedTotal]:
    """`run_totals` beside what all runs for the period just before came to, zero where nothing.

    A partial run is compared with what its own payers were billed then. A currency of before that
    is gone now is there too; a run without any invoice or estimate is compared with nothing.
    """
    earlier = Invoice.objects.visible_to(scope).filter(
        bill_run_item__run__period_to=run.period_from
    )
    if run.is_partial:
        chosen = BillRunItem.objects.visible_to(scope).filter(run=run)
        earlier = earlier.filter(customer__in=chosen.values("customer"))
    now = {(total.kind, total.currency): total for total in run_totals(scope, run.pk)}
    if not now:
        return []
    before = {(total.kind, total.currency): total for total in _totals(earlier)}
    return [
        ComparedTotal(now.get(key) or _nothing(key), before.get(key) or _nothing(key))
        for key in sorted(now.keys() | before.keys())
    ]


def _totals(invoices: ProviderQuerySet[Invoice]) -> list[KindTotal]:
    sums = invoices.values("kind", "currency").annotate(
        count=Count("pk"), net=Sum("net_amount"), tax=Sum("tax_amount"), gross=Sum("gross_amount")
    )
    return [
        KindTotal(row["kind"], row["currency"], row["count"], row["net"], row["tax"], row["gross"])
        for row in sums.order_by("kind", "currency")
    ]


def _nothing(key: tuple[str, str]) -> KindTotal:
    return KindTotal(*key, 0, ZERO, ZERO, ZERO)
