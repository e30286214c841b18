"""Who made a call and where it ended."""

import polars as pl

from cdr.rating.choice import TagColumn
from cdr.rules.parties import ON_NET


def identify_parties(
    xdrs: pl.DataFrame,
    *,
    accounts: pl.DataFrame,
    numbers: pl.DataFrame,
    default_vendor_id: int | None,
) -> pl.DataFrame:
    """`xdrs` with customer_id, vendor_id and terminating_customer_id (int64, null for nobody).

    `xdrs` has account_code, caller_e164, normalised_number and trunk_vendor_id; `accounts` and
    `numbers` have value and customer_id. The customer is the one of the account code, else of the
    caller's number. A trunk named by its tech prefix carried the call; without one, a call to a
    customer's number is on-net, and every other call went to the source's usual vendor.
    """
    by_account = accounts.select(account_code="value", _by_account="customer_id")
    by_caller = numbers.select(caller_e164="value", _by_caller="customer_id")
    by_number = numbers.select(normalised_number="value", _called="customer_id")
    found = (
        xdrs.join(by_account, on="account_code", how="left", maintain_order="left")
        .join(by_caller, on="caller_e164", how="left", maintain_order="left")
        .join(by_number, on="normalised_number", how="left", maintain_order="left")
    )
    trunk = pl.col("trunk_vendor_id")
    called = pl.when(trunk.is_null()).then("_called")
    default = pl.lit(default_vendor_id, pl.Int64)
    return found.with_columns(
        customer_id=pl.coalesce("_by_account", "_by_caller"),
        vendor_id=pl.coalesce(trunk, pl.when(called.is_null()).then(default)),
        terminating_customer_id=called,
    ).drop("_by_account", "_by_caller", "_called")


def on_net_tags(terminating_customer_id: pl.Series) -> TagColumn:
    """The tag of xDRs that ended at a customer, for rates of their own."""
    codes = terminating_customer_id.is_not_null().cast(pl.Int64).to_numpy()
    return TagColumn(codes, (frozenset(), frozenset({ON_NET})))
