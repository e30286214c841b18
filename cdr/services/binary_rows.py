"""Columns as rows of COPY's binary format, which both ends read several times as fast as text."""

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import chain

import numpy as np
import polars as pl
from numpy.typing import NDArray

Values = NDArray[np.generic] | int
Layout = list[tuple[str, str]]

AMOUNT_DECIMALS = 8
# So many rows stay in a core's cache while their cells are filled in, and what all rows have alike
# stays in its place for the next so many.
_ROWS_AT_ONCE = 4_096
_START = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
_END = struct.pack(">h", -1)
_NULL = struct.pack(">i", -1)
# PostgreSQL counts microseconds, and days, from the year 2000.
_POSTGRES_EPOCH = 946_684_800_000_000
_POSTGRES_EPOCH_DAYS = 10_957
# The lengths whose four bytes are valid UTF-8, so that Polars joins them with texts.
_SHORT_LENGTHS = pl.Series([struct.pack(">i", length).decode() for length in range(128)])


class Binary(Enum):
    """Types of COPY's binary format."""

    SMALLINT = auto()
    INTEGER = auto()
    BIGINT = auto()
    NULLABLE_BIGINT = auto()
    """From a series."""
    TIMESTAMPTZ = auto()
    """From microseconds since 1970."""
    AMOUNT = auto()
    """numeric with eight decimals, from whole numbers of 10^-8 below 10^18."""
    SUM = auto()
    """The same, from a series of whole numbers below 10^24."""
    DATE = auto()
    """From a series."""
    UUID = auto()
    """From a series of 32 hexadecimal digits."""
    TEXT = auto()
    """From a series; null is the empty text."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of one binary type: an array or a series, or one value for all rows."""

    kind: Binary
    values: Values | pl.Series


def encode_rows(columns: Mapping[str, Column], count: int) -> tuple[list[str], Iterator[bytes]]:
    """The names of the columns in their order, and the rows, of which there is one at least.

    Cells that all take the same room come first, and are filled in column by column.
    """
    rooms = {name: _room(column) for name, column in columns.items()}
    even = {name: room for name, room in rooms.items() if room is not None}
    names, pieces = _pieces({name: columns[name] for name in columns if name not in even})
    return [*even, *names], _encoded(columns, even, pieces, count)


@dataclass(frozen=True, slots=True)
class _Room:
    """What all cells of a column take: their length, and the parts of their values."""

    length: int
    parts: Layout


def _numeric(digits: int) -> Layout:
    """A numeric of so many digits to the base of ten thousand, two of them behind the point."""
    about = [("digits", ">i2"), ("weight", ">i2"), ("sign", ">u2"), ("scale", ">i2")]
    return [*about, *((f"digit {place}", ">i2") for place in range(digits))]


_NO_VALUES = _Room(-1, [])
_EMPTY_TEXTS = _Room(0, [])
_PARTS: Mapping[Binary, Layout] = {
    Binary.SMALLINT: [("value", ">i2")],
    Binary.INTEGER: [("value", ">i4")],
    Binary.BIGINT: [("value", ">i8")],
    Binary.NULLABLE_BIGINT: [("value", ">i8")],
    Binary.TIMESTAMPTZ: [("value", ">i8")],
    # Five digits hold 10^18 * 10^-8, and six 10^24.
    Binary.AMOUNT: _numeric(5),
    Binary.SUM: _numeric(6),
    Binary.DATE: [("value", ">i4")],
    Binary.UUID: [("value", "V16")],
}


def _room(column: Column) -> _Room | None:
    """None where the cells do not all take the same room."""
    values = column.values
    if isinstance(values, pl.Series) and column.kind is Binary.TEXT:
        return None if values.str.len_bytes().max() else _EMPTY_TEXTS
    if isinstance(values, pl.Series) and (nulls := values.null_count()):
        return _NO_VALUES if nulls == len(values) else None
    parts = _PARTS[column.kind]
    return _Room(sum(np.dtype(kind).itemsize for _, kind in parts), parts)


def _encoded(
    columns: Mapping[str, Column],
    rooms: Mapping[str, _Room],
    pieces: Sequence[pl.Series],
    count: int,
) -> Iterator[bytes]:
    """A few thousand rows at a time: nobody holds all of them."""
    rows = _empty_rows(rooms, fields=len(columns))
    varying = []
    for name in (name for name, room in rooms.items() if room.parts):
        kind, values = columns[name].kind, columns[name].values
        if isinstance(values, int):
            _fill(rows, name, kind, values)
        else:
            varying.append((name, kind, values))
    yield _START
    for first in range(0, count, _ROWS_AT_ONCE):
        some = slice(first, min(first + _ROWS_AT_ONCE, count))
        filled = rows[: some.stop - first]
        for name, kind, values in varying:
            _fill(filled, name, kind, values[some])
        yield _joined(filled, [piece[some].to_list() for piece in pieces])
    yield _END


def _empty_rows(rooms: Mapping[str, _Room], *, fields: int) -> NDArray[np.void]:
    """Rows without values: the number of their fields, then the length of each and its room."""
    layout: Layout = [("fields", ">i2")]
    for name, room in rooms.items():
        layout.append((f"{name} length", ">i4"))
        layout += [(f"{name} {part}", kind) for part, kind in room.parts]
    rows = np.empty(_ROWS_AT_ONCE, dtype=layout)
    rows["fields"] = fields
    for name, room in rooms.items():
        rows[f"{name} length"] = room.length
    return rows


