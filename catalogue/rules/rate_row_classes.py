"""What a file's rates do to a table: every row's class, worked out on columns.

Two rates are for the same calls where they agree in `KEY`. A row is compared with the rate that is
in force when it starts: the one with its very start, which it takes the place of, or else the one
in force in the moment before, unless that ends there. Stashed rates price nothing, and stand beside
others for the same calls: a row of one is compared with nothing but a stashed rate just like it.
"""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from heapq import heappop, heappush

import polars as pl

from catalogue.rules.rate_layouts import Absent, Duplicates, ImportOptions, Unchanged

KEY = ("prefix", "tag", "time_profile_id", "policy", "origin_prefix", "min_digits", "max_digits")
TERMS = (
    *("destination", "rate", "initial_rate", "connection_fee", "minimum", "increment", "grace"),
    *("steps", "min_cost", "max_cost", "attempt_fee", "status"),
)
_START, _END = "effective_from", "effective_to"
_FOREVER = 2**62
_STASHED = "stashed"
_RATES_AT_ONCE = 100_000


class RowClass(StrEnum):
    """What a row does to its table."""

    NEW = "new"
    INCREASED = "increased"
    DECREASED = "decreased"
    CHANGED = "changed"
    """The same price, under other terms."""
    UNCHANGED = "unchanged"
    CLOSED = "closed"
    """A rate of the table that the file does not have, and that ends therefore."""
    STASHED = "stashed"
    """One that would begin later."""
    DUPLICATE = "duplicate"
    """Another row of the file says the same, and counts."""
    ERROR = "error"


class RowAction(StrEnum):
    """What is written for a row."""

    NOTHING = ""
    INSERT = "insert"
    REPLACE = "replace"
    CLOSE = "close"
    STASH = "stash"


def compare(
    rows: pl.DataFrame, stored: pl.DataFrame, options: ImportOptions
) -> Iterator[pl.DataFrame]:
    """The rows with class, action, price before and the rate they touch; then what is absent.

    Some prefixes at a time, which bounds the memory, and so in no order but that of `number`.

    Args:
        rows: of a file, with `number`, `sheet`, `line`, the columns of a rate, `wrong_field`
            and `error`.
        stored: the table's rates with their `id`.
        options: what to do with duplicates, unchanged rows and absent rates.
    """
    last_number = int(rows["number"].max() or 0)  # type: ignore[arg-type]  # a column of numbers
    parts = 1 + (len(rows) + len(stored)) // _RATES_AT_ONCE
    part = pl.col("prefix").hash() % parts
    for number in range(parts):
        of_part = rows.filter(part == number), stored.filter(part == number)
        for frame in _compare(*of_part, options, last_number):
            last_number = max(last_number, int(frame["number"].max() or 0))  # type: ignore[arg-type]
            yield frame


def _compare(
    rows: pl.DataFrame, stored: pl.DataFrame, options: ImportOptions, last_number: int
) -> Iterator[pl.DataFrame]:
    is_stashed = (pl.col("status") == _STASHED) & pl.col("error").is_null()
    stashed = _with_keys(rows.filter(is_stashed))
    rows = _with_keys(_marked_duplicates(rows.filter(~is_stashed), options))
    waiting = _with_keys(stored.filter(pl.col("status") == _STASHED))
    stored = _with_keys(stored.filter(pl.col("status") != _STASHED))
    counted = rows.filter(pl.col("error").is_null() & ~pl.col("is_duplicate"))
    before = _before(counted, stored)
    found = rows.join(before, on="number", how="left", maintain_order="left")
    found = found.with_columns(row_class=_row_class())
    found = found.with_columns(action=_action(options))
    names = [*rows.drop("is_duplicate", "key").columns, "row_class", "action"]
    names += ["before_rate", "target_id"]
    yield found.select(names)
    if not stashed.is_empty():
        yield _compare_stashed(stashed, waiting).select(names)
    for absent in _absent(rows, counted, stored, options, last_number):
        yield absent.select(names)


