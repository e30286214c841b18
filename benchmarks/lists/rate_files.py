"""Files of rates that came in and went out: imports with their rows, templates, notices."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from catalogue.models import (
    Rate,
    RateFileTemplate,
    RateImport,
    RateImportRow,
    RateNotice,
    RateNoticeFile,
    RateTable,
)
from customers.models import Customer, RateNotification
from tenancy.models import Provider
from tests.factories.rerating import RERATED_AT

OFTEN = 100


def exchange_files(table: RateTable) -> None:
    """As many imports, templates and notices of the table; the first of each has all its rows."""
    imports = [_import(table, RERATED_AT + timedelta(days=number)) for number in range(OFTEN)]
    _compare(imports[0])
    RateFileTemplate.objects.bulk_create(
        RateFileTemplate(
            provider=table.provider,
            name=f"Vendor {number}",
            layout={"columns": {"prefix": "Code"}},
            options={},
            created_at=RERATED_AT,
        )
        for number in range(OFTEN)
    )
    notices = [_notice(table, RERATED_AT + timedelta(days=number)) for number in range(OFTEN)]
    customers = Customer.objects.filter(provider=table.provider).order_by("pk")
    _tell(notices[0], None, list(customers))
    for since, notice in pairwise(notices):
        _tell(notice, since, [customers[0]])


def exchanged(provider: Provider) -> Mapping[str, object]:
    """Those with the most rows below them, by the arguments of addresses."""
    return {
        "import_id": RateImport.objects.filter(provider=provider).earliest("pk").pk,
        "notice_id": RateNotice.objects.filter(provider=provider).earliest("pk").pk,
    }


def _import(table: RateTable, at: datetime) -> RateImport:
    return RateImport.objects.create(
        provider=table.provider,
        rate_table=table,
        name="rates.csv",
        size_bytes=1,
        state=RateImport.State.COMPARED,
        counts={"new": 1},
        touched_at=at,
        received_at=at,
    )


def _compare(sent: RateImport) -> None:
    """A row for every rate of the table, which all rise."""
    rates = Rate.objects.filter(rate_table=sent.rate_table).order_by("pk")
    RateImportRow.objects.bulk_create(
        RateImportRow(
            provider=sent.provider,
            rate_import=sent,
            number=number + 1,
            line=number + 2,
            row_class=RateImportRow.RowClass.INCREASED,
            action=RateImportRow.Action.INSERT,
            prefix=rate.prefix,
            destination=rate.destination,
            effective_from=RERATED_AT,
            before_rate=rate.rate,
            rate=rate.rate * 2,
            connection_fee=Decimal(0),
            attempt_fee=Decimal(0),
            minimum=rate.minimum,
            increment=rate.increment,
            grace=0,
        )
        for number, rate in enumerate(rates)
    )


def _notice(table: RateTable, at: datetime) -> RateNotice:
    return RateNotice.objects.create(
        provider=table.provider,
        rate_table=table,
        format=RateNotice.Format.CSV,
        state=RateNotice.State.SENT,
        requested_at=at,
        prepared_at=at,
        sent_at=at,
    )


def _tell(notice: RateNotice, since: RateNotice | None, customers: list[Customer]) -> None:
    file = RateNoticeFile.objects.create(
        provider=notice.provider,
        notice=notice,
        since=since,
        changes={"new": 1},
        examples=[],
        content=b"",
    )
    RateNotification.objects.bulk_create(
        RateNotification(
            provider=notice.provider,
            rate_table=notice.rate_table,
            notice=notice,
            since=since,
            file=file,
            customer=customer,
            addresses=[customer.email],
            state=RateNotification.State.SENT,
            sent_at=notice.sent_at,
        )
        for customer in customers
    )
