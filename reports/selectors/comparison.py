"""What one comparison of the verification is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Comparison:
    """`sql` gives rows of (place, expected, found), texts, for `%(provider)s`; `rows` names them.

    `expected` follows from the transfers, `found` is what is stored; NULL stands for nothing.
    """

    what: str
    rows: str
    sql: str
