"""Asking for something to be done about suspense; a worker does it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from zoneinfo import ZoneInfo

from django.db import transaction

from audit.services import record_owned
from cdr.models import Mending
from cdr.models.mending import WIDTHS
from cdr.rules.mending import CORRECTABLE, FIELDS, START, Change, ChangeKind, Choice, parse_start
from cdr.rules.suspense import Suspended
from cdr.selectors.suspense import chosen_suspense, rows_of_mending
from cdr.services.mending_chunks import mend_chunk
from cdr.services.races import run_in_transaction
from cdr.services.splitting import PATIENCE, unlocked_ids
from common.errors import DomainError
from common.jobs import enqueue
from common.scope import Scope
from common.tries import start_anew
from common.zones import is_time_zone

State = Mending.State
Kind = Mending.Kind
MOST_CHOSEN = 1000
"""Rows that can be chosen one by one."""


class NothingChosen(DomainError):
    """Nothing of what was chosen waits any more."""


class ChoiceChanged(DomainError):
    """Other rows are chosen by now than whoever agreed to it was told."""


class ReasonMissing(DomainError):
    """What is accepted or discarded must say why."""


class NotAcceptable(DomainError):
    """Only what came too early or too late can be accepted as it is."""


class ChangeRefused(DomainError):
    """The correction says nothing, or more than a field can hold."""


class NotTakenBack(DomainError):
    """It discarded nothing, is not over, or was taken back."""


class MendingNotFailed(DomainError):
    """Only what was given up is started again."""


@transaction.atomic
def ask_for_mending(
    *,
    provider_id: int,
    kind: Mending.Kind,
    choice: Choice,
    change: Change | None = None,
    note: str = "",
    stated_count: int | None = None,
    at: datetime,
    actor_id: int | None,
) -> Mending:
    """Have chosen suspense tried again, corrected, accepted or discarded by a worker.

    `stated_count` is how many rows whoever agreed to it was told of.

    :raises NothingChosen: nothing of it waits.
    :raises ChoiceChanged: as many do not wait any more, or more do.
    :raises ReasonMissing: accepting or discarding needs a `note`.
    :raises NotAcceptable: the choice is not of what is too old, or in the future.
    :raises ChangeRefused: a correction that changes nothing, or to what cannot be.
    """
    scope = Scope.system(provider_id)
    if kind in (Kind.ACCEPT, Kind.DISCARD) and not note.strip():
        raise ReasonMissing("Say why: it is kept.", by_field={"note": "Say why: it is kept."})
    if kind == Kind.ACCEPT and choice.reason not in (Suspended.TOO_OLD, Suspended.IN_FUTURE):
        raise NotAcceptable("Only what is too old, or in the future, can be accepted as it is.")
    assert (change is not None) == (kind == Kind.CORRECT)
    if change is not None:
        check_change(change)
    rows = chosen_suspense(scope, choice)
    mending = _asked(provider_id, kind, choice, change, note, at, actor_id)
    newest = rows.order_by("-pk").values_list("pk", flat=True).first()
    if newest is None:
        raise NothingChosen("Nothing of it waits any more.")
    mending.last_id = newest
    mending.row_count = _as_stated(rows.filter(pk__lte=newest).count(), stated_count)
    return _begun(mending, _said(choice, change))


@transaction.atomic
def take_back(
    *, mending_id: int, stated_count: int | None = None, at: datetime, actor_id: int | None
) -> Mending:
    """Have what was discarded wait again, `stated_count` as for `ask_for_mending`.

    :raises NotTakenBack: it discarded nothing, is not over, or all of it was taken back.
    :raises ChoiceChanged: more or fewer rows are discarded still.
    """
    undone = Mending.objects.select_for_update(no_key=True).get(pk=mending_id)
    if undone.kind != Kind.DISCARD or undone.state != State.DONE:
        raise NotTakenBack(f"{undone} has not discarded anything, or is not over yet.")
    mending = _asked(undone.provider_id, Kind.REOPEN, Choice(), None, "", at, actor_id)
    mending.undone = undone
    rows = rows_of_mending(mending)
    mending.row_count = rows.count()
    mending.last_id = rows.order_by("-pk").values_list("pk", flat=True).first() or 0
    if not mending.row_count:
        raise NotTakenBack(f"Nothing that {undone} discarded is discarded still.")
    _as_stated(mending.row_count, stated_count)
    return _begun(mending, {"undone": undone.pk})


def _as_stated(row_count: int, stated_count: int | None) -> int:
    if stated_count is not None and row_count != stated_count:
        raise ChoiceChanged(
            f"{row_count:,} rows are chosen by now, and no longer {stated_count:,}: look again."
        )
    return row_count


def check_change(change: Change) -> None:
    """Whether a correction can be.

    :raises ChangeRefused: it says nothing, or what no field can hold; the message says why.
    """
    fault = _fault_of_start(change) if change.field == START else _fault(change)
    if fault is not None:
        name, why = fault
        raise ChangeRefused(why, by_field={name: why})


def _fault(change: Change) -> tuple[str, str] | None:
    if change.kind in (ChangeKind.PREFIX, ChangeKind.TEXT):
        if not change.old_text:
            return "old_text", "Say what is to be read otherwise."
        if change.old_text == change.new_text:
            return "new_text", "This is the same text."
    if not change.kind.is_of_lines:
        longest = WIDTHS[change.field]
        if len(change.new_text) > longest:
            return "new_text", f"{FIELDS[change.field]} has at most {longest} characters."
    # What an xDR is known by is put together with a control character that no field holds.
    is_unfit = not change.kind.is_of_lines and not change.new_text.isprintable()
    if is_unfit or "\0" in change.new_text or "\n" in change.new_text:
        return "new_text", "Write one line of text, without control characters."
    if change.kind is ChangeKind.ZONE and change.new_text and not is_time_zone(change.new_text):
        return "new_text", "There is no time zone of this name."
    return None


def _fault_of_start(change: Change) -> tuple[str, str] | None:
    if change.kind is not ChangeKind.SET:
        return "kind", "A start is said as a whole."
    try:
        parse_start(change.new_text, ZoneInfo("UTC")).astimezone(UTC)
    except (ValueError, OverflowError):
        why = "Write a date and time such as 2026-10-05 14:30:00, with an offset or without."
        return "new_text", why
    return None


def work_on_mending(*, mending_id: int, clock: Callable[[], datetime]) -> int:
    """Deal with what is left; returns how many transactions that took.

    Lines of a chunk that became no xDRs are one, its xDRs another: each takes counters of
    allowances and then totals of tiers, once, as everybody does. Whoever is stopped in between
    leaves the rest to the next.
    """
    mending = Mending.objects.get(pk=mending_id)
    chosen = rows_of_mending(mending).order_by()
    lines = chosen.filter(xdr_id=None, chunk_id__gt=mending.done_lines_chunk_id)
    xdrs = chosen.filter(xdr_id__isnull=False, chunk_id__gt=mending.done_chunk_id)
    parts = sorted(
        (chunk_id, is_of_xdrs)
        for is_of_xdrs, rows in ((False, lines), (True, xdrs))
        for chunk_id in rows.values_list("chunk_id", flat=True).distinct()
    )
    for chunk_id, is_of_xdrs in parts:
        run_in_transaction(partial(_work_on_part, mending_id, chunk_id, is_of_xdrs, clock()))
    run_in_transaction(partial(_finish, mending_id, clock()))
    return len(parts)


@transaction.atomic
def requeue_lost_mendings(*, at: datetime) -> int:
    """Queue again those that nobody has worked on for PATIENCE; returns how many.

    A message too many does no harm: it finds nothing left to do.
    """
    lost = Mending.objects.filter(state=State.AT_WORK, queued_at__lte=at - PATIENCE)
    mending_ids = unlocked_ids(lost)
    Mending.objects.filter(pk__in=mending_ids).update(queued_at=at)
    for mending_id in mending_ids:
        enqueue("cdr.mend_suspense", mending_id=mending_id)
    return len(mending_ids)


@transaction.atomic
def give_up_mending(*, mending_id: int, at: datetime) -> None:
    """End a mending that always fails; what it did so far stays, the rest waits as before."""
    mending = Mending.objects.select_for_update(no_key=True).get(pk=mending_id)
    if mending.state != State.AT_WORK:
        return
    mending.state = State.FAILED
    mending.save(update_fields=["state"])
    why = {"error": mending.try_error, "done": mending.done_count}
    record_owned(mending, "suspense.mending_given_up", at=at, actor_id=None, after=why)


@transaction.atomic
def start_mending_again(*, mending_id: int, at: datetime, actor_id: int | None) -> Mending:
    """Have a mending that was given up go on where it failed.

    :raises MendingNotFailed: it was not given up, or was started again already.
    """
    mending = Mending.objects.select_for_update(no_key=True).get(pk=mending_id)
    if mending.state != State.FAILED:
        raise MendingNotFailed(f"{mending} is {mending.get_state_display().lower()}.")
    before = {"error": mending.try_error}
    start_anew(mending)
    mending.state, mending.queued_at = State.AT_WORK, at
    mending.save()
    done = {"done": mending.done_count}
    record_owned(
        mending,
        "suspense.mending_started_again",
        at=at,
        actor_id=actor_id,
        before=before,
        after=done,
    )
    enqueue("cdr.mend_suspense", mending_id=mending.pk)
    return mending


def _work_on_part(mending_id: int, chunk_id: int, is_of_xdrs: bool, at: datetime) -> None:
    mending = Mending.objects.select_for_update(no_key=True).get(pk=mending_id)
    done = "done_chunk_id" if is_of_xdrs else "done_lines_chunk_id"
    if mending.state != State.AT_WORK or chunk_id <= getattr(mending, done):
        return
    rows = rows_of_mending(mending).filter(xdr_id__isnull=not is_of_xdrs)
    mended = mend_chunk(mending, rows, chunk_id, at)
    setattr(mending, done, chunk_id)
    # Only tries that bring it no further use it up.
    mending.queued_at, mending.try_count = at, 0
    mending.freed_count += mended.freed
    mending.waiting_count += sum(mended.waiting.values())
    mending.left_count += mended.left
    mending.waiting_counts = dict(Counter(mending.waiting_counts) + Counter(mended.waiting))
    mending.save()


def _finish(mending_id: int, at: datetime) -> None:
    mending = Mending.objects.select_for_update(no_key=True).get(pk=mending_id)
    if mending.state != State.AT_WORK:
        return
    mending.state, mending.finished_at = State.DONE, at
    mending.save(update_fields=["state", "finished_at"])
    counts = {
        "freed": mending.freed_count,
        "waiting": mending.waiting_count,
        "left": mending.left_count,
    }
    record_owned(mending, "suspense.mended", at=at, actor_id=mending.created_by_id, after=counts)


def _asked(
    provider_id: int,
    kind: Mending.Kind,
    choice: Choice,
    change: Change | None,
    note: str,
    at: datetime,
    actor_id: int | None,
) -> Mending:
    return Mending(
        provider_id=provider_id,
        kind=kind,
        note=note.strip(),
        **asdict(choice) | {"suspense_ids": list(choice.suspense_ids)},
        change=change.kind if change else "",
        field=change.field if change else "",
        old_text=change.old_text if change else "",
        new_text=change.new_text if change else "",
        last_id=0,
        row_count=0,
        created_at=at,
        created_by_id=actor_id,
        queued_at=at,
    )


def _begun(mending: Mending, after: dict[str, object]) -> Mending:
    mending.save()
    record_owned(
        mending,
        "suspense.mending_asked",
        at=mending.created_at,
        actor_id=mending.created_by_id,
        before={"rows": mending.row_count},
        after={"kind": mending.kind, "why": mending.note, **after},
    )
    enqueue("cdr.mend_suspense", mending_id=mending.pk)
    return mending


def _said(choice: Choice, change: Change | None) -> dict[str, object]:
    """What was chosen and is changed, as the audit log keeps it."""
    chosen = {name: value for name, value in asdict(choice).items() if value not in ("", None, ())}
    if change is None:
        return chosen
    what = CORRECTABLE.get(change.field, "line")
    return {**chosen, "change": change.kind, what: f"{change.old_text} → {change.new_text}"}
