"""The fields of delimited lines, found column-wise.

The grammar is RFC 4180's without newlines in fields; blanks between a separator and the next field
are skipped, because some switches write them. Separators are found in the bytes of all lines at
once and only the fields that are asked for are cut out: of a line of 130 fields a dozen matter.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cdr.importers.quoted_lines import split_quoted

WIDTH = "width"
"""The column that says how many fields a line has."""

# The marks of so many lines stay in a processor's cache; of 50 000 they are millions (2026-11-22: a
# quarter faster with 130 fields a line).
_LINES_AT_ONCE = 8_192
_QUOTE, _BLANK, _LINE_END = ord('"'), ord(" "), ord("\n")
_UNBALANCED, _NOT_DOUBLED = 1, 2

Places = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class _Marks:
    """Where the lines of a text, each with a newline at its end, and their separators are.

    `separators` are those outside quotes, `first_separator` says which is the first of each line,
    `width` how many fields the line has. `fault` is 0 where its quotes are as they must be.
    """

    text: NDArray[np.uint8]
    starts: Places
    ends: Places
    separators: Places
    first_separator: Places
    width: Places
    fault: NDArray[np.int8]
    has_doubled_quotes: bool

    @cached_property
    def even_width(self) -> int:
        """How many fields every line has; 0 where they differ."""
        least, most = int(self.width.min()), int(self.width.max())
        return most if least == most else 0


def split_fields(
    lines: pl.DataFrame,
    positions: Mapping[str, int],
    *,
    widths: Collection[int] | None = None,
    separator: str = ",",
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """`lines` (line_number, raw) with a text column per name of `positions` (from 0), and `width`.

    A line has as many fields as one of `widths`, or, where that is None, at least all positions; a
    field that a line does not have is null. The second frame is of the lines that do not fit:
    line_number, raw and reason.
    """
    if widths and separator == ",":
        quickly, rest = split_quoted(lines, positions, widths)
        if rest.is_empty():
            return quickly, _no_misshapen(lines)
        fields, misshapen = _split(rest, positions, widths, separator)
        return pl.concat([quickly, fields]).sort("line_number"), misshapen
    return _split(lines, positions, widths, separator)


def _split(
    lines: pl.DataFrame,
    positions: Mapping[str, int],
    widths: Collection[int] | None,
    separator: str,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    blocks = list(lines.iter_slices(_LINES_AT_ONCE)) or [lines]
    parts = [_split_block(block, positions, widths, separator) for block in blocks]
    if len(parts) == 1:
        return parts[0]
    fields, misshapen = zip(*parts, strict=True)
    return pl.concat(fields, rechunk=True), pl.concat(misshapen, rechunk=True)


def _split_block(
    lines: pl.DataFrame,
    positions: Mapping[str, int],
    widths: Collection[int] | None,
    separator: str,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    if lines.is_empty():
        texts = [pl.lit(None, pl.String).alias(name) for name in positions]
        empty = lines.with_columns(*texts, pl.lit(0, pl.Int64).alias(WIDTH))
        return empty, _no_misshapen(lines)
    marks = _marks(lines["raw"], separator)
    if widths is None:
        wrong = marks.width <= max(positions.values())
    else:
        wrong = ~np.isin(marks.width, list(widths))
    raw = lines["raw"].cast(pl.Binary)
    columns = _fields(raw, marks, positions)
    fields = lines.hstack([*columns, pl.Series(WIDTH, marks.width)])
    faulty = (marks.fault > 0) | wrong
    if not faulty.any():
        return fields, _no_misshapen(lines)
    reasons = _reasons(marks, faulty, _expected(positions, widths))
    fits = pl.Series(~faulty)
    return fields.filter(fits), lines.filter(~fits).hstack([reasons])


def _no_misshapen(lines: pl.DataFrame) -> pl.DataFrame:
    return lines.clear().with_columns(reason=pl.lit(None, pl.String))


def _marks(raw: pl.Series, separator: str) -> _Marks:
    joined: bytes = raw.str.join("\n").cast(pl.Binary).item()
    text = np.frombuffer(joined + b"\n", dtype=np.uint8)
    # The bytes are looked at here only; all that follows is done with the marks found.
    places = np.flatnonzero((text == ord(separator)) | (text == _QUOTE) | (text == _LINE_END))
    kinds = text[places]
    last = np.flatnonzero(kinds == _LINE_END)
    ends = places[last]
    separates = kinds == ord(separator)
    fault, has_doubled_quotes = np.zeros(len(ends), dtype=np.int8), False
    is_quote = kinds == _QUOTE
    if is_quote.any():
        inside = _insides(is_quote, last, fault)
        has_doubled_quotes = _check_quotes(
            text, ord(separator), places, is_quote, inside, last, fault
        )
        separates &= ~inside
    found = np.flatnonzero(separates)
    after = np.searchsorted(found, last)
    first_separator = np.concatenate([[0], after[:-1]])
    return _Marks(
        text=text,
        starts=np.concatenate([[0], ends[:-1] + 1]),
        ends=ends,
        separators=places[found],
        first_separator=first_separator,
        width=after - first_separator + 1,
        fault=fault,
        has_doubled_quotes=has_doubled_quotes,
    )


def _insides(is_quote: Flags, last: Places, fault: NDArray[np.int8]) -> Flags:
    """After which marks the text is inside quotes; lines with one too many are put in `fault`."""
    inside: Flags = np.logical_xor.accumulate(is_quote)
    at_ends = inside[last]
    if not at_ends.any():
        return inside
    # Each line counts for itself, or one unbalanced quote would turn all that follows.
    at_starts = np.concatenate([[False], at_ends[:-1]])
    fault[at_ends != at_starts] = _UNBALANCED
    inside ^= np.repeat(at_starts, np.diff(last, prepend=-1))
    return inside


def _check_quotes(
    text: NDArray[np.uint8],
    separator: int,
    places: Places,
    is_quote: Flags,
    inside: Flags,
    last: Places,
    fault: NDArray[np.int8],
) -> bool:
    """Mark lines whose quotes are not around a whole field; whether some are doubled inside.

    A quote opens next to a separator, a line's start or another quote, and closes likewise: next to
    another mark, that is. Blanks may stand before the opening one.
    """
    quotes = np.flatnonzero(is_quote)
    at, opens = places[quotes], inside[quotes]
    is_mark = np.zeros(256, dtype=bool)
    is_mark[[separator, _QUOTE, _LINE_END]] = True
    # Before the first byte comes, as it were, the last one: the end of a line. None comes after it.
    following = text[at + 1]
    bad = ~is_mark[np.where(opens, text[at - 1], following)]
    if bad.any():
        wrong = [
            quote
            for quote in np.flatnonzero(bad)
            if not opens[quote] or not _follows_blanks(text, int(at[quote]), separator)
        ]
        lines = np.searchsorted(last, quotes[np.array(wrong, dtype=np.int64)])
        fault[lines[fault[lines] == 0]] = _NOT_DOUBLED
    return bool((~opens & (following == _QUOTE)).any())


def _follows_blanks(text: NDArray[np.uint8], place: int, separator: int) -> bool:
    """Whether nothing but blanks is between a separator, or the line's start, and the place."""
    while place > 0 and text[place - 1] == _BLANK:
        place -= 1
    return place == 0 or int(text[place - 1]) in (separator, _LINE_END)


