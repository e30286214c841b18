"""Who made a call and where it ended."""

from collections.abc import Iterable, Mapping

import polars as pl

from catalogue.rules.tags import join_tags, split_tags
from cdr.rating.choice import TagColumn
from cdr.rules.parties import ON_NET

_ON_NET = (frozenset[str](), frozenset({ON_NET}))


def identify_parties(
    xdrs: pl.DataFrame,
    *,
    customers: Mapping[str, pl.DataFrame],
    numbers: pl.DataFrame,
    default_vendor_id: int | None,
    source_tags: str = "",
) -> pl.DataFrame:
    """`xdrs` with customer_id, vendor_id and terminating_customer_id (int64, null for nobody).

    And with subscription_id, of what named the customer (null for none), and tags, parted by
    commas. `xdrs` has the columns that `customers` names, normalised_number, received_tags,
    trunk_vendor_id and trunk_tags; each of `customers`, and `numbers`, has value, customer_id,
    subscription_id and tags. The customer is the one that the first of these columns names. A trunk
    named by its tech prefix carried the call; without one, a call to a customer's number is on-net,
    and every other call went to the source's usual vendor. The tags are those received, and those
    of the source, the trunk and what named the customer; null stands for none.
    """
    by_number = numbers.select(normalised_number="value", _called="customer_id")
    found = xdrs.join(by_number, on="normalised_number", how="left", maintain_order="left")
    for column, named in customers.items():
        names = {
            column: "value",
            f"_payer_by_{column}": "customer_id",
            f"_tags_by_{column}": "tags",
            f"_subscription_by_{column}": "subscription_id",
        }
        found = found.join(named.select(**names), on=column, how="left", maintain_order="left")
    nobody, no_tags = pl.lit(None, pl.Int64), pl.lit(None, pl.String)
    subscription = nobody
    payer = pl.coalesce(*(pl.col(f"_payer_by_{column}") for column in customers), nobody)
    # Of the first that names somebody: what a later one says too is not looked at.
    named_tags = no_tags
    for column in reversed(list(customers)):
        is_named = pl.col(f"_payer_by_{column}").is_not_null()
        named_tags = pl.when(is_named).then(f"_tags_by_{column}").otherwise(named_tags)
        its_own = pl.when(is_named).then(f"_subscription_by_{column}")
        subscription = its_own.otherwise(subscription)
    trunk = pl.col("trunk_vendor_id")
    called = pl.when(trunk.is_null()).then("_called")
    default = pl.lit(default_vendor_id, pl.Int64)
    given = found.select("received_tags", "trunk_tags", named_tags=named_tags)
    return found.with_columns(
        _carried(given, source_tags).alias("tags"),
        customer_id=payer,
        subscription_id=subscription,
        vendor_id=pl.coalesce(trunk, pl.when(called.is_null()).then(default)),
        terminating_customer_id=called,
    ).drop(*_named_by(customers), "_called", "trunk_tags")


def _named_by(customers: Iterable[str]) -> list[str]:
    return [
        f"_{what}_by_{column}" for column in customers for what in ("payer", "tags", "subscription")
    ]


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
