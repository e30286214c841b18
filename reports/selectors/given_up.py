"""What workers gave up, or could not hand over, and waits for people, by kind.

Some of it is started again where it is. Of the rest another is asked for, and with that the one
that failed waits no more. The role of the metrics asks for all providers' rows, and sees no other
columns than those that are asked for here.
"""

from collections.abc import Callable, Collection, Iterable
from enum import StrEnum
from functools import partial
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Value

from billing.models import BillRun, BillRunItem, Document, InvoiceEmail
from catalogue.models import (
    RateBatchEdit,
    RateExport,
    RateImport,
    RateNotice,
    RateTable,
    Relabelling,
)
from cdr.models import Mending, Rerating, WhatIf, XdrChunk, XdrFile
from common.scope import Scope
from common.tries import MOST_TRIES
from customers.models import RateNotification
from payments.models import ReceiptDocument
from payouts.models import StatementDocument
from tenancy.owned import ProviderOwned

_Rows = Callable[[type[ProviderOwned]], QuerySet[Any]]


class GivenUp(StrEnum):
    """What can fail for good; a chunk ends its file, which counts itself."""

    FILES = "files"
    CHUNKS = "chunks"
    MENDINGS = "mendings"
    RERATINGS = "reratings"
    WHAT_IFS = "what_ifs"
    RATE_IMPORTS = "rate_imports"
    RATE_EDITS = "rate_edits"
    RELABELLINGS = "relabellings"
    RATE_EXPORTS = "rate_exports"
    RATE_NOTICES = "rate_notices"
    RATE_EMAILS = "rate_emails"
    BILL_RUN_PAYERS = "bill_run_payers"
    INVOICE_EMAILS = "invoice_emails"
    INVOICE_DOCUMENTS = "invoice_documents"
    CREDIT_NOTE_DOCUMENTS = "credit_note_documents"
    RECEIPT_DOCUMENTS = "receipt_documents"
    STATEMENT_DOCUMENTS = "statement_documents"


RATE_WORK = (
    GivenUp.RATE_IMPORTS,
    GivenUp.RATE_EDITS,
    GivenUp.RELABELLINGS,
    GivenUp.RATE_EXPORTS,
    GivenUp.RATE_NOTICES,
)
"""What is done about the rates of one table, by models with a `rate_table`."""


def given_up(scope: Scope, kind: GivenUp) -> QuerySet[Any]:
    """What of a kind waits for somebody."""
    return _rows(kind, lambda model: model.objects.visible_to(scope))


def given_up_counts(scope: Scope, kinds: Collection[GivenUp]) -> dict[GivenUp, int]:
    """How much of each kind waits for somebody; in one statement."""
    lots = (given_up(scope, kind).annotate(of=Value(kind.value)) for kind in kinds)
    counts = dict.fromkeys(kinds, 0)
    for kind, count in _union(rows.order_by().values_list("of") for rows in lots):
        counts[GivenUp(kind)] = count
    return counts


def given_up_totals() -> list[tuple[str, str, int]]:
    """Provider and kind with how much waits, of the whole installation; in one statement."""
    lots = (
        _rows(kind, lambda model: model.objects.all()).annotate(of=Value(kind.value))
        for kind in GivenUp
    )
    return sorted(_union(rows.order_by().values_list("provider__slug", "of") for rows in lots))


def with_work_given_up(tables: QuerySet[RateTable]) -> QuerySet[RateTable]:
    """Rate tables about whose rates something was to be done that was given up."""
    found = Q()
    for kind in RATE_WORK:
        rows = _rows(kind, lambda model: model.objects.all())
        found |= Q(Exists(rows.filter(rate_table=OuterRef("pk"))))
    return tables.filter(found)


def failed_emails(rows: QuerySet[InvoiceEmail]) -> QuerySet[InvoiceEmail]:
    """E-mails that were not handed over, and after which no other of the invoice was asked for."""
    return _last(rows.filter(state=InvoiceEmail.State.FAILED), "invoice")


