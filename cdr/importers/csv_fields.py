"""The fields of comma-separated lines, split column-wise.

The grammar is RFC 4180's without newlines in fields; blanks between a comma and the next field are
skipped, because some switches write them.
"""

import csv
import io
from collections.abc import Sequence

import polars as pl

_SEPARATOR = '","'
# FreeSWITCH's fallback template writes a blank before the last field.
_SEPARATORS = (_SEPARATOR, '", "')
_FIELD = r'(?: *"(?:[^"]|"")*"|[^",]*)'
# A quoted field is matched whole and kept, so that only blanks outside quotes are dropped.
_BLANKS_AFTER_COMMA = r'("(?:[^"]|"")*")|(,) +'


def split_fields(
    lines: pl.DataFrame, names: Sequence[str], *, optional: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """`lines` (line_number, raw) with one text column per name, and the lines that do not fit.

    A line has all of `names` or lacks the last `optional` ones, which are then null. The second
    frame has line_number, raw and reason.
    """
    pieces, rest = [], lines
    for width in (len(names), len(names) - optional):
        for separator in _SEPARATORS:
            split, rest = _split_quoted(rest, names, width, separator)
            pieces.append(split)
    fits = rest["raw"].str.contains(_line_pattern(len(names), optional))
    pieces.append(_read(rest.filter(fits), names))
    found = [piece for piece in pieces if not piece.is_empty()] or pieces[:1]
    together = found[0] if len(found) == 1 else pl.concat(found).sort("line_number")
    return together, _with_reasons(rest.filter(~fits), len(names), optional)


def _split_quoted(
    lines: pl.DataFrame, names: Sequence[str], width: int, last_separator: str
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The lines of `width` quoted fields that hold no quotes, split; and all other lines.

    Switches write nearly all lines so, and they are split several times as fast as CSV in general.
    Each separator takes two quotes and the line's ends take two: if the first `width` fields use up
    all quotes of a line, none is left for the inside of a field. A separator that differs from the
    usual one must occur once only, or it might be a field of its own.
    """
    raw = lines["raw"]
    regular = (
        (raw.str.count_matches('"', literal=True) == 2 * width)
        & raw.str.starts_with('"')
        & raw.str.ends_with('"')
    )
    if last_separator != _SEPARATOR:
        regular &= raw.str.count_matches(last_separator, literal=True) == 1
    candidates = lines if regular.all() else lines.filter(regular)
    text = candidates["raw"]
    if last_separator != _SEPARATOR:
        text = text.str.replace(last_separator, _SEPARATOR, literal=True)
    parts = (
        text.str.strip_prefix('"')
        .str.strip_suffix('"')
        .str.splitn(_SEPARATOR, width)
        .struct.unnest()
    )
    parts.columns = list(names[:width])
    absent = [pl.lit(None, pl.String).alias(name) for name in names[width:]]
    whole = parts[names[width - 1]].is_not_null()
    split = candidates.hstack(parts.with_columns(absent)).filter(whole)
    if len(split) == len(lines):
        return split, lines.clear()
    return split, lines.join(split, on="line_number", how="anti", maintain_order="left")


def _line_pattern(width: int, optional: int) -> str:
    required = ",".join([_FIELD] * (width - optional))
    return f"^{required}(?:{f',{_FIELD}' * optional})?$"


def _read(lines: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    schema = dict.fromkeys(names, pl.String)
    if lines.is_empty():
        return lines.hstack(pl.DataFrame(schema=schema))
    compact = lines["raw"].str.replace_all(_BLANKS_AFTER_COMMA, "${1}${2}")
    text = "\n".join(compact.to_list()) + "\n"
    fields = pl.read_csv(io.BytesIO(text.encode()), has_header=False, schema=schema)
    return lines.hstack(fields)


def _with_reasons(lines: pl.DataFrame, width: int, optional: int) -> pl.DataFrame:
    reasons = [_reason(raw, width, optional) for raw in lines["raw"]]
    return lines.with_columns(pl.Series("reason", reasons, dtype=pl.String))


def _reason(raw: str, width: int, optional: int) -> str:
    if raw.count('"') % 2:
        return "the quotes are not balanced"
    try:
        count = len(next(csv.reader([raw], skipinitialspace=True, strict=True)))
    except csv.Error:
        return "a quote inside a field is not doubled"
    if count in (width - optional, width):
        return "a quote inside a field is not doubled"
    noun = "field" if count == 1 else "fields"
    return f"{count} {noun} where {width - optional} or {width} are expected"
