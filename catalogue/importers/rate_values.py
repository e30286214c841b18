"""From the texts of a rate file to its rates: one row for each prefix, wrong ones with the reason.

Each different text of a column is read once, by the rules of `catalogue.rules`; what follows is
columns.
"""

from collections.abc import Callable, Mapping

import polars as pl

from catalogue.importers.refusals import MOST_ROWS, RateFileUnreadable
from catalogue.rules.destinations import destination_of
from catalogue.rules.rate_cells import (
    AMOUNT_FIELDS,
    INSTANT_FIELDS,
    TEXT_FIELDS,
    WHOLE_FIELDS,
    CellReader,
)
from catalogue.rules.rate_layouts import INCREMENTS, MAPPED_FIELDS, ImportOptions
from common.csv_files import unquoted

RATE_SCHEMA: Mapping[str, pl.DataType] = {
    "prefix": pl.String(),
    **dict.fromkeys(INSTANT_FIELDS, pl.Int64()),
    **dict.fromkeys(AMOUNT_FIELDS, pl.Int64()),
    **dict.fromkeys(WHOLE_FIELDS, pl.Int64()),
    **dict.fromkeys(TEXT_FIELDS, pl.String()),
    "time_profile_id": pl.Int64(),
}
"""The columns of rates: amounts in units of 10^-8, instants in microseconds since 1970."""

_ABSENT: Mapping[str, object] = {
    **dict.fromkeys(("connection_fee", "attempt_fee", "grace"), 0),
    **dict.fromkeys(("minimum", "increment"), 1),
    **dict.fromkeys(("destination", "steps", "tag", "origin_prefix"), ""),
    "policy": "regular",
    "status": "active",
}
_PARTS = ("minimum", "increment", "grace")
_REQUIRED = "is required: the cell is empty, and there is no default for it"


def read_rates(
    cells: pl.DataFrame, reader: CellReader, options: ImportOptions, deck: Mapping[str, str]
) -> pl.DataFrame:
    """The rates of a file's cells (texts by field, beside `sheet` and `line`), in their order.

    Columns are `number` (from 1), `sheet`, `line`, those of `RATE_SCHEMA`, and `wrong_field` and
    `error`, which are null of a row that is right. `deck` has destinations by prefix.

    :raises RateFileUnreadable: the prefixes stand for more rates than a file may have.
    """
    rows = cells.select("sheet", "line")
    columns: list[pl.Series] = []
    errors: list[pl.Series] = []
    for field in MAPPED_FIELDS:
        default = options.defaults.get(field, "")
        if field not in cells.columns and not default and field != "prefix":
            continue
        texts = cells[field] if field in cells.columns else _all(default, len(cells))
        read, wrong = _read_column(field, texts, default, reader)
        columns += read
        errors.append(wrong)
    rows = rows.with_columns(*_unless_given(columns, INCREMENTS), error=_first(errors))
    raw = cells["prefix"] if "prefix" in cells.columns else _all("", len(cells))
    rows = _one_per_prefix(rows, raw)
    rows = _with_destinations(_complete(rows), deck)
    rows = rows.with_columns(
        error=pl.coalesce("error", _missing(), _contradiction()),
        rate=pl.when(pl.col("steps") == "").then("rate").otherwise(pl.col("rate").fill_null(0)),
    )
    split = pl.col("error").str.split_exact("\t", 1)
    return rows.with_row_index("number", offset=1).select(
        pl.col("number").cast(pl.Int64),
        "sheet",
        "line",
        *RATE_SCHEMA,
        wrong_field=split.struct.field("field_0"),
        error=split.struct.field("field_1"),
    )


def _all(text: str, count: int) -> pl.Series:
    return pl.Series([text], dtype=pl.String).new_from_index(0, count)


def _read_column(
    field: str, texts: pl.Series, default: str, reader: CellReader
) -> tuple[list[pl.Series], pl.Series]:
    """The values of a column, null where there is none, and its errors as `field<TAB>reason`."""
    parse = reader.of(field)
    by_default = _default_reader(field, reader)
    values: list[object] = []
    errors: list[str | None] = []
    distinct = texts.unique(maintain_order=True)
    for text in distinct:
        value, error = None, None
        try:
            if text:
                value = parse(unquoted(text) if reader.is_csv else text)
            elif default:
                value = by_default(default)
            elif field == "prefix":
                value = ("",)
        except ValueError as refusal:
            error = f"{field}\t{refusal}".replace("\n", " ")[:300]
        values.append(value)
        errors.append(error)
    found = pl.DataFrame(
        {
            "text": distinct,
            **_columns_of(field, values),
            "error": pl.Series(errors, dtype=pl.String),
        }
    )
    joined = (
        texts.rename("text").to_frame().join(found, on="text", how="left", maintain_order="left")
    )
    names = [name for name in joined.columns if name not in ("text", "error")]
    return [joined[name] for name in names], joined["error"]


