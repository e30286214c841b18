"""The same xDR twice is kept once."""

from hashlib import blake2b

import polars as pl

from cdr.rating.few import FEW

KEY_BYTES = 16
# Hashing with a copy takes two thirds of hashing with a new one, which reads its options again.
_EMPTY = blake2b(digest_size=KEY_BYTES)
BREAK = "\x1f"
"""What fields are joined by: no xDR is made of a line of which one holds it."""
_TEXTS_AT_ONCE = 4_096
_CALL = ("call_id", "leg_id")
KEYED_TEXTS = (*_CALL, "caller_number", "destination_number")
_FACTS = ("started_at", "caller_number", "destination_number", "duration_seconds")


def dedup_keys(xdrs: pl.DataFrame, *, source_id: int) -> pl.Series:
    """A 128-bit hash per xDR, as 32 hexadecimal digits, the same on every machine and for ever.

    Of source, call id and leg id; where there is no call id, of source, start, caller, destination
    and duration. An xDR is the same as another if both start and key are.
    """
    if len(xdrs) <= FEW:
        columns = [xdrs[name].to_list() for name in (*_CALL, *_FACTS)]
        each = [_text(source_id, row) for row in zip(*columns, strict=True)]
        return pl.Series("dedup_key", [_key(text.encode()) for text in each], dtype=pl.String)
    by_call = _joined(pl.lit("call"), *_CALL)
    by_facts = _joined(pl.lit("facts"), *_FACTS)
    texts = xdrs.select(
        pl.lit(f"{source_id}{BREAK}")
        + pl.when(pl.col("call_id").is_null()).then(by_facts).otherwise(by_call)
    ).to_series()
    # By some thousands, whose memory serves the next ones; for all, more of it is asked for anew.
    keys = [
        pl.Series("dedup_key", [_key(text) for text in some.to_series().cast(pl.Binary).to_list()])
        for some in texts.to_frame().iter_slices(_TEXTS_AT_ONCE)
    ]
    return pl.concat(keys, rechunk=True)


def is_repeated(xdrs: pl.DataFrame) -> pl.Series:
    """Whether the same xDR stands further up in the batch; by started_at and dedup_key."""
    if len(xdrs) <= FEW:
        each = list(zip(xdrs["started_at"].to_list(), xdrs["dedup_key"].to_list(), strict=True))
        first_places = {name: place for place, name in reversed(list(enumerate(each)))}
        repeated = [first_places[name] < place for place, name in enumerate(each)]
        return pl.Series(repeated, dtype=pl.Boolean)
    first = xdrs.select(pl.struct("started_at", "dedup_key").is_first_distinct())
    return ~first.to_series()


def _key(text: bytes) -> str:
    key = _EMPTY.copy()
    key.update(text)
    return key.hexdigest()


def _text(source_id: int, row: tuple[str | int | None, ...]) -> str:
    kind, said = ("facts", row[len(_CALL) :]) if row[0] is None else ("call", row[: len(_CALL)])
    parts = ["" if part is None else str(part) for part in said]
    return BREAK.join([str(source_id), kind, *parts])


def _joined(*parts: pl.Expr | str) -> pl.Expr:
    texts = [pl.col(part).cast(pl.String) if isinstance(part, str) else part for part in parts]
    return pl.concat_str([text.fill_null("") for text in texts], separator=BREAK)
