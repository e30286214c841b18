"""Lines all of whose fields are quoted, split several times as fast as others."""

from collections.abc import Collection, Mapping, Sequence

import polars as pl

_SEPARATOR = '","'
_LINES_TRIED = 100
# FreeSWITCH's fallback template writes a blank before the last field.
_LAST_SEPARATORS = (_SEPARATOR, '", "')


def split_quoted(
    lines: pl.DataFrame, positions: Mapping[str, int], widths: Collection[int]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The lines of quoted fields that hold no quotes, split; and all other lines.

    As `split_fields`, for switches that write nearly all lines so: where none of the first is so,
    the others are not tried.
    """
    if len(lines) > _LINES_TRIED:
        tried, _ = split_quoted(lines.head(_LINES_TRIED), positions, widths)
        if tried.is_empty():
            return _with_fields(lines.clear(), positions, 0, []), lines
    pieces, rest = [_with_fields(lines.clear(), positions, 0, [])], lines
    quotes = lines["raw"].str.count_matches('"', literal=True)
    counts = set(quotes.unique())
    for width in sorted(widths, reverse=True):
        for separator in _LAST_SEPARATORS if 2 * width in counts else ():
            split, rest, quotes = _split(rest, quotes, positions, width, separator)
            pieces.append(split)
    found = [piece for piece in pieces if not piece.is_empty()] or pieces[:1]
    return (found[0] if len(found) == 1 else pl.concat(found).sort("line_number")), rest


def _split(
    lines: pl.DataFrame,
    quotes: pl.Series,
    positions: Mapping[str, int],
    width: int,
    last_separator: str,
) -> tuple[pl.DataFrame, pl.DataFrame, pl.Series]:
    """The lines of `width` such fields, and the others; with how many quotes each of those has.

    Each separator takes two quotes and the line's ends take two: if the first `width` fields use up
    all quotes of a line, none is left for the inside of a field. A separator that differs from the
    usual one must occur once only, or it might be a field of its own.
    """
    raw = lines["raw"]
    regular = (quotes == 2 * width) & raw.str.starts_with('"') & raw.str.ends_with('"')
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
    whole = parts.to_series(width - 1).is_not_null()
    fields = _with_fields(candidates, positions, width, parts.get_columns())
    if len(fields) == len(lines) and whole.all():
        return fields, lines.clear(), quotes.clear()
    fields = fields.filter(whole)
    is_other = ~lines["line_number"].is_in(fields["line_number"].implode())
    return fields, lines.filter(is_other), quotes.filter(is_other)


def _with_fields(
    lines: pl.DataFrame, positions: Mapping[str, int], width: int, parts: Sequence[pl.Series]
) -> pl.DataFrame:
    absent = pl.lit(None, pl.String)
    texts = [
        (parts[position] if position < width else absent).alias(name)
        for name, position in positions.items()
    ]
    return lines.with_columns(*texts, pl.lit(width, pl.Int64).alias("width"))
