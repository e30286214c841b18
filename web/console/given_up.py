"""What workers gave up, in words, with the list that each kind of it leads to."""

from collections.abc import Collection
from dataclasses import dataclass

from django.urls import reverse

from common.scope import Scope
from reports.selectors.given_up import GivenUp, given_up_counts

COUNTED_ELSEWHERE = frozenset({GivenUp.CHUNKS, GivenUp.BILL_RUN_PAYERS})
"""What the first page counts with the file or the bill run that it is of."""


@dataclass(frozen=True)
class Notice:
    """That so much waits for somebody, with the list that shows it; `tone` colours it."""

    text: str
    count: int
    url: str
    tone: str


@dataclass(frozen=True)
class _Kind:
    needs: str
    text: str
    url_name: str
    query: str = ""


_RATE_TABLES = ("console_rate_tables", "work=FAILED")
_KINDS = {
    GivenUp.FILES: _Kind(
        "usage.read", "xDR files that failed", "console_xdr_files", "state=FAILED"
    ),
    GivenUp.CHUNKS: _Kind(
        "usage.read", "Chunks of xDR files that could not be rated", "console_xdr_files"
    ),
    GivenUp.MENDINGS: _Kind(
        "usage.read", "Work on suspense that was given up", "console_mendings", "state=FAILED"
    ),
    GivenUp.RERATINGS: _Kind(
        "usage.read", "Re-ratings that failed", "console_reratings", "state=FAILED"
    ),
    GivenUp.WHAT_IFS: _Kind(
        "resellers.read", "What-ifs without an answer", "console_what_ifs", "state=FAILED"
    ),
    GivenUp.RATE_IMPORTS: _Kind("catalogue.read", "Rate imports that were given up", *_RATE_TABLES),
    GivenUp.RATE_EDITS: _Kind(
        "catalogue.read", "Changes of many rates that were given up", *_RATE_TABLES
    ),
    GivenUp.RELABELLINGS: _Kind(
        "catalogue.read", "Names of code decks that were not brought in", *_RATE_TABLES
    ),
    GivenUp.RATE_EXPORTS: _Kind(
        "catalogue.read", "Files of rates that could not be written", *_RATE_TABLES
    ),
    GivenUp.RATE_NOTICES: _Kind(
        "catalogue.read", "Rate notices that could not be prepared", *_RATE_TABLES
    ),
    GivenUp.RATE_EMAILS: _Kind(
        "catalogue.read",
        "Rate notices that could not be e-mailed",
        "console_rate_emails",
        "told=NOT_SINCE",
    ),
    GivenUp.BILL_RUN_PAYERS: _Kind(
        "money.list", "Payers that bill runs could not bill", "console_bill_runs"
    ),
    GivenUp.INVOICE_EMAILS: _Kind(
        "invoices.list", "Invoices that could not be e-mailed", "console_invoices", "email=FAILED"
    ),
    GivenUp.INVOICE_DOCUMENTS: _Kind(
        "invoices.list",
        "Invoices whose PDF could not be made",
        "console_invoices",
        "document=FAILED",
    ),
    GivenUp.CREDIT_NOTE_DOCUMENTS: _Kind(
        "money.list",
        "Credit notes whose PDF could not be made",
        "console_credit_notes",
        "document=FAILED",
    ),
    GivenUp.RECEIPT_DOCUMENTS: _Kind(
        "money.list",
        "Payments whose receipt could not be made",
        "console_payments",
        "receipt=FAILED",
    ),
    GivenUp.STATEMENT_DOCUMENTS: _Kind(
        "payouts.list",
        "Payout statements whose PDF could not be made",
        "console_statements",
        "document=FAILED",
    ),
}


def work_given_up(scope: Scope, *, but: Collection[GivenUp] = ()) -> list[Notice]:
    """What waits for somebody who holds the user's permissions, where anything does."""
    kinds = [
        kind
        for kind, shown in _KINDS.items()
        if kind not in but and shown.needs in scope.permissions
    ]
    counts = given_up_counts(scope, kinds)
    return [
        Notice(_KINDS[kind].text, count, _url(_KINDS[kind]), "wrong")
        for kind, count in counts.items()
        if count
    ]


def _url(shown: _Kind) -> str:
    address = reverse(shown.url_name)
    return f"{address}?{shown.query}" if shown.query else address
