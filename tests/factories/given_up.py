"""Work that was given up, one of each kind."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from billing.models import BillRun, BillRunItem, Invoice, InvoiceEmail
from billing.services.credit_notes import credit_in_full
from catalogue.models import (
    CodeDeck,
    RateBatchEdit,
    RateExport,
    RateImport,
    RateNotice,
    RateNoticeFile,
    RateTable,
    Relabelling,
)
from cdr.models import Mending, Rerating, XdrChunk
from common.tries import MOST_TRIES
from customers.models import RateNotification
from payouts.services.approving import approve_statement
from payouts.services.preparing import prepare_statement
from reports.selectors.given_up import GivenUp
from tenancy.models import Provider
from tests.factories import (
    LONG_AGO,
    make_customer,
    make_product,
    make_provider,
    make_rate_table,
    make_reseller,
    make_what_if,
)
from tests.factories.billing import IN_NOVEMBER, OCTOBER, make_chunk
from tests.factories.documents import WHY, given_up
from tests.factories.payments import make_invoice
from tests.factories.payouts import day
from tests.payments.books import pay_offline

FAILED = {"state": "FAILED", "try_count": MOST_TRIES, "try_error": WHY}


def an_invoice(provider: Provider) -> Invoice:
    return make_invoice(make_customer(provider), "50.00", issued_at=IN_NOVEMBER)


def a_table(provider: Provider) -> RateTable:
    return make_rate_table(make_product(provider))


def email_of(invoice: Invoice, **fields: Any) -> InvoiceEmail:
    values = {"recipient": "office@nordwind.example", "requested_at": IN_NOVEMBER}
    return InvoiceEmail.objects.create(
        provider=invoice.provider, invoice=invoice, **values | fields
    )


def notice_of(table: RateTable, state: str, **fields: Any) -> RateNotice:
    return RateNotice.objects.create(
        provider=table.provider,
        rate_table=table,
        format="csv",
        state=state,
        requested_at=IN_NOVEMBER,
        **fields,
    )


def rate_email(table: RateTable, **fields: Any) -> RateNotification:
    """Of a notice of the table that was sent."""
    notice = notice_of(table, "SENT", recipient_count=1)
    file = RateNoticeFile.objects.create(
        provider=table.provider, notice=notice, changes={"new": 1}, examples=[], content=b""
    )
    return RateNotification.objects.create(
        provider=table.provider,
        rate_table=table,
        notice=notice,
        file=file,
        customer=make_customer(table.provider),
        addresses=["office@nordwind.example"],
        **FAILED | fields,
    )


def rate_import_of(table: RateTable, **fields: Any) -> RateImport:
    values = {"size_bytes": 1, "touched_at": IN_NOVEMBER, "received_at": IN_NOVEMBER}
    return RateImport.objects.create(
        provider=table.provider, rate_table=table, name="rates.csv", **values | fields
    )


def rate_edit_of(table: RateTable, **fields: Any) -> RateBatchEdit:
    values = {"rate_ids": [], "edit": {}, "revision": 1, "asked_at": IN_NOVEMBER}
    return RateBatchEdit.objects.create(
        provider=table.provider, rate_table=table, **values | fields
    )


def rate_export_of(table: RateTable, **fields: Any) -> RateExport:
    values = {"format": "csv", "prefix_layout": "rows", "rate_count": 0}
    return RateExport.objects.create(
        provider=table.provider, rate_table=table, requested_at=IN_NOVEMBER, **values | fields
    )


def relabelling_of(table: RateTable, **fields: Any) -> Relabelling:
    deck, _ = CodeDeck.objects.get_or_create(provider=table.provider, name="World")
    return Relabelling.objects.create(
        provider=table.provider,
        rate_table=table,
        code_deck=deck,
        requested_at=IN_NOVEMBER,
        **fields,
    )


def rerating_of(provider: Provider, **fields: Any) -> Rerating:
    return Rerating.objects.create(
        provider=provider,
        reason="New rates",
        started_from=LONG_AGO,
        started_to=LONG_AGO + timedelta(days=1),
        queued_at=LONG_AGO,
        created_at=LONG_AGO,
        **fields,
    )


def _file(provider: Provider) -> None:
    make_chunk(provider).file.mark_failed("It is gone.")


def _chunk(provider: Provider) -> None:
    XdrChunk.objects.filter(pk=make_chunk(provider).pk).update(**FAILED)


def _mending(provider: Provider) -> None:
    Mending.objects.create(
        provider=provider,
        kind="RETRY",
        last_id=1,
        row_count=1,
        created_at=LONG_AGO,
        queued_at=LONG_AGO,
        **FAILED,
    )


def _payer(provider: Provider) -> None:
    run = BillRun.objects.create(
        provider=provider,
        period_from=OCTOBER.from_date,
        period_to=OCTOBER.to_date,
        state=BillRun.State.REVIEW,
        created_at=IN_NOVEMBER,
    )
    BillRunItem.objects.create(
        provider=provider, run=run, customer=make_customer(provider), **FAILED
    )


def _credit_note(provider: Provider) -> None:
    invoice = an_invoice(provider)
    given_up(credit_in_full(invoice_id=invoice.pk, reason="Wrong", at=IN_NOVEMBER, actor_id=None))


def _statement(provider: Provider) -> None:
    draft = prepare_statement(
        reseller=make_reseller(provider),
        period=OCTOBER,
        currency="EUR",
        at=day(11, 2),
        actor_id=None,
    )
    given_up(approve_statement(statement=draft, at=day(11, 3), actor_id=None))


MAKERS: dict[GivenUp, Callable[[Provider], object]] = {
    GivenUp.FILES: _file,
    GivenUp.CHUNKS: _chunk,
    GivenUp.MENDINGS: _mending,
    GivenUp.RERATINGS: lambda provider: rerating_of(provider, **FAILED),
    GivenUp.WHAT_IFS: lambda provider: make_what_if(make_reseller(provider), **FAILED),
    GivenUp.RATE_IMPORTS: lambda provider: rate_import_of(a_table(provider), **FAILED),
    GivenUp.RATE_EDITS: lambda provider: rate_edit_of(a_table(provider), **FAILED),
    GivenUp.RELABELLINGS: lambda provider: relabelling_of(a_table(provider), **FAILED),
    GivenUp.RATE_EXPORTS: lambda provider: rate_export_of(a_table(provider), **FAILED),
    GivenUp.RATE_NOTICES: lambda provider: notice_of(a_table(provider), "FAILED"),
    GivenUp.RATE_EMAILS: lambda provider: rate_email(a_table(provider)),
    GivenUp.BILL_RUN_PAYERS: _payer,
    GivenUp.INVOICE_EMAILS: lambda provider: email_of(an_invoice(provider), **FAILED),
    GivenUp.INVOICE_DOCUMENTS: lambda provider: given_up(an_invoice(provider)),
    GivenUp.CREDIT_NOTE_DOCUMENTS: _credit_note,
    GivenUp.RECEIPT_DOCUMENTS: lambda provider: given_up(
        pay_offline(make_customer(provider), "50.00")
    ),
    GivenUp.STATEMENT_DOCUMENTS: _statement,
}


def one_of_each() -> Provider:
    """A provider of which one of each kind was given up."""
    provider = make_provider()
    for make in MAKERS.values():
        make(provider)
    return provider
