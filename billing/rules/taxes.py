"""Percent taxes on a net amount, by priority."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby

from common.money import ZERO, Rounding, round_money


@dataclass(frozen=True)
class PercentTax:
    """A tax of `percent` (0 to 100) on the base of its `priority`, between two dates.

    `valid_to` is the first day it no longer applies; None leaves that side open.
    """

    name: str
    percent: Decimal
    priority: int = 1
    valid_from: date | None = None
    valid_to: date | None = None

    def applies_on(self, day: date) -> bool:
        """Whether the tax was in force on `day`."""
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_to is None or day < self.valid_to
        )


@dataclass(frozen=True)
class ComputedTax:
    """One tax of a document: what it was taken on, and what it came to."""

    name: str
    percent: Decimal
    base_amount: Decimal
    tax_amount: Decimal


def taxes_in_force(taxes: Sequence[PercentTax], day: date) -> list[PercentTax]:
    """The taxes that apply on `day`, lowest priority number first, else in their own order."""
    return sorted((tax for tax in taxes if tax.applies_on(day)), key=lambda tax: tax.priority)


def compute_taxes(
    net: Decimal, taxes: Sequence[PercentTax], currency: str, rounding: Rounding
) -> list[ComputedTax]:
    """Each tax on a document's net total, rounded to the currency.

    Taxes of one priority share a base; the next priority's base adds all taxes before it: 100 with
    10 % and 5 % is 115 at one priority and 115.50 at two. Each tax is rounded once, on the
    document's total and never by line, as EN 16931 asks of a tax breakdown (BR-CO-17).
    """
    computed: list[ComputedTax] = []
    base = net
    ordered = sorted(taxes, key=lambda tax: tax.priority)
    for _priority, sharing in groupby(ordered, key=lambda tax: tax.priority):
        of_priority = [_on_base(tax, base, currency, rounding) for tax in sharing]
        base += sum((tax.tax_amount for tax in of_priority), ZERO)
        computed += of_priority
    return computed


def _on_base(tax: PercentTax, base: Decimal, currency: str, rounding: Rounding) -> ComputedTax:
    amount = round_money(base * tax.percent / 100, currency, rounding)
    return ComputedTax(tax.name, tax.percent, base, amount)
