"""Who made a call and where it ended."""

from collections.abc import Mapping, Sequence

import polars as pl

from catalogue.rules.tags import join_tags, split_tags
from cdr.rating.choice import TagColumn
from cdr.rating.few import alike, looked_up, nothing, with_columns
from cdr.rules.parties import ON_NET

_PAYER = {"customer_id": pl.Int64, "subscription_id": pl.Int64, "tags": pl.String}
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
    payer = _named_first(
        [looked_up(xdrs[column], each, "value") for column, each in customers.items()], len(xdrs)
    )
    called = looked_up(xdrs["normalised_number"], numbers, "value")["customer_id"]
    trunk, default = xdrs["trunk_vendor_id"], alike("", default_vendor_id, pl.Int64, len(xdrs))
    if trunk.null_count() < len(trunk):
        called = called.set(trunk.is_not_null(), None)
    if called.null_count() < len(called):
        default = default.set(called.is_not_null(), None)
    vendor = (
        default
        if trunk.null_count() == len(trunk)
        else trunk.zip_with(trunk.is_not_null(), default)
    )
    given = [xdrs["received_tags"], xdrs["trunk_tags"], payer["tags"].alias("named_tags")]
    found = [
        _carried(given, source_tags).alias("tags"),
        payer["customer_id"],
        payer["subscription_id"],
        vendor.alias("vendor_id"),
        called.alias("terminating_customer_id"),
    ]
    kept = pl.DataFrame([column for column in xdrs.get_columns() if column.name != "trunk_tags"])
    return with_columns(kept, found)


def _named_first(named: Sequence[pl.DataFrame], count: int) -> pl.DataFrame:
    """Of each row what the first says that names somebody: a later one is not looked at."""
    if not named:
        return nothing(_PAYER, count)
    first, *later = named
    for other in later:
        is_named = first["customer_id"].is_not_null()
        if is_named.all():
            break
        first = pl.DataFrame(
            [first[column].zip_with(is_named, other[column]) for column in first.columns]
        )
    return first


def _carried(columns: Sequence[pl.Series], source_tags: str) -> pl.Series:
    """The tags of each row and of the source; worked out once for rows that have the same."""
    given = pl.DataFrame(columns)
    if all(column.null_count() == len(column) for column in columns):
        return alike("tags", source_tags, pl.String, len(given))
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
