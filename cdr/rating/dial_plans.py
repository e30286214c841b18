"""Dialled numbers as E.164 digits, and the trunk that their technical prefix names, column-wise."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import polars as pl

from cdr.rating.few import FEW, alike

# What Unicode calls white space. Left to themselves, Rust and Python do not quite agree on it.
_BLANKS = "\t\n\x0b\x0c\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
_PUNCTUATION = rf"[{_BLANKS}().\-/]"
# "+49 (0) 30 …": the zero in brackets is for callers at home only.
_BRACKETED_TRUNK_ZERO = r"^((?:\+|00).*?)\(0\)"


@dataclass(frozen=True)
class DialPlan:
    """How callers of a switch dial: what stands before foreign and before national numbers.

    A number of fewer than `minimum_digits` digits (country code included) is an extension or a
    short code, not E.164; E.164 allows at most fifteen. Where a national number is dialled without
    any sign (North America), `national_digits` is its length.
    """

    country_prefix: str | None = None
    international_prefix: str = "00"
    trunk_prefix: str | None = "0"
    national_digits: int | None = None
    minimum_digits: int = 7


def normalise(
    dialled: pl.Series,
    *,
    plan: DialPlan,
    country_prefixes: pl.Series | None = None,
    tech_prefixes: Mapping[str, int] | None = None,
) -> pl.DataFrame:
    """Columns `number` (E.164 digits without sign) and `trunk` (int64) for each dialled string.

    The longest of `tech_prefixes` that a string starts with is taken off and gives its trunk.
    National numbers get the row's `country_prefixes`, or the plan's where that is null. `number` is
    null for what is no E.164 number: names, extensions, national numbers without a country prefix.
    """
    country = _country_column(dialled, plan, country_prefixes)
    if len(dialled) <= FEW:
        each = zip(dialled.to_list(), country.to_list(), strict=True)
        found = [_normalised(said, plan, known, tech_prefixes or {}) for said, known in each]
        return pl.DataFrame(found, schema={"number": pl.String, "trunk": pl.Int64}, orient="row")
    frame = pl.DataFrame([dialled.alias("dialled"), country]).with_row_index("place")
    settled = frame.select(_is_settled(plan, tech_prefixes or {}).fill_null(False)).to_series()
    as_dialled = {"number": pl.col("dialled"), "trunk": pl.lit(None, pl.Int64)}
    if settled.all():
        return frame.select(**as_dialled)
    if not settled.any():
        return _worked_out(frame, plan, tech_prefixes or {}).drop("place")
    known = frame.filter(settled).select("place", **as_dialled)
    worked_out = _worked_out(frame.filter(~settled), plan, tech_prefixes or {})
    return pl.concat([known, worked_out]).sort("place").drop("place")


def _normalised(
    dialled: str | None, plan: DialPlan, country: str | None, tech_prefixes: Mapping[str, int]
) -> tuple[str | None, int | None]:
    """One number and its trunk."""
    if dialled is None:
        return None, None
    bare, trunk = dialled.strip(_BLANKS), None
    found = max((each for each in tech_prefixes if bare.startswith(each)), key=len, default=None)
    if found is not None:
        bare, trunk = bare[len(found) :], tech_prefixes[found]
    digits = re.sub(_BRACKETED_TRUNK_ZERO, r"\1", bare, count=1)
    digits = re.sub(_PUNCTUATION, "", digits)
    digits = re.sub(f"^{plan.international_prefix}", "+", digits, count=1)
    if digits.startswith("+"):
        number = digits[1:]
    elif _has_trunk_prefix(digits, plan) or len(digits.encode()) == plan.national_digits:
        if country is None:
            return None, trunk
        number = country + digits.removeprefix(plan.trunk_prefix or "")
    else:
        number = digits
    return (number if re.fullmatch(_valid(plan), number) else None), trunk


def _has_trunk_prefix(digits: str, plan: DialPlan) -> bool:
    return bool(plan.trunk_prefix) and digits.startswith(str(plan.trunk_prefix))


def _worked_out(
    frame: pl.DataFrame, plan: DialPlan, tech_prefixes: Mapping[str, int]
) -> pl.DataFrame:
    return (
        frame.with_columns(dialled=pl.col("dialled").str.strip_chars())
        .select("place", "country", *_without_tech_prefix(tech_prefixes))
        .select("place", _e164(plan).alias("number"), "trunk")
    )


def _is_settled(plan: DialPlan, tech_prefixes: Mapping[str, int]) -> pl.Expr:
    """Whether the string is the E.164 number already, as most are: ten times as fast to see."""
    dialled = pl.col("dialled")
    signs = [*tech_prefixes, plan.international_prefix, plan.trunk_prefix]
    signed = [dialled.str.starts_with(sign) for sign in signs if sign]
    plain = dialled.str.contains(_valid(plan)) & ~pl.any_horizontal(pl.lit(False), *signed)
    if plan.national_digits is None:
        return plain
    return plain & (dialled.str.len_bytes() != plan.national_digits)


def _country_column(
    dialled: pl.Series, plan: DialPlan, country_prefixes: pl.Series | None
) -> pl.Series:
    default = alike("country", plan.country_prefix, pl.String, len(dialled))
    countries = default if country_prefixes is None else country_prefixes.fill_null(default)
    return countries.alias("country")


def _without_tech_prefix(tech_prefixes: Mapping[str, int]) -> tuple[pl.Expr, pl.Expr]:
    dialled = pl.col("dialled")
    bare, trunk = dialled, pl.lit(None, pl.Int64)
    for prefix in sorted(tech_prefixes, key=len):
        found = dialled.str.starts_with(prefix)
        bare = pl.when(found).then(dialled.str.slice(len(prefix))).otherwise(bare)
        trunk = pl.when(found).then(tech_prefixes[prefix]).otherwise(trunk)
    return bare.alias("bare"), trunk.alias("trunk")


@cache
def _e164(plan: DialPlan) -> pl.Expr:
    digits = (
        pl.col("bare")
        .str.replace(_BRACKETED_TRUNK_ZERO, "${1}")
        .str.replace_all(_PUNCTUATION, "")
        .str.replace(f"^{plan.international_prefix}", "+")
    )
    number = (
        pl.when(digits.str.starts_with("+"))
        .then(digits.str.slice(1))
        .when(_is_national(digits, plan))
        .then(pl.col("country") + digits.str.strip_prefix(plan.trunk_prefix or ""))
        .otherwise(digits)
    )
    return pl.when(number.str.contains(_valid(plan))).then(number)


def _valid(plan: DialPlan) -> str:
    return f"^[1-9][0-9]{{{plan.minimum_digits - 1},14}}$"


def _is_national(digits: pl.Expr, plan: DialPlan) -> pl.Expr:
    with_sign = digits.str.starts_with(plan.trunk_prefix) if plan.trunk_prefix else pl.lit(False)
    if plan.national_digits is None:
        return with_sign
    return with_sign | (digits.str.len_bytes() == plan.national_digits)
