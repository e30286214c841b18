"""Batches of few rows, such as the one xDR of a call: a step of Polars takes 20 to 300 microseconds
however few they are (2026-11), in which Python does hundreds of them.

What is done with them is the same, and tests compare the answers with those about many rows.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

FEW = 300
"""So many rows at most: a hundred xDRs with their legs."""


def looked_up(keys: pl.Series, known: pl.DataFrame, on: str) -> pl.DataFrame:
    """The other columns of the row of `known` whose `on` equals each key; null where none does.

    `known` has each value of `on` once; a null key finds nothing.
    """
    if len(keys) > FEW or len(known) > FEW:
        asked = keys.to_frame(on)
        return asked.join(known, on=on, how="left", maintain_order="left").drop(on)
    if known.is_empty():
        return nothing({name: kind for name, kind in known.schema.items() if name != on}, len(keys))
    rows = dict(zip(known[on].to_list(), known.rows(), strict=True))
    absent = (None,) * known.width
    found = [absent if key is None else rows.get(key, absent) for key in keys.to_list()]
    columns = zip(known.schema.items(), zip(*found, strict=True), strict=True)
    return pl.DataFrame(
        [pl.Series(name, values, kind) for (name, kind), values in columns if name != on]
    )


def alike(name: str, value: object, kind: pl.DataType | type[pl.DataType], count: int) -> pl.Series:
    """A column that says the same in every row."""
    return pl.Series(name, [value], kind).new_from_index(0, count)


def nothing(schema: Mapping[str, pl.DataType | type[pl.DataType]], count: int) -> pl.DataFrame:
    """Rows of nulls."""
    return pl.DataFrame([alike(name, None, kind, count) for name, kind in schema.items()])


def with_columns(frame: pl.DataFrame, columns: Sequence[pl.Series]) -> pl.DataFrame:
    """`frame` with the columns at its end, or in place of those of their names."""
    if {column.name for column in columns}.isdisjoint(frame.columns):
        return frame.hstack(list(columns))
    return frame.with_columns(*columns)


def filled(ids: pl.Series, absent: int) -> NDArray[np.int64]:
    """Ids as int64, `absent` where they are null."""
    if not ids.null_count():
        return ids.to_numpy()
    if len(ids) <= FEW:
        each = [absent if found is None else found for found in ids.to_list()]
        return np.array(each, dtype=np.int64)
    return ids.fill_null(absent).to_numpy()
