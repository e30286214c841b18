"""How people name one xDR: its start in microseconds, which finds the month, and its id."""

import re
from datetime import datetime

from cdr.rules.instants import from_microseconds, to_microseconds

XDR_KEY = r"[0-9]{1,17}-[0-9]{1,19}"
PLACE_BITS = 18
"""An xDR's id is its chunk's id, shifted by this, plus its place in the chunk."""


def parse_xdr_key(text: str) -> tuple[datetime, int]:
    """Start and id of the xDR named by `1759654800000000-42`.

    :raises ValueError: not such a name, or a start beyond the calendar.
    """
    if not re.fullmatch(XDR_KEY, text):
        raise ValueError(
            f"'{text}' names no xDR; copy it from the address of its page,"
            " such as 1759654800000000-42"
        )
    started_at, _, xdr_id = text.partition("-")
    try:
        return from_microseconds(int(started_at)), int(xdr_id)
    except OverflowError as error:
        raise ValueError(f"'{text}' starts beyond the calendar") from error


def format_xdr_key(started_at: datetime, xdr_id: int) -> str:
    """The name that `parse_xdr_key` reads."""
    return f"{to_microseconds(started_at)}-{xdr_id}"
