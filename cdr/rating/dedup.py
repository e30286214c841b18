"""The same xDR twice is kept once."""

from hashlib import blake2b

import polars as pl

KEY_BYTES = 16
# Fields are joined by what no field holds: the parsers refuse control characters or drop them.
_BREAK = "\x1f"


def dedup_keys(xdrs: pl.DataFrame, *, source_id: int) -> pl.Series:
    """A 128-bit hash per xDR, as 32 hexadecimal digits, the same on every machine and for ever.

    Of source, call id and leg id; where there is no call id, of source, start, caller, destination
    and duration. An xDR is the same as another if both start and key are.
    """
    by_call = _joined(pl.lit("call"), "call_id", "leg_id")
    by_facts = _joined(
        pl.lit("facts"), "started_at", "caller_number", "destination_number", "duration_seconds"
    )
    texts = xdrs.select(
        pl.lit(f"{source_id}{_BREAK}")
        + pl.when(pl.col("call_id").is_null()).then(by_facts).otherwise(by_call)
    ).to_series()
    keys = [
        blake2b(text, digest_size=KEY_BYTES).hexdigest() for text in texts.cast(pl.Binary).to_list()
    ]
    return pl.Series("dedup_key", keys, dtype=pl.String)


def is_repeated(xdrs: pl.DataFrame) -> pl.Series:
    """Whether the same xDR stands further up in the batch; by started_at and dedup_key."""
    first = xdrs.select(pl.struct("started_at", "dedup_key").is_first_distinct())
    return ~first.to_series()


def _joined(*parts: pl.Expr | str) -> pl.Expr:
    texts = [pl.col(part).cast(pl.String) if isinstance(part, str) else part for part in parts]
    return pl.concat_str([text.fill_null("") for text in texts], separator=_BREAK)
