"""The elements that a part repeats by the hundred thousand, as texts and not as XML.

Spreadsheets write rows and shared texts in a handful of ways. What is written so is told by one
expression and taken apart in columns, many times as fast as an XML parser calls back for each tag.
From the first element on that is written in any other way, the XML parser reads all that follows.
"""

from codecs import BOM_UTF8
from collections.abc import Iterator
from itertools import chain
from typing import IO

import polars as pl

from catalogue.importers.xml_parts import XmlReader, unpacked

ATTRIBUTES = r'(?: [A-Za-z0-9:_.-]+="[^"<>&]*")*'
# No control characters, and no references but those that every writer makes.
TEXT = r"(?:[^<&\x00-\x08\x0B-\x1F]|&(?:amp|lt|gt|quot|apos);)*"

_RUN_BYTES = 1 << 22
_MOST_HEAD_BYTES = 1 << 16
_MOST_ELEMENT_BYTES = 1 << 17
_REFERENCES = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&amp;": "&"}


def plain_runs(
    part: IO[bytes], xml: XmlReader, *, opening: bytes, closing: bytes, plain: str
) -> Iterator[pl.Series | None]:
    """Runs of the elements that begin with `opening` and end with `closing`.

    A run is the texts of elements that the expression `plain` fits, without `closing`; or None,
    where `xml` was given what comes next to read.

    :raises RateFileUnreadable: while iterating, the part is broken or cannot be unpacked.
    """
    pieces = unpacked(part)
    rest, is_plain = _after_head(pieces, xml, opening)
    for piece in chain(pieces, [b""]) if is_plain else ():
        rest += piece
        if piece and len(rest) < _RUN_BYTES:
            continue
        end = rest.rfind(closing)
        run = _run(rest[: max(end, 0)], closing, plain)
        if run is None:
            break
        yield run
        rest = rest[end + len(closing) :]
    for piece in chain([bytes(rest)], pieces):
        xml.feed(piece)
        yield None
    xml.close()
    yield None


def unescaped(texts: pl.Series) -> pl.Series:
    """Texts with what references stand for."""
    if texts.str.contains("&", literal=True).any():
        for reference, character in _REFERENCES.items():
            texts = texts.str.replace_all(reference, character, literal=True)
    return texts


def _after_head(pieces: Iterator[bytes], xml: XmlReader, opening: bytes) -> tuple[bytearray, bool]:
    """Have `xml` read what stands before the first element; what follows, and whether that may be
    plain: in a comment or the like an opening would be none.
    """
    head, place = b"", -1
    for piece in pieces:
        head += piece
        place = head.find(opening)
        if place >= 0 or len(head) > _MOST_HEAD_BYTES:
            break
    before = head[: max(place, 0)]
    xml.feed(before)
    said = before.removeprefix(BOM_UTF8)
    is_plain = bool(said) and b"<!" not in said and b"<?" not in said[2:]
    return bytearray(head[len(before) :]), is_plain and xml.encoding == "utf-8"


def _run(content: bytes | bytearray, closing: bytes, plain: str) -> pl.Series | None:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    whole = pl.Series("elements", [text], dtype=pl.String)
    elements = whole.str.split(closing.decode()).explode(empty_as_null=True)
    longest = elements.str.len_bytes().max()
    if not isinstance(longest, int) or longest > _MOST_ELEMENT_BYTES:
        return None
    return elements if elements.str.contains(plain).all() else None
