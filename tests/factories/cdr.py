"""Calls as FreeSWITCH writes them, and files of them imported without a worker."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

from cdr.models import Leg, LegKind, PartyKind, Source, XdrChunk, XdrFile
from cdr.services.chunks import rate_chunk
from cdr.services.intake import receive_file
from cdr.services.splitting import split_file

CALL_AT = datetime(2026, 10, 5, 9, 0, tzinfo=UTC)
IMPORT_AT = datetime(2026, 10, 6, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
_serial = itertools.count(1)


@dataclass(frozen=True, kw_only=True)
class Call:
    """One line of a FreeSWITCH `mod_cdr_csv` file, the 15 columns of its shipped template."""

    account: str = ""
    to: str = "493012345678"
    caller: str = "4915112345678"
    started_at: datetime = CALL_AT
    seconds: int = 120
    ringing: int = 5
    uuid: str = field(default_factory=lambda: f"call-{next(_serial)}")
    zone: ZoneInfo = BERLIN

    @property
    def line(self) -> str:
        start = self.started_at.astimezone(self.zone)
        answer = start + timedelta(seconds=self.ringing)
        end = answer + timedelta(seconds=self.seconds)
        duration = self.ringing + self.seconds
        answered = f"{answer:%Y-%m-%d %H:%M:%S}" if self.seconds else ""
        cause = "NORMAL_CLEARING" if self.seconds else "NO_ANSWER"
        fields = (
            *("Anna", self.caller, self.to, "default"),
            *(f"{start:%Y-%m-%d %H:%M:%S}", answered, f"{end:%Y-%m-%d %H:%M:%S}"),
            *(str(duration), str(self.seconds), cause, self.uuid, "", self.account),
            *("PCMA", "PCMA"),
        )
        return ",".join(f'"{value}"' for value in fields)

    def again(self, **changes: Any) -> "Call":
        """The same call, but for the changes."""
        return replace(self, **changes)


def file_of(lines: Iterable[Call | str]) -> bytes:
    """The lines as the bytes of a file."""
    texts = (entry.line if isinstance(entry, Call) else entry for entry in lines)
    return "".join(f"{text}\n" for text in texts).encode()


def receive(source: Source, lines: Iterable[Call | str], at: datetime = IMPORT_AT) -> XdrFile:
    """A received file, not split yet."""
    name = f"calls-{next(_serial)}.csv"
    return receive_file(
        content=BytesIO(file_of(lines)), name=name, source=source, at=at, actor_id=None
    )


def import_lines(source: Source, lines: Iterable[Call | str], at: datetime = IMPORT_AT) -> XdrFile:
    """Receive a file of the lines and rate all its chunks, as workers would."""
    file = receive(source, lines, at)
    split_file(file_id=file.pk, at=at)
    for chunk_id in file.chunks.order_by("number").values_list("pk", flat=True):
        rate_chunk(chunk_id=chunk_id, at=at)
    file.refresh_from_db()
    return file


@dataclass(frozen=True)
class Owed:
    """A leg in short: who owes whom how much."""

    kind: LegKind
    payer: tuple[PartyKind, int]
    payee: tuple[PartyKind, int]
    amount: Decimal


def legs_of(file: XdrFile) -> list[Owed]:
    """The legs of a file's xDRs in the order of calls and legs."""
    rows = Leg.objects.filter(xdr_id__gte=min_xdr_id(file), xdr_id__lt=max_xdr_id(file)).order_by(
        "xdr_id", "number"
    )
    return [
        Owed(
            LegKind(leg.kind),
            (PartyKind(leg.payer_kind), leg.payer_id),
            (PartyKind(leg.payee_kind), leg.payee_id),
            leg.amount,
        )
        for leg in rows
    ]


def min_xdr_id(file: XdrFile) -> int:
    """The least id an xDR of the file can have."""
    return min(_chunk_ids(file)) << 18


def max_xdr_id(file: XdrFile) -> int:
    """The id after the greatest an xDR of the file can have."""
    return (max(_chunk_ids(file)) + 1) << 18


def _chunk_ids(file: XdrFile) -> list[int]:
    return list(XdrChunk.objects.filter(file=file).values_list("pk", flat=True))
