"""The fields of comma-separated lines, split column-wise.

The grammar is RFC 4180's without newlines in fields; blanks between a comma and the next field are
skipped, because some switches write them.
"""

import csv
import io
from collections.abc import Sequence

import polars as pl

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
    if lines.is_empty():
        return _read(lines, names), lines.with_columns(reason=pl.lit(None, pl.String))
    quoted, others = _split_quoted(lines, names)
    if others.is_empty():
        return quoted, others.with_columns(reason=pl.lit(None, pl.String))
    fits = others["raw"].str.contains(_line_pattern(len(names), optional))
    rest = _read(others.filter(fits), names)
    return (
        pl.concat([quoted, rest]).sort("line_number"),
        _with_reasons(others.filter(~fits), len(names), optional),
    )


def _split_quoted(lines: pl.DataFrame, names: Sequence[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The lines whose every field is quoted and holds no quote, split; and all others.

    Two outer quotes and two per separator are all the quotes such a line has: if it splits into as
    many fields as names, no field can hold a quote. Switches write nearly all lines so, and they
    are split several times as fast as CSV in general.
    """
    raw = lines["raw"]
    width = len(names)
    parts = raw.str.strip_prefix('"').str.strip_suffix('"').str.splitn('","', width)
    fields = parts.struct.unnest()
    fields.columns = list(names)
    regular = (
        (raw.str.count_matches('"', literal=True) == 2 * width)
        & raw.str.starts_with('"')
        & raw.str.ends_with('"')
        & fields[names[-1]].is_not_null()
    )
    split = lines.hstack(fields)
    if regular.all():
        return split, lines.clear()
    return split.filter(regular), lines.filter(~regular)


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
    return f"{count} fields where {width - optional} or {width} are expected"