def _fields(raw: pl.Series, marks: _Marks, positions: Mapping[str, int]) -> list[pl.Series]:
    """The fields at the positions, by name, cut out of the lines all at once."""
    spans = [_span(marks, position) for position in positions.values()]
    places: dict[str, pl.Series | Places] = {"raw": raw}
    for name, span in enumerate(spans):
        places |= {f"offset_{name}": span.offset, f"size_{name}": span.size}
    line = pl.col("raw")
    texts = pl.DataFrame(places).select(
        line.bin.slice(f"offset_{number}", f"size_{number}").cast(pl.String).alias(name)
        for number, name in enumerate(positions)
    )
    return [
        _finished(texts[name], marks, span) for name, span in zip(positions, spans, strict=True)
    ]


@dataclass(frozen=True)
class _Span:
    """Where a field is in each line, in bytes; without its quotes and the blanks in front."""

    offset: Places
    size: Places
    quoted: Flags
    present: Flags


def _span(marks: _Marks, position: int) -> _Span:
    present, begin, end = _bounds(marks, position)
    begin = _past_blanks(marks.text, begin, end)
    quoted = (marks.text[begin] == _QUOTE) & present
    # Of a line that is rejected, nothing: its quotes might cut a character in two.
    size = np.where(present & (marks.fault == 0), end - begin - 2 * quoted, 0)
    return _Span(begin + quoted - marks.starts, np.maximum(size, 0), quoted, present)


def _bounds(marks: _Marks, position: int) -> tuple[Flags, Places, Places]:
    """Which lines have the field, and where it begins, which is a copy, and ends."""
    present = marks.width > position
    if marks.even_width > position:
        # Lines alike, as nearly all are: their separators are the rows of a table.
        rows = marks.separators.reshape(len(marks.ends), marks.even_width - 1)
        begin = rows[:, position - 1] + 1 if position else marks.starts.copy()
        return present, begin, marks.ends if position == rows.shape[1] else rows[:, position]
    first = marks.first_separator + position
    most = len(marks.separators) - 1
    begin, end = marks.starts, marks.ends
    if most >= 0:
        if position:
            begin = marks.separators[np.clip(first - 1, 0, most)] + 1
        is_last = marks.width == position + 1
        end = np.where(is_last, marks.ends, marks.separators[np.clip(first, 0, most)])
    return present, np.where(present, begin, marks.starts), end


def _finished(text: pl.Series, marks: _Marks, span: _Span) -> pl.Series:
    """The field of each line; null where it has none, its doubled quotes single."""
    if not span.present.all():
        text = text.set(pl.Series(~span.present), None)
    if not marks.has_doubled_quotes:
        return text
    single = text.str.replace_all('""', '"', literal=True)
    return single if span.quoted.all() else text.zip_with(pl.Series(~span.quoted), single)


def _past_blanks(text: NDArray[np.uint8], begin: Places, end: Places) -> Places:
    blank = np.flatnonzero((text[begin] == _BLANK) & (begin < end))
    while len(blank):
        begin[blank] += 1
        # Looked at again are only those that began so: a line may be blanks for long.
        going_on = (text[begin[blank]] == _BLANK) & (begin[blank] < end[blank])
        blank = blank[going_on]
    return begin


def _expected(positions: Mapping[str, int], widths: Collection[int] | None) -> str:
    if widths is None:
        return f"at least {max(positions.values()) + 1} are expected"
    *first, last = (str(width) for width in sorted(widths))
    return f"{', '.join(first)} or {last} are expected" if first else f"{last} are expected"


def _reasons(marks: _Marks, faulty: Flags, expected: str) -> pl.Series:
    reasons = []
    for fault, width in zip(marks.fault[faulty], marks.width[faulty], strict=True):
        if fault == _UNBALANCED:
            reasons.append("the quotes are not balanced")
        elif fault == _NOT_DOUBLED:
            reasons.append("a quote inside a field is not doubled")
        else:
            noun = "field" if width == 1 else "fields"
            reasons.append(f"{width} {noun} where {expected}")
    return pl.Series("reason", reasons, dtype=pl.String)
