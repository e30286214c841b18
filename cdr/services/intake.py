"""Receiving files of xDRs: stored, fingerprinted and queued; the same bytes never twice."""

import os
import uuid
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.db import IntegrityError, transaction

from audit.services import record
from cdr.importers.chunks import first_lines
from cdr.importers.fingerprints import Fingerprint
from cdr.importers.formats import ADAPTERS
from cdr.importers.unpacking import copy_text
from cdr.models import Source, XdrFile
from cdr.services import stores
from cdr.services.sources import source_terms
from common.errors import DomainError
from common.jobs import enqueue


class SourceDisabled(DomainError):
    """The source was switched off: it takes no files any more."""


class XdrFileKnown(DomainError):
    """The provider has received the very same bytes before."""


class XdrFileEmpty(DomainError):
    """The file holds nothing."""


class XdrFileUnlikeSource(DomainError):
    """No line of the file could be read as its source says."""


@dataclass(frozen=True, slots=True)
class _Stored:
    path: Path
    store: str
    sha256: str
    size_bytes: int
    header: str


def receive_file(
    *,
    content: BinaryIO,
    name: str,
    source: Source,
    at: datetime,
    actor_id: int | None,
    stored_name: str | None = None,
) -> XdrFile:
    """Keep a file of xDRs, plain, gzip or zip, and have it rated in the background.

    It is stored as text, safe on disk before it is known to the database, so that a received file
    is never lost. The fingerprint and size are those of the bytes as received. `content` can be
    read from its start again. Whoever may be stopped before the answer arrives gives a
    `stored_name` of its own, to see afterwards by it whether the file was received.

    :raises SourceDisabled: the source takes no files any more.
    :raises XdrFileKnown: the provider received the same bytes before, or at the same time.
    :raises XdrFileEmpty: no bytes, or compressed from none.
    :raises XdrFileUnlikeSource: its header is none of the source's format.
    :raises FileTooLarge: more text than settings.XDR_FILE_BYTES.
    :raises FileExpandsTooMuch, ArchiveRefused, FileUnreadable: as `copy_text`.
    """
    if not Source.objects.filter(pk=source.pk, is_enabled=True).exists():
        raise SourceDisabled(f"{source} is disabled; enable it, or choose another source.")
    with (
        _stored(content, name, source, stored_name or f"{uuid.uuid4().hex}.xdr") as stored,
        _refusing_known(name, source, stored.sha256),
        transaction.atomic(),
    ):
        file = XdrFile.objects.create(
            provider_id=source.provider_id,
            source=source,
            name=name,
            sha256=stored.sha256,
            size_bytes=stored.size_bytes,
            stored_name=stored.path.name,
            store=stored.store,
            header=stored.header,
            received_at=at,
            received_by_id=actor_id,
        )
        record(
            provider_id=source.provider_id,
            action="xdr_file.received",
            changed=file,
            at=at,
            actor_id=actor_id,
            after={"name": name, "sha256": stored.sha256, "source": source.slug},
        )
        _go_with_the_transaction(stored.path)
        enqueue("cdr.split_file", file_id=file.pk)
    return file


class _Pledge:
    """Held by what runs after the commit: given up where that is not reached."""


def _go_with_the_transaction(path: Path) -> None:
    """Take the stored file away if a transaction around this one is rolled back.

    Django forgets what was to run after the commit then, and with it the pledge. Whoever is killed
    in between leaves a file that nobody knows, never a file that is missing.
    """
    pledge = _Pledge()
    removal = weakref.finalize(pledge, _remove, path)
    removal.atexit = False  # type: ignore[misc]  # typeshed takes it for a slot
    transaction.on_commit(partial(_keep, pledge, removal))


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()


def _keep(_: _Pledge, removal: "weakref.finalize[..., _Pledge]") -> None:
    removal.detach()


@contextmanager
def _refusing_known(name: str, source: Source, sha256: str) -> Iterator[None]:
    same = XdrFile.objects.filter(provider_id=source.provider_id, sha256=sha256)
    try:
        _refuse_known(name, same.first())
        yield
    except IntegrityError:
        # Received twice at the same time: the unique constraint let the other one pass.
        _refuse_known(name, same.first())
        raise


def _refuse_known(name: str, known: XdrFile | None) -> None:
    if known is not None:
        raise XdrFileKnown(
            f"{name} was received before, as file {known.pk} ({known.name}) on"
            f" {known.received_at:%Y-%m-%d %H:%M} UTC: nothing was imported."
        )


@contextmanager
def _stored(content: BinaryIO, name: str, source: Source, stored_name: str) -> Iterator[_Stored]:
    """The file in the store; taken away again if the block fails."""
    store = stores.prepare()
    path = stores.folder() / stored_name
    try:
        received = Fingerprint(content)
        with path.open("wb") as target:
            size = copy_text(received, target, name=name, max_bytes=settings.XDR_FILE_BYTES)
            target.flush()
            os.fsync(target.fileno())
        if not size:
            raise XdrFileEmpty(f"{name} is empty: nothing was imported.")
        header = _header(path, name, source)
        stores.sync()
        yield _Stored(path, store, received.hexdigest(), received.size_bytes, header)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _header(path: Path, name: str, source: Source) -> str:
    """The lines in front of a stored file that name its columns."""
    terms = source_terms(source.pk)
    adapter = ADAPTERS[terms.format]
    header = "\n".join(first_lines(path, adapter.header_lines(terms.mapping)))
    fault = adapter.fault(terms.reading(header, terms.mapping))
    if fault is not None:
        what = source.get_format_display()
        raise XdrFileUnlikeSource(f"{name} cannot be read as {what}: {fault}.")
    return header
