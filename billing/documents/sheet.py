"""What every document has in common: its letterhead, who sends it to whom, tables, its foot."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

DEFAULT_ACCENT = "#1f4fd8"
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True)
class PartyBlock:
    """Name and address of the seller or the buyer, line by line."""

    name: str
    lines: Sequence[str]
    tax_number: str
    email: str = ""
    phone: str = ""
    registration: str = ""


@dataclass(frozen=True)
class Row:
    """One row of a table; which cells there are depends on the table."""

    description: str
    amount: str
    calls: str = ""
    volume: str = ""
    quantity: str = ""
    unit_price: str = ""


@dataclass(frozen=True)
class Table:
    """A group's rows under their heading, closed by a subtotal.

    Usage counts its records and its volume; charges have quantities and prices, or neither. Tiers
    have volumes and prices in words.
    """

    heading: str
    rows: Sequence[Row]
    subtotal: str
    count_heading: str = ""
    volume_heading: str = ""
    subtotal_label: str = "Subtotal"
    is_of_tiers: bool = False

    @property
    def is_usage(self) -> bool:
        """Whether the rows count records and volume."""
        return bool(self.volume_heading)

    @property
    def has_prices(self) -> bool:
        """Whether any row has a quantity or a unit price to show."""
        return any(row.quantity or row.unit_price for row in self.rows)

    @property
    def column_count(self) -> int:
        """Description and amount, with two columns between them where there is more to tell."""
        return 4 if self.is_usage or self.has_prices else 2


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A document but for its own part; `facts` are the labelled values beside the buyer's address.

    `buyer_label` says what the buyer is there for, `logo` is a picture of `logos.py`.
    """

    title: str
    number: str
    accent: str
    logo: str = ""
    currency: str
    seller: PartyBlock
    buyer: PartyBlock
    buyer_label: str = "Bill to"
    facts: Sequence[tuple[str, str]]

    @property
    def legal(self) -> str:
        """The seller's name, registration and tax number, for the foot of every page."""
        seller = self.seller
        tax_number = f"Tax number {seller.tax_number}" if seller.tax_number else ""
        return _joined(seller.name, seller.registration, tax_number)

    @property
    def contact(self) -> str:
        """Where to ask, for the foot of every page."""
        return _joined(self.seller.email, self.seller.phone)


def text_lines(text: str) -> list[str]:
    """The lines of an address or of bank details, without empty ones."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def accent_of(colour: str) -> str:
    """The seller's colour, or the default where it has none that can be printed."""
    return colour if _COLOUR.fullmatch(colour) else DEFAULT_ACCENT


def _joined(*parts: str) -> str:
    return " · ".join(filter(None, parts))