def _compare_stashed(rows: pl.DataFrame, waiting: pl.DataFrame) -> pl.DataFrame:
    """Rows of stashed rates: unchanged where the table has the very same, else new."""
    same = ["key", _START, _END, *TERMS]
    known = waiting.select(same).unique().with_columns(is_known=pl.lit(value=True))
    found = rows.join(known, on=same, how="left", nulls_equal=True, maintain_order="left")
    is_known = pl.col("is_known").fill_null(value=False)
    return found.with_columns(
        row_class=pl.when(is_known)
        .then(pl.lit(RowClass.UNCHANGED.value))
        .otherwise(pl.lit(RowClass.NEW.value)),
        action=pl.when(is_known)
        .then(pl.lit(RowAction.NOTHING.value))
        .otherwise(pl.lit(RowAction.INSERT.value)),
        before_rate=pl.when(is_known).then("rate").otherwise(pl.lit(None, dtype=pl.Int64)),
        target_id=pl.lit(None, dtype=pl.Int64),
    )


def _with_keys(rates: pl.DataFrame) -> pl.DataFrame:
    """With `key`, one text for all that tells calls apart."""
    parts = [pl.col(name).cast(pl.String).fill_null("") for name in KEY]
    return rates.with_columns(key=pl.concat_str(parts, separator="\t"))


def _marked_duplicates(rows: pl.DataFrame, options: ImportOptions) -> pl.DataFrame:
    """`is_duplicate` where another row counts; where none is to count, all are wrong."""
    same = [*KEY, _START]
    is_right = pl.col("error").is_null()
    numbers = pl.when(is_right).then(pl.col("number"))
    counts = numbers.last(ignore_nulls=True)
    if options.duplicates is not Duplicates.LATEST:
        counts = numbers.first(ignore_nulls=True)
    rows = rows.with_columns(
        counting=counts.over(same), alike=is_right.sum().over(same).cast(pl.Int64)
    )
    if options.duplicates is Duplicates.REFUSE:
        is_repeated = is_right & (pl.col("alike") > 1)
        reason = pl.lit("another row of the file has the same prefix and start")
        rows = rows.with_columns(
            wrong_field=pl.when(is_repeated).then(pl.lit("prefix")).otherwise("wrong_field"),
            error=pl.when(is_repeated).then(reason).otherwise("error"),
            is_duplicate=pl.lit(value=False),
        )
    else:
        rows = rows.with_columns(is_duplicate=is_right & (pl.col("number") != pl.col("counting")))
    return rows.drop("counting", "alike")


def _before(counted: pl.DataFrame, stored: pl.DataFrame) -> pl.DataFrame:
    """For each row `number` the rate it is compared with, its columns named `before_…`.

    `target_id` is the id of the stored rate that has its very start.
    """
    columns = ["key", _START, _END, *TERMS, "id", "number"]
    stored = stored.with_columns(number=pl.lit(None, dtype=pl.Int64))
    counted = counted.with_columns(id=pl.lit(None, dtype=pl.Int64))
    stored = stored.sort("key", _START, "id").unique(
        ["key", _START], keep="last", maintain_order=True
    )
    replaced = counted.select("key", _START).with_columns(is_replaced=pl.lit(value=True))
    standing = stored.join(replaced, on=["key", _START], how="anti")
    spans = spans_in_force(pl.concat([standing.select(columns), counted.select(columns)]))
    earlier = counted.select("number", "key", _START).sort("key", _START)
    earlier = earlier.join_asof(
        spans,
        on=_START,
        by="key",
        strategy="backward",
        allow_exact_matches=False,
        coalesce=False,
        suffix="_span",
        check_sortedness=False,
    )
    lasts = (pl.col("span_end") >= pl.col(_START)) & (
        pl.col("before_effective_to").is_null() | (pl.col("before_effective_to") > pl.col(_START))
    )
    earlier = earlier.filter(lasts).select("number", pl.col("^before_.*$"))
    exact = counted.select("number", "key", _START).join(
        stored.select(columns[:-1]).rename(_before_names([*columns[3:-2], _END])),
        on=["key", _START],
    )
    exact = exact.with_columns(before_effective_from=pl.col(_START), target_id=pl.col("id"))
    earlier = earlier.join(exact.select("number"), on="number", how="anti")
    return pl.concat([exact.drop("key", _START, "id"), earlier], how="diagonal")