def _default_reader(field: str, reader: CellReader) -> Callable[[str], object]:
    """Defaults are written by the console: dates as ISO 8601, numbers with a point."""
    return CellReader(reader.zone, time_profiles=reader.time_profiles).of(field)


def _columns_of(field: str, values: list[object]) -> dict[str, pl.Series]:
    if field == INCREMENTS:
        parts = [value if isinstance(value, tuple) else (None,) * 3 for value in values]
        by_part = zip(*parts, strict=True) if parts else ((), (), ())
        return {
            f"{INCREMENTS}_{name}": pl.Series(list(part), dtype=pl.Int64)
            for name, part in zip(_PARTS, by_part, strict=True)
        }
    if field == "prefix":
        lists = [list(value) if isinstance(value, tuple) else None for value in values]
        return {"prefix": pl.Series(lists, dtype=pl.List(pl.String))}
    name = "time_profile_id" if field == "time_profile" else field
    return {name: pl.Series(values, dtype=RATE_SCHEMA[name])}


def _unless_given(columns: list[pl.Series], combined: str) -> list[pl.Series]:
    """Minimum, increment and grace of their own columns, else of the one that has all three."""
    given = {column.name: column for column in columns}
    for part in _PARTS:
        shared = given.pop(f"{combined}_{part}", None)
        if shared is not None:
            own = given.get(part)
            both = shared if own is None else own.zip_with(own.is_not_null(), shared)
            given[part] = both.rename(part)
    return list(given.values())


def _first(errors: list[pl.Series]) -> pl.Series:
    frame = pl.DataFrame([error.rename(str(place)) for place, error in enumerate(errors)])
    return frame.select(pl.coalesce(pl.all())).to_series()


def _one_per_prefix(rows: pl.DataFrame, raw: pl.Series) -> pl.DataFrame:
    """A row for each prefix of a cell; a cell that is wrong is shown as it was written."""
    count = int(rows["prefix"].list.len().fill_null(1).sum())
    if count > MOST_ROWS:
        raise RateFileUnreadable(
            f"The prefixes of the file stand for {count:,} rates; up to {MOST_ROWS:,} are taken."
        )
    written = raw.str.slice(0, 40).rename("written")
    return (
        rows.with_columns(written)
        .explode("prefix", empty_as_null=True)
        .with_columns(prefix=pl.coalesce("prefix", "written"))
        .drop("written")
    )


def _complete(rows: pl.DataFrame) -> pl.DataFrame:
    """All columns of a rate, those without a value as a rate has them by default."""
    rows = rows.with_columns(
        pl.lit(None, dtype=kind).alias(name)
        for name, kind in RATE_SCHEMA.items()
        if name not in rows.columns
    )
    return rows.with_columns(
        pl.col(name).fill_null(pl.lit(value, dtype=RATE_SCHEMA[name]))
        for name, value in _ABSENT.items()
    )


def _with_destinations(rows: pl.DataFrame, deck: Mapping[str, str]) -> pl.DataFrame:
    """Rows without a destination get that of the longest prefix in the deck."""
    unnamed = rows.filter((pl.col("destination") == "") & pl.col("error").is_null())
    prefixes = unnamed["prefix"].unique()
    if prefixes.is_empty():
        return rows
    named = pl.DataFrame(
        {
            "prefix": prefixes,
            "named": pl.Series([destination_of(each, deck) for each in prefixes], dtype=pl.String),
        }
    )
    joined = rows.join(named, on="prefix", how="left", maintain_order="left")
    empty = pl.col("destination") == ""
    return joined.with_columns(
        destination=pl.when(empty).then(pl.col("named").fill_null("")).otherwise("destination")
    ).drop("named")


def _missing() -> pl.Expr:
    """What a rate cannot be without; one in steps has no price of its own."""
    return pl.coalesce(
        _says((pl.col("rate").is_null()) & (pl.col("steps") == ""), f"rate\trate {_REQUIRED}"),
        _says(pl.col("effective_from").is_null(), f"effective_from\teffective_from {_REQUIRED}"),
        _says(
            pl.col("destination") == "",
            "destination\tname it: the table's code deck has none for this prefix",
        ),
    )


def _contradiction() -> pl.Expr:
    """Columns of a rate that cannot stand beside each other."""
    return pl.coalesce(
        _says(
            pl.col("effective_to") <= pl.col("effective_from"),
            "effective_to\tthe end is not after the start",
        ),
        _says(pl.col("min_cost") > pl.col("max_cost"), "min_cost\tthe floor is above max_cost"),
        _says(pl.col("min_digits") > pl.col("max_digits"), "max_digits\tbelow min_digits"),
    )


def _says(condition: pl.Expr, error: str) -> pl.Expr:
    return pl.when(condition).then(pl.lit(error)).otherwise(pl.lit(None, dtype=pl.String))
