"""How a payment is spread over invoices: pre-filled oldest first, or as the payer chose."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from common.errors import DomainError
from common.money import ZERO, format_money, minor_digits, round_to

# What the books can hold of one payment: 16 digits before the point.
TOO_MUCH = Decimal(10) ** 16


class AmountNotPayable(DomainError):
    """The amount is not positive, beyond all reason, or finer than the currency's coins."""


class DistributionTooHigh(DomainError):
    """More is distributed than was paid, or more to an invoice than is due on it."""


class InvoiceNotPayable(DomainError):
    """What was to be paid is no issued invoice of the customer with something left to pay."""


def prefill(amount: Decimal, dues: Sequence[Decimal]) -> list[Decimal]:
    """`amount` over `dues`, each filled up in turn; what is left over is advance.

    The trade settles the oldest debt first, so `dues` come oldest first. Returns one share per due.
    """
    shares = []
    for due in dues:
        share = min(due, amount)
        shares.append(share)
        amount -= share
    return shares


def clip(
    amount: Decimal, shares: Mapping[int, Decimal], dues: Mapping[int, Decimal]
) -> dict[int, Decimal]:
    """The shares (by invoice) as far as they are still due and `amount` reaches; none is zero.

    Between the choice and the money's arrival an invoice may have been paid or credited otherwise.
    """
    wanted = [min(share, dues.get(invoice_id, ZERO)) for invoice_id, share in shares.items()]
    fitting = zip(shares, prefill(amount, wanted), strict=True)
    return {invoice_id: share for invoice_id, share in fitting if share > 0}


def check_amount(amount: Decimal, currency: str) -> None:
    """Refuse what nobody can hand over.

    :raises AmountNotPayable: zero, negative, too large, or with more decimals than the currency.
    """
    if not amount.is_finite() or not 0 < amount < TOO_MUCH:
        raise AmountNotPayable(f"An amount must be above zero and real, not {amount} {currency}.")
    digits = minor_digits(currency)
    if amount != round_to(amount, digits):
        raise AmountNotPayable(f"{amount} is finer than {currency} goes; give {digits} decimals.")


def check_distribution(
    *,
    amount: Decimal,
    currency: str,
    shares: Mapping[int, Decimal],
    dues: Mapping[int, Decimal],
    numbers: Mapping[int, str],
) -> None:
    """Refuse shares that do not fit `amount` or the `dues` of the open invoices, all by invoice id.

    `numbers` are the open invoices' own, to name them to people.

    :raises AmountNotPayable: a share is not a positive amount of the currency.
    :raises InvoiceNotPayable: a share names an invoice without a due.
    :raises DistributionTooHigh: a share exceeds its due, or the shares exceed `amount`.
    """
    for invoice_id, share in shares.items():
        check_amount(share, currency)
        if invoice_id not in dues:
            raise InvoiceNotPayable("One of the chosen invoices has nothing left to pay.")
        if share > dues[invoice_id]:
            raise DistributionTooHigh(
                f"Invoice {numbers[invoice_id]} asks for {format_money(dues[invoice_id], currency)}"
                f", less than the {format_money(share, currency)} meant for it."
            )
    total = sum(shares.values(), ZERO)
    if total > amount:
        raise DistributionTooHigh(
            f"{format_money(total, currency)} is distributed, "
            f"but only {format_money(amount, currency)} paid."
        )