def _fill(rows: NDArray[np.void], name: str, kind: Binary, values: Values | pl.Series) -> None:
    for part, each in _values(kind, values).items():
        rows[f"{name} {part}"] = each


def _values(kind: Binary, values: Values | pl.Series) -> dict[str, Values]:
    if isinstance(values, pl.Series):
        return _values_of_series(kind, values)
    if kind is Binary.TIMESTAMPTZ:
        return {"value": values - _POSTGRES_EPOCH}
    if kind is Binary.AMOUNT:
        return _amount_parts(np.asarray(values, dtype=np.int64))
    return {"value": values}


def _values_of_series(kind: Binary, values: pl.Series) -> dict[str, Values]:
    match kind:
        case Binary.UUID:
            digits = "".join(values.to_list())
            return {"value": np.frombuffer(bytes.fromhex(digits), dtype="V16")}
        case Binary.DATE:
            return {"value": values.cast(pl.Int32).to_numpy() - _POSTGRES_EPOCH_DAYS}
        case Binary.SUM:
            return _sum_parts(values)
        case _:
            return {"value": values.to_numpy()}


def _amount_parts(scaled: NDArray[np.int64]) -> dict[str, Values]:
    return _numeric_parts(scaled < 0, _digits(np.abs(scaled), 5))


def _sum_parts(scaled: pl.Series) -> dict[str, Values]:
    magnitude, unit = pl.col("sum").abs(), pl.lit(10**16, pl.Int128)
    parts = scaled.to_frame("sum").select_seq(
        high=(magnitude // unit).cast(pl.Int64),
        low=(magnitude % unit).cast(pl.Int64),
        is_negative=pl.col("sum") < 0,
    )
    high, low, is_negative = (part.to_numpy() for part in parts.get_columns())
    if high.max() >= 10_000**2:
        raise OverflowError("a sum of 10^24 or more has no room in its column")
    return _numeric_parts(is_negative, [*_digits(high, 2), *_digits(low, 4)])


def _digits(rest: NDArray[np.int64], count: int) -> list[NDArray[np.int64]]:
    """The last digits of numbers to the base of ten thousand."""
    found = []
    for _ in range(count):
        above = rest // 10_000
        found.append(rest - above * 10_000)
        rest = above
    return found[::-1]


def _numeric_parts(
    is_negative: NDArray[np.bool_], digits: Sequence[NDArray[np.int64]]
) -> dict[str, Values]:
    behind_point = AMOUNT_DECIMALS // 4
    return {
        "digits": len(digits),
        "weight": len(digits) - behind_point - 1,
        "sign": np.where(is_negative, 0x4000, 0),
        "scale": AMOUNT_DECIMALS,
        **{f"digit {place}": digit for place, digit in enumerate(digits)},
    }


def _joined(rows: NDArray[np.void], pieces: Sequence[Sequence[bytes]]) -> bytes:
    """Each row with its pieces behind it."""
    if not pieces:
        return rows.tobytes()
    begins: list[bytes] = rows.view(f"V{rows.dtype.itemsize}").tolist()
    return b"".join(chain.from_iterable(zip(begins, *pieces, strict=True)))


def _pieces(columns: Mapping[str, Column]) -> tuple[list[str], list[pl.Series]]:
    """The cells that do not all take the same room, in bytes by row, and their columns in order."""
    texts, others = {}, {}
    for name, column in columns.items():
        assert isinstance(column.values, pl.Series), f"{name} has cells of several lengths"
        if column.kind is Binary.TEXT:
            texts[name] = column.values.fill_null("")
        else:
            others[name] = column.values
    lengths = {name: text.str.len_bytes() for name, text in texts.items()}
    longest = {name: int(length.max()) for name, length in lengths.items()}  # type: ignore[arg-type]
    short = [name for name in texts if longest[name] < len(_SHORT_LENGTHS)]
    long = [name for name in texts if name not in short]
    pieces = [_short_texts([(lengths[name], texts[name]) for name in short])] if short else []
    pieces += [_long_text(lengths[name], texts[name], longest[name]) for name in long]
    pieces += [_nullable(values) for values in others.values()]
    return [*short, *long, *others], pieces


def _short_texts(columns: Sequence[tuple[pl.Series, pl.Series]]) -> pl.Series:
    """The cells of several columns of texts, given with their lengths, in one piece a row."""
    cells: list[pl.Series | pl.Expr] = []
    for length, text in columns:
        if length.min() == length.max():
            # What is alike costs half of what is looked up.
            cells.append(pl.lit(_SHORT_LENGTHS[length[0]]))
        else:
            cells.append(_SHORT_LENGTHS.gather(length))
        cells.append(text)
    return pl.select(pl.concat_str(cells)).to_series().cast(pl.Binary)


def _long_text(length: pl.Series, text: pl.Series, longest: int) -> pl.Series:
    packed = [struct.pack(">i", size) for size in range(longest + 1)]
    return pl.Series(packed, dtype=pl.Binary).gather(length) + text.cast(pl.Binary)


def _nullable(values: pl.Series) -> pl.Series:
    cells = np.empty(len(values), dtype=[("length", ">i4"), ("value", ">i8")])
    cells["length"] = 8
    cells["value"] = values.fill_null(0).to_numpy()
    encoded = cells.view(f"V{cells.dtype.itemsize}").tolist()
    nulls = values.is_null().to_list()
    shown = [_NULL if null else cell for null, cell in zip(nulls, encoded, strict=True)]
    return pl.Series(shown, dtype=pl.Binary)
