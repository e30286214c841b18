"""Rates of a table and rows of an import as columns, to compare them with each other."""

from collections.abc import Mapping

import polars as pl

from catalogue.importers.rate_values import RATE_SCHEMA
from catalogue.models import RateImport
from catalogue.rules.rate_cells import AMOUNT_FIELDS, INSTANT_FIELDS, TEXT_FIELDS
from common.copying import amounts, copied_rows, copy_rows, timestamps

RATE_COLUMNS = tuple(RATE_SCHEMA)
_TEXTS = ("prefix", *TEXT_FIELDS)
_ROW_TEXTS = (*_TEXTS, "sheet", "wrong_field", "error", "row_class", "action")
_STORED = "SELECT {} FROM catalogue_rate WHERE rate_table_id = %s"
_COMPARED = "SELECT {} FROM catalogue_rateimportrow WHERE rate_import_id = %s"
_ROW_SCHEMA: Mapping[str, pl.DataType] = {
    "number": pl.Int64(),
    "sheet": pl.String(),
    "line": pl.Int64(),
    **RATE_SCHEMA,
    "wrong_field": pl.String(),
    "error": pl.String(),
    "row_class": pl.String(),
    "action": pl.String(),
    "target_id": pl.Int64(),
}


def stored_rates(rate_table_id: int) -> pl.DataFrame:
    """The rates of a table, with their `id`."""
    schema = {"id": pl.Int64(), **RATE_SCHEMA}
    rates = copied_rows(_STORED.format(_selected(schema)), [rate_table_id], schema)
    return rates.with_columns(pl.col(*_TEXTS).fill_null(""))


def compared_rows(rate_import: RateImport) -> pl.DataFrame:
    """The rows of an import as they were compared."""
    rows = copied_rows(_COMPARED.format(_selected(_ROW_SCHEMA)), [rate_import.pk], _ROW_SCHEMA)
    return rows.with_columns(
        pl.col(*_TEXTS, "sheet", "action").fill_null(""),
        # Of a row that is right they are empty, which comparing knows as null.
        *(pl.col(name).replace("", None) for name in ("wrong_field", "error")),
    )


def _selected(schema: Mapping[str, pl.DataType]) -> str:
    """The columns, amounts in units of 10^-8 and instants in microseconds."""
    written = {
        **{name: f"({name} * 100000000)::bigint" for name in AMOUNT_FIELDS},
        **{name: f"(extract(epoch FROM {name}) * 1000000)::bigint" for name in INSTANT_FIELDS},
    }
    return ", ".join(written.get(name, name) for name in schema)


def keep_rows(rate_import: RateImport, rows: pl.DataFrame) -> None:
    """Append compared rows to an import; those that add a rate are given its id."""
    exact = [amounts(name).alias(name) for name in (*AMOUNT_FIELDS, "before_rate")]
    kept = rows.with_columns(
        *exact,
        *(timestamps(rows[name]).alias(name) for name in INSTANT_FIELDS),
        pl.col("wrong_field", "error").fill_null(""),
        rate_import_id=pl.lit(rate_import.pk),
        provider_id=pl.lit(rate_import.provider_id),
    )
    adding = ["insert", "replace"] if rate_import.options.stash else ["insert"]
    adds = pl.col("action").is_in(adding)
    without = pl.lit(None, dtype=pl.Int64).alias("rate_id")
    for frame in (kept.filter(adds), kept.filter(~adds).with_columns(without)):
        copy_rows("catalogue_rateimportrow", frame, texts=_ROW_TEXTS)
