"""Telling who pays by a rate table what has changed in it since they were told last."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import chain
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import IntegrityError, transaction

from audit.services import record
from catalogue.models import RateNotice, RateNoticeFile, RateTable
from catalogue.rules.rate_changes import KnownRate, RateChange, rate_changes
from catalogue.selectors.known_rates import (
    KEYS,
    TERMS,
    known_rates,
    packed_rates,
    table_revisions,
    unpacked_rates,
)
from common.csv_files import Cell
from common.errors import DomainError
from common.jobs import enqueue
from common.scope import Scope
from common.table_files import table_file
from customers.models import RateNotification
from customers.selectors import RateRecipient, rate_recipients

State = RateNotice.State
COLUMNS = (
    *("change", "prefix", "destination", "since", "rate_before", "rate", "currency"),
    *("initial_rate", "connection_fee", "minimum", "increment", "grace", "steps", "min_cost"),
    *("max_cost", "attempt_fee", "time_profile", "tag", "origin_prefix", "policy", "min_digits"),
    *("max_digits", "status", "effective_to"),
)
EXAMPLES = 50
_AMOUNTS = {
    *("rate_before", "rate", "initial_rate", "connection_fee", "min_cost", "max_cost"),
    "attempt_fee",
}
_BATCH_ROWS = 1000
_QUEUED_FOR = timedelta(minutes=5)
_SWEPT_AT_ONCE = 1000


class NoticeOpen(DomainError):
    """Another notice of the table was prepared and is neither sent nor discarded."""


class NoticeNotPrepared(DomainError):
    """The notice is being prepared still, or was sent or discarded."""


class NoticeOutdated(DomainError):
    """The table, or what recipients were told, is not what it was when the notice was prepared."""


class NoMailServer(DomainError):
    """The installation sends no mail."""


@transaction.atomic
def request_rate_notice(
    *, table: RateTable, format: RateNotice.Format, at: datetime, actor_id: int | None
) -> RateNotice:
    """Have a worker find out what who pays by a table has to be told; nothing is sent yet.

    :raises NoticeOpen: another notice of the table waits to be sent or discarded.
    """
    RateTable.objects.select_for_update(no_key=True).get(pk=table.pk)
    if RateNotice.objects.filter(
        rate_table=table, state__in=(State.PREPARING, State.PREPARED)
    ).exists():
        raise NoticeOpen(f"Another notice of {table} is open: send or discard that one first.")
    notice = RateNotice.objects.create(
        provider_id=table.provider_id,
        rate_table=table,
        format=format,
        requested_at=at,
        requested_by_id=actor_id,
    )
    enqueue("customers.prepare_rate_notice", notice_id=notice.pk)
    return notice


@transaction.atomic
def prepare_rate_notice(*, notice_id: int, at: datetime) -> int:
    """Write the file for each group of recipients; how many there are to be told something.

    All of it or nothing; what is prepared is left alone.
    """
    notice = RateNotice.objects.select_for_update(no_key=True).get(pk=notice_id)
    if notice.state != State.PREPARING:
        return 0
    scope = Scope.system(notice.provider_id)
    table = notice.rate_table
    notice.revisions = table_revisions(scope, table)
    notice.rate_count, snapshot = packed_rates(known_rates(scope, table, at))
    notice.snapshot = snapshot
    notice.prepared_at = at
    recipients = rate_recipients(scope, table, at)
    groups: dict[int | None, list[RateRecipient]] = {}
    last = _last_told(notice)
    for recipient in recipients:
        groups.setdefault(last.get(_party(recipient)), []).append(recipient)
    told = 0
    for since_id, members in groups.items():
        changes = rate_changes(_told_by(since_id), unpacked_rates(snapshot), at)
        if (first := next(changes, None)) is not None:
            told += len(members)
            _add_file(notice, since_id, chain([first], changes), members)
    notice.mark_prepared(told, len(recipients) - told, at)
    notice.save()
    return told


def give_up_rate_notice(*, notice_id: int, at: datetime) -> None:
    """Leave a notice unprepared that cannot be prepared; another one may be asked for."""
    RateNotice.objects.filter(pk=notice_id, state=State.PREPARING).update(
        state=State.FAILED, prepared_at=at
    )


@transaction.atomic
def send_rate_notice(*, notice: RateNotice, at: datetime, actor_id: int | None) -> int:
    """Have every recipient of a prepared notice sent its file; how many there are.

    :raises NoMailServer: if the installation has none.
    :raises NoticeNotPrepared: it is not prepared yet, or was sent or discarded.
    :raises NoticeOutdated: the table has changed since, or a recipient was told meanwhile.
    """
    if not settings.EMAIL_URL:
        raise NoMailServer("No mail server is set up (EMAIL_URL); download the file and send that.")
    RateTable.objects.select_for_update(no_key=True).get(pk=notice.rate_table_id)
    notice = _prepared(notice)
    table = notice.rate_table
    if notice.revisions != table_revisions(Scope.system(notice.provider_id), table):
        raise NoticeOutdated(f"{table} has changed since: discard this notice and prepare another.")
    drafts = RateNotification.objects.filter(notice=notice, state=RateNotification.State.DRAFT)
    ids = list(drafts.order_by("pk").values_list("pk", flat=True))
    try:
        with transaction.atomic():
            drafts.update(state=RateNotification.State.QUEUED, queued_at=at)
    except IntegrityError as error:
        raise NoticeOutdated("Somebody was told meanwhile: prepare another notice.") from error
    notice.state, notice.sent_at = State.SENT, at
    notice.save(update_fields=["state", "sent_at"])
    _record(notice, "rate_table.notice_sent", at, actor_id)
    for notification_id in ids:
        enqueue("customers.send_rate_notification", notification_id=notification_id)
    return len(ids)


@transaction.atomic
def discard_rate_notice(*, notice: RateNotice, at: datetime, actor_id: int | None) -> None:
    """Throw a prepared notice away; who was to be told will be told by the next one.

    :raises NoticeNotPrepared: it is not prepared yet, or was sent or discarded.
    """
    notice = _prepared(notice)
    RateNotification.objects.filter(notice=notice).delete()
    RateNoticeFile.objects.filter(notice=notice).delete()
    notice.state, notice.snapshot = State.DISCARDED, None
    notice.save(update_fields=["state", "snapshot"])
    _record(notice, "rate_table.notice_discarded", at, actor_id)


def queue_unfinished(*, at: datetime) -> int:
    """Queue notices and their e-mails whose task was lost, the oldest first; how many."""
    before = at - _QUEUED_FOR
    notices = RateNotice.objects.filter(state=State.PREPARING, requested_at__lt=before)
    for notice_id in (ids := list(notices.values_list("pk", flat=True)[:_SWEPT_AT_ONCE])):
        enqueue("customers.prepare_rate_notice", notice_id=notice_id)
    waiting = RateNotification.objects.filter(
        state=RateNotification.State.QUEUED, queued_at__lt=before
    )
    lost = list(waiting.order_by("pk").values_list("pk", flat=True)[:_SWEPT_AT_ONCE])
    for notification_id in lost:
        enqueue("customers.send_rate_notification", notification_id=notification_id)
    return len(ids) + len(lost)


def _party(recipient: RateRecipient) -> tuple[int | None, int | None]:
    return (
        recipient.customer.pk if recipient.customer else None,
        recipient.reseller.pk if recipient.reseller else None,
    )


def _last_told(notice: RateNotice) -> dict[tuple[int | None, int | None], int]:
    """The notice of the table that each party was sent last, or is being sent."""
    rows = RateNotification.objects.filter(
        rate_table=notice.rate_table_id,
        state__in=(RateNotification.State.QUEUED, RateNotification.State.SENT),
    )
    told = rows.order_by("pk").values_list("customer_id", "reseller_id", "notice_id")
    return {(customer_id, reseller_id): notice_id for customer_id, reseller_id, notice_id in told}


def _told_by(notice_id: int | None) -> Iterable[KnownRate]:
    if notice_id is None:
        return ()
    snapshot = RateNotice.objects.values_list("snapshot", flat=True).get(pk=notice_id)
    return unpacked_rates(bytes(snapshot or b""))


def _add_file(
    notice: RateNotice,
    since_id: int | None,
    changes: Iterable[RateChange],
    members: Iterable[RateRecipient],
) -> None:
    kinds: Counter[str] = Counter()
    examples: list[list[str]] = []
    lines = _lines(notice.rate_table, changes, kinds, examples)
    content = table_file(notice.format, "Rates", COLUMNS, lines)
    file = RateNoticeFile.objects.create(
        provider_id=notice.provider_id,
        notice=notice,
        since_id=since_id,
        changes=kinds,
        examples=examples,
        content=content,
    )
    RateNotification.objects.bulk_create(
        (
            RateNotification(
                provider_id=notice.provider_id,
                rate_table_id=notice.rate_table_id,
                notice=notice,
                since_id=since_id,
                file=file,
                customer=member.customer,
                reseller=member.reseller,
                addresses=member.addresses,
            )
            for member in members
        ),
        batch_size=_BATCH_ROWS,
    )


def _lines(
    table: RateTable,
    changes: Iterable[RateChange],
    kinds: Counter[str],
    examples: list[list[str]],
) -> Iterator[Sequence[Cell]]:
    """The line of each change; on the way they are counted by kind, and the first ones kept."""
    zone = ZoneInfo(table.time_zone)
    for change in changes:
        line = _line(table, change, zone)
        kinds[change.kind.value] += 1
        if len(examples) < EXAMPLES:
            examples.append([_told(cell) for cell in line])
        yield line


def _line(table: RateTable, change: RateChange, zone: ZoneInfo) -> Sequence[Cell]:
    shown = change.shown
    cells = dict(zip(KEYS, shown.key, strict=True)) | {name: shown.terms[name] for name in TERMS}
    cells |= {
        "change": change.kind.value,
        "since": change.since.astimezone(zone).isoformat(),
        "rate_before": change.before.terms["rate"] if change.before else "",
        "rate": change.after.terms["rate"] if change.after else "",
        "currency": table.currency,
        "time_profile": shown.terms["hours"],
        "effective_to": shown.ends_at.astimezone(zone).isoformat() if shown.ends_at else "",
    }
    return [_cell(name, cells[name]) for name in COLUMNS]


def _told(cell: Cell) -> str:
    return f"{cell:f}" if isinstance(cell, Decimal) else str(cell)


def _cell(column: str, text: str) -> Cell:
    """Amounts as numbers, which a minus makes no formula."""
    return Decimal(text) if text and column in _AMOUNTS else text


def _prepared(notice: RateNotice) -> RateNotice:
    rows = RateNotice.objects.select_related("rate_table")
    notice = rows.select_for_update(no_key=True, of=("self",)).get(pk=notice.pk)
    if notice.state != State.PREPARED:
        raise NoticeNotPrepared(f"The notice is {notice.get_state_display().lower()}.")
    return notice


def _record(notice: RateNotice, action: str, at: datetime, actor_id: int | None) -> None:
    record(
        provider_id=notice.provider_id,
        action=action,
        changed=notice.rate_table,
        at=at,
        actor_id=actor_id,
        after={"notice": notice.pk, "recipients": notice.recipient_count},
    )
