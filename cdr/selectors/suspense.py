"""Reading what waits: rows, and the choices that are made among them."""

from django.db.models import Q

from cdr.models import Mending, Rerating, Suspense, Xdr, XdrCorrection
from cdr.rules.mending import Choice
from cdr.rules.suspense import LINE_REASONS
from common.scope import Scope
from tenancy.owned import ProviderQuerySet

State = Suspense.State


def open_suspense(scope: Scope) -> ProviderQuerySet[Suspense]:
    """What waits, with customer, source and file, the oldest first."""
    return all_suspense(scope).filter(state=State.OPEN)


def all_suspense(scope: Scope) -> ProviderQuerySet[Suspense]:
    """What waits and what has waited, with customer, source and file, the oldest first."""
    rows = Suspense.objects.visible_to(scope)
    return rows.select_related("customer", "source", "chunk__file").order_by("pk")


def suspense(scope: Scope, suspense_id: int) -> Suspense:
    """One row, open or ended, with customer, file, source, rate table and the last mending.

    :raises Suspense.DoesNotExist: it is not in the scope.
    """
    rows = Suspense.objects.visible_to(scope)
    return rows.select_related("customer", "chunk__file", "source", "rate_table", "mending").get(
        pk=suspense_id
    )


def suspense_of_xdr(scope: Scope, xdr: Xdr) -> ProviderQuerySet[Suspense]:
    """What of an xDR waits still: the whole of it, or its legs."""
    rows = Suspense.objects.visible_to(scope).filter(state=State.OPEN)
    return rows.filter(chunk_id=xdr.chunk_id, xdr_id=xdr.id).order_by("pk")


def chosen_suspense(scope: Scope, choice: Choice) -> ProviderQuerySet[Suspense]:
    """The open rows of a choice, in no order."""
    rows = Suspense.objects.visible_to(scope).filter(state=State.OPEN)
    return of_choice(rows, choice)


def group_of(row: Suspense) -> Choice:
    """All that waits for the same thing as a row."""
    return Choice(row.reason, row.source_id, row.named_by, row.subject, row.rate_table_id)


def rows_of_mending(mending: Mending) -> ProviderQuerySet[Suspense]:
    """The rows that a mending has to deal with and has not dealt with yet, in no order."""
    rows = Suspense.objects.visible_to(Scope.system(mending.provider_id))
    if mending.kind == Mending.Kind.REOPEN:
        return _discarded(rows, mending.undone_id or 0)
    return of_choice(rows.filter(state=State.OPEN, pk__lte=mending.last_id), mending.choice)


def discarded_rows(scope: Scope, mending: Mending) -> ProviderQuerySet[Suspense]:
    """What a mending discarded and nobody has taken back, in no order."""
    return _discarded(Suspense.objects.visible_to(scope), mending.pk)


def _discarded(rows: ProviderQuerySet[Suspense], mending_id: int) -> ProviderQuerySet[Suspense]:
    return rows.filter(state=State.DISCARDED, mending_id=mending_id)


def of_choice(rows: ProviderQuerySet[Suspense], choice: Choice) -> ProviderQuerySet[Suspense]:
    """Those that everything which a choice says is true of, open or not."""
    said: dict[str, object] = {
        "reason": choice.reason,
        "source_id": choice.source_id,
        "named_by": choice.named_by,
        "rate_table_id": choice.rate_table_id,
        "customer_id": choice.customer_id,
        "chunk__file_id": choice.file_id,
    }
    rows = rows.filter(**{name: value for name, value in said.items() if value})
    if choice.subject is not None:
        rows = rows.filter(subject=choice.subject)
    if choice.suspense_ids:
        rows = rows.filter(pk__in=choice.suspense_ids)
    return rows


def lines_beside(scope: Scope, rerating: Rerating) -> int:
    """How many lines wait that a re-rating cannot reach: of its source and time, but no xDRs."""
    rows = Suspense.objects.visible_to(scope).filter(state=State.OPEN, reason__in=LINE_REASONS)
    if rerating.source_id is not None:
        rows = rows.filter(source_id=rerating.source_id)
    within = Q(started_at__gte=rerating.started_from, started_at__lt=rerating.started_to)
    return rows.filter(within | Q(started_at__isnull=True)).count()


def mendings(scope: Scope) -> ProviderQuerySet[Mending]:
    """All that was done about suspense, the latest first."""
    return Mending.objects.visible_to(scope).select_related("source", "created_by").order_by("-pk")


def mendings_at_work(scope: Scope) -> list[Mending]:
    """Those that a worker is at, the latest first."""
    return list(mendings(scope).filter(state=Mending.State.AT_WORK)[:10])


def corrections_of_xdr(scope: Scope, xdr: Xdr) -> ProviderQuerySet[XdrCorrection]:
    """What an xDR was and is taken for where that is not as received, the current one first."""
    rows = XdrCorrection.objects.visible_to(scope).filter(xdr_id=xdr.id)
    return rows.select_related("mending__created_by").order_by("-pk")
