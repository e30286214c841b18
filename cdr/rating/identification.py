"""Who made a call and where it ended."""

import polars as pl

from catalogue.rules.tags import join_tags, split_tags
from cdr.rating.choice import TagColumn
from cdr.rules.parties import ON_NET

_ON_NET = (frozenset[str](), frozenset({ON_NET}))


def identify_parties(
    xdrs: pl.DataFrame,
    *,
    accounts: pl.DataFrame,
    numbers: pl.DataFrame,
    default_vendor_id: int | None,
    source_tags: str = "",
) -> pl.DataFrame:
    """`xdrs` with customer_id, vendor_id and terminating_customer_id (int64, null for nobody).

    And with tags, parted by commas. `xdrs` has account_code, caller_e164, normalised_number,
    received_tags, trunk_vendor_id and trunk_tags; `accounts` and `numbers` have value, customer_id
    and tags. The customer is the one of the account code, else of the caller's number. A trunk
    named by its tech prefix carried the call; without one, a call to a customer's number is on-net,
    and every other call went to the source's usual vendor. The tags are those received, and those
    of the source, the trunk and what named the customer; null stands for none.
    """
    by_account = accounts.select(
        account_code="value", _by_account="customer_id", _account_tags="tags"
    )
    by_caller = numbers.select(caller_e164="value", _by_caller="customer_id", _caller_tags="tags")
    by_number = numbers.select(normalised_number="value", _called="customer_id")
    found = (
        xdrs.join(by_account, on="account_code", how="left", maintain_order="left")
        .join(by_caller, on="caller_e164", how="left", maintain_order="left")
        .join(by_number, on="normalised_number", how="left", maintain_order="left")
    )
    trunk = pl.col("trunk_vendor_id")
    called = pl.when(trunk.is_null()).then("_called")
    default = pl.lit(default_vendor_id, pl.Int64)
    by_code = pl.col("_by_account").is_not_null()
    given = found.select(
        "received_tags",
        "trunk_tags",
        named_tags=pl.when(by_code).then("_account_tags").otherwise("_caller_tags"),
    )
    return found.with_columns(
        _carried(given, source_tags).alias("tags"),
        customer_id=pl.coalesce("_by_account", "_by_caller"),
        vendor_id=pl.coalesce(trunk, pl.when(called.is_null()).then(default)),
        terminating_customer_id=called,
    ).drop("_by_account", "_account_tags", "_by_caller", "_caller_tags", "_called", "trunk_tags")


def _carried(given: pl.DataFrame, source_tags: str) -> pl.Series:
    """The tags of each row and of the source; worked out once for rows that have the same."""
    if all(column.null_count() == len(column) for column in given):
        return pl.repeat(source_tags, len(given), dtype=pl.String, eager=True)
    distinct = given.unique()
    tags = [
        join_tags(split_tags(",".join([source_tags, *filter(None, row)])))
        for row in distinct.iter_rows()
    ]
    known = distinct.with_columns(tags=pl.Series(tags, dtype=pl.String))
    found = given.join(known, on=given.columns, how="left", nulls_equal=True, maintain_order="left")
    return found["tags"]


def tag_column(tags: pl.Series, terminating_customer_id: pl.Series) -> TagColumn:
    """The tags of each xDR, of which one that ended at a customer has one more."""
    texts = tags.unique(maintain_order=True)
    places = pl.Series(range(len(texts)), dtype=pl.Int64)
    place = tags.replace_strict(texts, places, return_dtype=pl.Int64).to_numpy()
    on_net = terminating_customer_id.is_not_null().cast(pl.Int64).to_numpy()
    kept = [split_tags(text) for text in texts]
    return TagColumn(2 * place + on_net, [each | extra for each in kept for extra in _ON_NET])