def failed_rate_emails(rows: QuerySet[RateNotification]) -> QuerySet[RateNotification]:
    """E-mails of rate notices that were not handed over, to people whom no later notice tells.

    The next one of the table tells all that were not told; that it may find nobody left.
    """
    sent = Q(state=RateNotice.State.SENT)
    needless = Q(
        state__in=(RateNotice.State.PREPARED, RateNotice.State.DISCARDED), recipient_count=0
    )
    later = RateNotice.objects.filter(
        sent | needless, rate_table=OuterRef("rate_table"), pk__gt=OuterRef("notice")
    )
    return rows.filter(~Exists(later), state=RateNotification.State.FAILED)


def _rows(kind: GivenUp, rows: _Rows) -> QuerySet[Any]:
    return _BY_KIND[kind](rows)


def _failed(model: type[Any], rows: _Rows) -> QuerySet[Any]:
    """Those that are started again where they are."""
    return rows(model).filter(state="FAILED")


def _failed_last(model: type[Any], key: str, rows: _Rows) -> QuerySet[Any]:
    return _last(_failed(model, rows), key)


def _last(rows: QuerySet[Any], key: str) -> QuerySet[Any]:
    """Those after which nothing of the kind was asked for, for the same."""
    later = rows.model._default_manager.filter(pk__gt=OuterRef("pk"), **{key: OuterRef(key)})
    return rows.filter(~Exists(later))


def _tried_last(model: type[Any], rows: _Rows) -> QuerySet[Any]:
    """Those whose state does not tell: refused is also what cannot be read, or comes too late."""
    return _last(rows(model).filter(try_count__gte=MOST_TRIES), "rate_table")


def _payers(rows: _Rows) -> QuerySet[Any]:
    """Of runs that are open: one that is issued has billed everybody."""
    return _failed(BillRunItem, rows).exclude(run__state=BillRun.State.ISSUED)


def _documents(of: str, rows: _Rows) -> QuerySet[Any]:
    return _failed(Document, rows).filter(**{f"{of}__isnull": False})


_BY_KIND: dict[GivenUp, Callable[[_Rows], QuerySet[Any]]] = {
    GivenUp.FILES: partial(_failed, XdrFile),
    GivenUp.CHUNKS: partial(_failed, XdrChunk),
    GivenUp.MENDINGS: partial(_failed, Mending),
    GivenUp.RERATINGS: partial(_failed_last, Rerating, "provider"),
    GivenUp.WHAT_IFS: partial(_failed_last, WhatIf, "provider"),
    GivenUp.RATE_IMPORTS: partial(_tried_last, RateImport),
    GivenUp.RATE_EDITS: partial(_tried_last, RateBatchEdit),
    GivenUp.RELABELLINGS: partial(_failed_last, Relabelling, "rate_table"),
    GivenUp.RATE_EXPORTS: partial(_failed_last, RateExport, "rate_table"),
    GivenUp.RATE_NOTICES: partial(_failed_last, RateNotice, "rate_table"),
    GivenUp.RATE_EMAILS: lambda rows: failed_rate_emails(rows(RateNotification)),
    GivenUp.BILL_RUN_PAYERS: _payers,
    GivenUp.INVOICE_EMAILS: lambda rows: failed_emails(rows(InvoiceEmail)),
    GivenUp.INVOICE_DOCUMENTS: partial(_documents, "invoice"),
    GivenUp.CREDIT_NOTE_DOCUMENTS: partial(_documents, "credit_note"),
    GivenUp.RECEIPT_DOCUMENTS: partial(_failed, ReceiptDocument),
    GivenUp.STATEMENT_DOCUMENTS: partial(_failed, StatementDocument),
}


def _union(lots: Iterable[QuerySet[Any, Any]]) -> Iterable[Any]:
    counted = [rows.annotate(count=Count("pk")) for rows in lots]
    return counted[0].union(*counted[1:], all=True) if counted else ()
