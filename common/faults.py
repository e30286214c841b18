"""What a verification finds."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """Something that must hold and does not, e.g. the balance of an account.

    `where` names the row for a person; `expected` is what follows from the append-only records,
    `found` what is stored.
    """

    what: str
    where: str
    expected: str
    found: str
