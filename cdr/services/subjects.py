"""What suspense is about: rows of one reason, source and subject wait for the same thing."""

import polars as pl

from cdr.models import IdentifiedBy
from cdr.models.suspense import SUBJECT_CHARACTERS
from cdr.rating.dial_plans import DialPlan, normalise
from cdr.rules.suspense import Suspended
from cdr.services.sources import SourceTerms

DIGITS_SHOWN = 4
"""Of a number: a country and the beginning of what lies in it (4477, 1212, 4930)."""

_QUOTED = '"[^"]*"'
_NAMES = {
    IdentifiedBy.ACCOUNT_CODE: "account_code",
    IdentifiedBy.TRUNK: "trunk",
    IdentifiedBy.IP: "caller_ip",
}


def line_subjects(lines: pl.DataFrame) -> pl.DataFrame:
    """Lines that became no xDR (reason, detail, started_at) with what they are about, `subject`.

    Of an unreadable one its fault without the values quoted, else the month that it would be of.
    """
    fault = pl.col("detail").str.replace_all(_QUOTED, "…")
    month = pl.from_epoch("started_at", time_unit="us").dt.to_string("%Y-%m")
    is_unreadable = pl.col("reason") == str(Suspended.UNPARSABLE)
    subject = pl.when(is_unreadable).then(fault).otherwise(month).fill_null("")
    return lines.with_columns(subject=subject.str.head(SUBJECT_CHARACTERS))


def xdr_subjects(xdrs: pl.DataFrame, suspense: pl.DataFrame, source: SourceTerms) -> pl.DataFrame:
    """`suspense` with named_by, subject and rate_table_id; `xdrs` has the xDR of each of its rows.

    An unknown customer is named by the first thing said that could name one; an unknown vendor by
    the number as dialled, a missing rate by the number as normalised: both by their beginning.
    """
    plan = DialPlan(country_prefix=source.country_prefix)
    caller = normalise(xdrs["caller_number"], plan=plan)["number"]
    named = xdrs.select(
        "account_code",
        "trunk",
        "caller_ip",
        caller=pl.coalesce(caller, xdrs["caller_number"]),
        dialled=pl.col("destination_number").fill_null("").str.head(DIGITS_SHOWN),
        number=pl.col("normalised_number").str.head(DIGITS_SHOWN),
    )
    about = suspense.hstack(named)
    is_unknown = pl.col("reason") == str(Suspended.UNKNOWN_CUSTOMER)
    says = {kind: _NAMES.get(kind, "caller") for kind in source.identified_by}
    has = {kind: pl.col(column).fill_null("") != "" for kind, column in says.items()}
    named_by, name = pl.lit(""), pl.lit("")
    for kind in reversed(list(says)):
        named_by = pl.when(has[kind]).then(pl.lit(str(kind))).otherwise(named_by)
        name = pl.when(has[kind]).then(says[kind]).otherwise(name)
    vendor = pl.col("detail").str.extract('"([^"]*)"').fill_null("")
    number = pl.coalesce("number", "dialled")
    subject = (
        pl.when(is_unknown)
        .then(name)
        .when(pl.col("reason") == str(Suspended.UNKNOWN_VENDOR))
        .then("dialled")
        .when(pl.col("reason") == str(Suspended.FOREIGN_VENDOR))
        .then(vendor)
        .when(pl.col("table_id").is_not_null())
        .then(number)
        .otherwise(pl.lit(""))
    )
    return about.select(
        *suspense.columns,
        named_by=pl.when(is_unknown).then(named_by).otherwise(pl.lit("")),
        subject=subject.str.head(SUBJECT_CHARACTERS),
        # Tiers, whose ids are negative, are no table.
        rate_table_id=pl.when(pl.col("table_id") > 0).then("table_id"),
    )
