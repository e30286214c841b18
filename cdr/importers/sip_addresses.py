"""Numbers in SIP and telephone addresses, column-wise."""

import polars as pl

# <sip:+4930123@10.0.0.1:5060;user=phone>;tag=1 · "Anna" <tel:+49-30-123> · sips:100@host
_USER = r"(?i)(?:sips?|tel):([^@;>?\s]+)"


def user_of(column: str) -> pl.Expr:
    """The user of an address, or the text as it stands where it is no address."""
    text = pl.col(column)
    user = text.str.extract(_USER, 1)
    return (
        pl.when(text.str.contains(":", literal=True)).then(pl.coalesce(user, text)).otherwise(text)
    )
