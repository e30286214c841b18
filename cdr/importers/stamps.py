"""Local wall-clock times of a switch as instants, when clocks are put back or forward too."""

from zoneinfo import ZoneInfo

import polars as pl

_STAMPS = ("started_at", "answered_at", "ended_at")
_MICROSECONDS = 1_000_000


def to_instants(local: pl.DataFrame, zone: ZoneInfo) -> pl.DataFrame:
    """started_at, answered_at and ended_at as int64 microseconds UTC.

    `local` has these three as naive datetimes of `zone`, and duration_seconds. *Times told twice*
    (clocks put back): of the readings, the start and the end are taken that are duration_seconds
    apart, the earlier ones if several fit; the answer is the first reading not before the start.
    Without a duration the start is the earlier reading and the end the first not before it.
    *Times that never were* (clocks put forward) are null: a switch that writes one keeps another
    zone than its source says.
    """
    plain = local.select(_instant(name, zone, "null") for name in _STAMPS)
    settled = all(plain[name].null_count() == local[name].null_count() for name in _STAMPS)
    return plain if settled else _settle(local, zone)


def _instant(name: str, zone: ZoneInfo, ambiguous: str) -> pl.Expr:
    aware = pl.col(name).dt.replace_time_zone(
        zone.key,
        ambiguous=ambiguous,  # type: ignore[arg-type]  # the literal is one of Polars' own
        non_existent="null",
    )
    return aware.dt.epoch("us")


def _settle(local: pl.DataFrame, zone: ZoneInfo) -> pl.DataFrame:
    early = [_instant(name, zone, "earliest").alias(f"{name}_early") for name in _STAMPS]
    late = [_instant(name, zone, "latest").alias(f"{name}_late") for name in _STAMPS]
    readings = local.select("duration_seconds", *early, *late)
    both_early = _gap("started_at_early", "ended_at_early")
    both_late = _gap("started_at_late", "ended_at_late")
    across = _gap("started_at_early", "ended_at_late")
    starts_late = (both_late < both_early) & (both_late <= across)
    ends_early = (both_early <= both_late) & (both_early <= across)
    started_at = pl.when(starts_late).then("started_at_late").otherwise("started_at_early")
    ends_early = ends_early.fill_null(pl.col("ended_at_early") >= started_at)
    ended_at = pl.when(ends_early).then("ended_at_early").otherwise("ended_at_late")
    answered_early = pl.col("answered_at_early") >= started_at
    return readings.select(
        started_at=started_at,
        answered_at=pl.when(answered_early).then("answered_at_early").otherwise("answered_at_late"),
        ended_at=ended_at,
    )


def _gap(start: str, end: str) -> pl.Expr:
    """How far the time between two readings is from the duration, in microseconds."""
    duration = pl.col("duration_seconds") * _MICROSECONDS
    return (pl.col(end) - pl.col(start) - duration).abs()
