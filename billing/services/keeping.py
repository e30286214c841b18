"""Making PDFs once and keeping them, whatever they are of; those that always fail are given up."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from audit.services import record_owned
from billing.models import KeptDocument
from common.errors import DomainError
from common.tries import start_anew, tried
from tenancy.owned import ProviderOwned

State = KeptDocument.State


class DocumentNotFailed(DomainError):
    """The PDF is there, or workers are at it."""


@dataclass(frozen=True)
class Printed:
    """What has a document: the reference that leads from that to it, and its name in the audit."""

    of: ProviderOwned
    model: type[KeptDocument]
    reference: str
    name: str

    @property
    def rows(self) -> QuerySet[Any]:
        """The row of its document, where there is one."""
        return self.model.objects.filter(**{self.reference: self.of.pk})

    def expect(self) -> None:
        """See to it that the row is there: of two that add it at once, the first one's stays."""
        row = self.model(provider_id=self.of.provider_id, **{f"{self.reference}_id": self.of.pk})
        self.model.objects.bulk_create([row], ignore_conflicts=True)


def make_document(printed: Printed, *, render: Callable[[], bytes], at: datetime) -> bool:
    """Render what waits to be, and keep it; whether it was.

    Until the last try has failed, its error is raised.
    """
    printed.expect()
    answer = tried(
        printed.rows.filter(state=State.WAITING),
        clock=lambda: at,
        work=lambda: keep_document(printed, content=render(), at=at),
        give_up=lambda _: _give_up(printed, at),
    )
    return bool(answer)


@transaction.atomic
def keep_document(printed: Printed, *, content: bytes, at: datetime) -> bool:
    """Keep a PDF for ever; false if one is kept already."""
    document = _locked(printed)
    if document.state == State.DONE:
        return False
    document.mark_done(content, at)
    document.save()
    return True


@transaction.atomic
def start_document_again(printed: Printed, *, at: datetime, actor_id: int | None) -> None:
    """Give a document that was given up five tries more; the caller queues it.

    :raises DocumentNotFailed: it was not given up, or was started again already.
    """
    document = _locked(printed)
    if document.state != State.FAILED:
        raise DocumentNotFailed("The PDF was not given up: there is nothing to start again.")
    before = {"error": document.try_error}
    start_anew(document)
    document.state = State.WAITING
    document.save()
    action = f"{printed.name}.document_started_again"
    record_owned(printed.of, action, at=at, actor_id=actor_id, before=before)


@transaction.atomic
def _give_up(printed: Printed, at: datetime) -> None:
    document = _locked(printed)
    if document.state != State.WAITING:
        return
    document.state = State.FAILED
    document.save()
    action, why = f"{printed.name}.document_given_up", {"error": document.try_error}
    record_owned(printed.of, action, at=at, actor_id=None, after=why)


def _locked(printed: Printed) -> KeptDocument:
    document: KeptDocument = printed.rows.select_for_update(no_key=True).get()
    return document