def _before_names(columns: Sequence[str]) -> dict[str, str]:
    return {name: f"before_{name}" for name in columns}


def spans_in_force(rates: pl.DataFrame) -> pl.DataFrame:
    """When which of the rates for the same `key` is in force, as spans that do not overlap.

    A rate without an end ends where the next starts; one with an end goes on after a shorter one
    that started later has ended. A span has `key`, its start, `span_end` and the rate's columns
    named `before_…`; at most one rate of a key starts at an instant.
    """
    columns = [_START, _END, *TERMS]
    ordered = rates.sort("key", _START)
    following = pl.col(_START).shift(-1).over("key").fill_null(_FOREVER)
    ends = pl.col(_END).fill_null(_FOREVER)
    ordered = ordered.with_columns(following=following, span_end=pl.min_horizontal(ends, following))
    overlapping = ordered.filter(pl.col(_END) > pl.col("following"))["key"].unique()
    is_plain = ~pl.col("key").is_in(overlapping.implode())
    plain = ordered.filter(is_plain).drop("following")
    nested = ordered.filter(~is_plain).drop("following", "span_end")
    spans = [plain.with_columns(span_start=pl.col(_START))]
    if not nested.is_empty():
        spans.append(_unnested(nested).select(spans[0].columns))
    return (
        pl.concat(spans)
        .rename(_before_names(columns))
        .rename({"span_start": _START})
        .select("key", _START, "span_end", *_before_names(columns).values())
        .sort("key", _START)
    )


def _unnested(rates: pl.DataFrame) -> pl.DataFrame:
    """Spans of rates of which some begin and end while others last."""
    rows = rates.with_row_index("place")
    found: list[tuple[int, int, int]] = []
    for _, of_key in rows.select("key", "place", _START, _END).group_by("key"):
        found += _spans(of_key.select("place", _START, _END).sort(_START).rows())
    spans = pl.DataFrame(
        found,
        schema={"place": pl.UInt32, "span_start": pl.Int64, "span_end": pl.Int64},
        orient="row",
    )
    return rows.join(spans, on="place").drop("place")


def _spans(rates: list[tuple[int, int, int | None]]) -> Iterator[tuple[int, int, int]]:
    """The place of the rate in force, from when and until when; `rates` are in order of start."""
    edges = sorted({edge for _, start, end in rates for edge in (start, end) if edge is not None})
    begun: list[tuple[int, int, int | None]] = []
    waiting = iter([*rates, None])
    coming = next(waiting)
    latest = -1
    for edge, until in zip(edges, [*edges[1:], _FOREVER], strict=True):
        while coming is not None and coming[1] <= edge:
            place, latest, end = coming
            heappush(begun, (-latest, place, end))
            coming = next(waiting)
        while begun and (begun[0][2] or (_FOREVER if -begun[0][0] == latest else 0)) <= edge:
            heappop(begun)
        if begun:
            yield begun[0][1], edge, until


def _row_class() -> pl.Expr:
    rate, before = pl.col("rate"), pl.col("before_rate")
    return (
        pl.when(pl.col("error").is_not_null())
        .then(pl.lit(RowClass.ERROR.value))
        .when("is_duplicate")
        .then(pl.lit(RowClass.DUPLICATE.value))
        .when(before.is_null())
        .then(pl.lit(RowClass.NEW.value))
        .when(rate > before)
        .then(pl.lit(RowClass.INCREASED.value))
        .when(rate < before)
        .then(pl.lit(RowClass.DECREASED.value))
        .when(_same_terms())
        .then(pl.lit(RowClass.UNCHANGED.value))
        .otherwise(pl.lit(RowClass.CHANGED.value))
    )


def _same_terms() -> pl.Expr:
    """An end that a row does not say is no change where it only begins anew."""
    alike = [pl.col(name).eq_missing(pl.col(f"before_{name}")) for name in TERMS]
    begins_anew = pl.col("target_id").is_null() & pl.col(_END).is_null()
    return pl.all_horizontal(
        *alike, begins_anew | pl.col(_END).eq_missing(pl.col("before_effective_to"))
    )


def _action(options: ImportOptions) -> pl.Expr:
    writing = [RowClass.NEW, RowClass.INCREASED, RowClass.DECREASED, RowClass.CHANGED]
    has_target = pl.col("target_id").is_not_null()
    writes = pl.col("row_class").is_in([each.value for each in writing])
    if options.unchanged is Unchanged.KEEP:
        writes |= (pl.col("row_class") == RowClass.UNCHANGED.value) & ~has_target
    return (
        pl.when(~writes)
        .then(pl.lit(RowAction.NOTHING.value))
        .when(has_target)
        .then(pl.lit(RowAction.REPLACE.value))
        .otherwise(pl.lit(RowAction.INSERT.value))
    )


def _absent(
    rows: pl.DataFrame,
    counted: pl.DataFrame,
    stored: pl.DataFrame,
    options: ImportOptions,
    last_number: int,
) -> Iterator[pl.DataFrame]:
    """The stored rates that end or are stashed because the file has nothing for their calls.

    A row that is wrong speaks for all rates of its prefix: they are not absent.
    """
    if options.absent is Absent.KEEP or options.close_at is None:
        return
    close_at = int(options.close_at.timestamp()) * 1_000_000
    wrong = rows.filter(pl.col("error").is_not_null()).select("prefix")
    missing = stored.join(counted.select("key"), on="key", how="anti")
    missing = missing.join(wrong, on="prefix", how="anti").sort("key", _START, "id")
    is_begun = pl.col(_START) < close_at
    if options.absent is not Absent.CLOSE_AND_STASH:
        # One that begins at this very instant stays, and the one before it ends there by itself.
        is_begun |= pl.col(_START) == close_at
    begun = missing.filter(is_begun)
    latest = pl.col(_START) == pl.col(_START).max().over("key")
    lasting = pl.when(pl.col(_END).is_null()).then(latest).otherwise(pl.col(_END) > close_at)
    closed = begun.filter(lasting & (pl.col(_START) < close_at))
    changes = [(closed, RowClass.CLOSED, RowAction.CLOSE)]
    if options.absent is Absent.CLOSE_AND_STASH:
        future = missing.filter(pl.col(_START) >= close_at)
        changes.append((future, RowClass.STASHED, RowAction.STASH))
    for rates, row_class, action in changes:
        numbered = rates.with_row_index("number", offset=last_number + 1)
        last_number += len(rates)
        end = pl.lit(close_at) if action is RowAction.CLOSE else pl.col(_END)
        status = pl.col("status") if action is RowAction.CLOSE else pl.lit(_STASHED)
        yield numbered.with_columns(
            pl.col("number").cast(pl.Int64),
            end.cast(pl.Int64).alias(_END),
            status=status,
            sheet=pl.lit(""),
            line=pl.lit(None, dtype=pl.Int64),
            wrong_field=pl.lit(None, dtype=pl.String),
            error=pl.lit(None, dtype=pl.String),
            row_class=pl.lit(row_class.value),
            action=pl.lit(action.value),
            before_rate=pl.col("rate"),
            target_id=pl.col("id"),
        )
