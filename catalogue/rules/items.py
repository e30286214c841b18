"""The terms of a catalogue item: what each kind of product may be sold at."""

from dataclasses import dataclass
from decimal import Context, Decimal

from catalogue.rules.rate_terms import AMOUNT_LIMIT, fits_amount
from catalogue.rules.tiers import Tier, Tiers, parse_tiers
from common.currencies import is_currency
from common.errors import DomainError

# The default context of 28 digits could round a product silently.
_EXACT = Context(prec=100)


class ItemRefused(DomainError):
    """The terms do not fit the kind of product."""


class PriceNeeded(ItemRefused):
    """A recurring or one-time product is sold at a price."""


class RateTableNeeded(ItemRefused):
    """A voice product is priced by a rate table, and by nothing else."""


class PricePeriodRefused(ItemRefused):
    """The price period is not one that this kind of product is charged by."""


class TiersNeeded(ItemRefused):
    """A metered product is sold at tiers, and nothing else is."""


class MeteringUnavailable(ItemRefused):
    """Hourly prices need metered hours, which are not recorded."""


class PriceNotExact(ItemRefused):
    """A price would lose digits: it holds eight decimals."""


class FactorRefused(DomainError):
    """Prices are multiplied by a positive number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The terms of one product in one currency; `price` per `price_period`, in whole currency.

    `price_period` is MONTH, QUARTER or YEAR for recurring products and empty for others. Voice
    has a rate table and no price. A metered product has a tier model and `tiers`, as `parse_tiers`
    reads them, for packages with the size of one.
    """

    currency: str
    price: Decimal | None = None
    price_period: str = ""
    rate_table_id: int | None = None
    tier_model: str = ""
    tiers: str = ""
    package_units: int | None = None
    group: str = ""
    is_available: bool = True
    in_advance: bool = True
    entry_proration: bool = False
    exit_proration: bool = False
    approval_required: bool = False


def check_terms(kind: str, terms: Terms) -> None:
    """Check that a product of `kind` may be sold on `terms`.

    :raises ItemRefused: one of its subclasses, saying what is missing or too much.
    """
    if not is_currency(terms.currency):
        raise ItemRefused(f"'{terms.currency}' is not a currency; write it as EUR.")
    if kind != "METERED" and (terms.tier_model or terms.tiers or terms.package_units):
        raise TiersNeeded("Only a metered product is sold at tiers; leave them empty.")
    match kind:
        case "VOICE":
            _check_voice(terms)
        case "RECURRING":
            _check_priced(terms)
            _check_recurring_period(terms.price_period)
        case "ONE_TIME":
            _check_priced(terms)
            _check_no_period(terms)
        case _:
            _check_metered(terms)


def multiplied(price: Decimal, factor: Decimal) -> Decimal:
    """`price` times `factor`, exactly: 20 by 1.15 is 23.

    :raises FactorRefused: if the factor is not positive.
    :raises PriceNotExact: if the product does not fit eight decimals.
    """
    if not factor.is_finite() or factor <= 0:
        raise FactorRefused(f"Prices cannot be multiplied by {factor}; use 0.9 or 1.15.")
    product = _EXACT.multiply(price, factor)
    if not fits_amount(product) or product >= AMOUNT_LIMIT:
        raise PriceNotExact(
            f"{price:f} times {factor:f} does not fit 8 decimals; use a shorter multiplier."
        )
    return product


def multiplied_tiers(tiers: Tiers, factor: Decimal) -> Tiers:
    """Tiers with all their prices and flat amounts multiplied, exactly.

    :raises FactorRefused, PriceNotExact: as `multiplied`.
    """
    rows = tuple(
        Tier(
            row.from_units,
            *(multiplied(each, factor) for each in (row.unit_price, row.flat_amount)),
        )
        for row in tiers.rows
    )
    return Tiers(tiers.model, rows, tiers.package_units)


def _check_metered(terms: Terms) -> None:
    """:raises TiersRefused: if the tiers are none."""
    if not terms.tier_model or terms.price is not None or terms.rate_table_id is not None:
        raise TiersNeeded("A metered product is sold at tiers, without price and rate table.")
    parse_tiers(terms.tier_model, terms.tiers, terms.package_units)
    _check_no_period(terms)


def _check_voice(terms: Terms) -> None:
    if terms.rate_table_id is None or terms.price is not None or terms.price_period:
        raise RateTableNeeded("A voice product is sold by a rate table, without a price.")
    _check_no_period(terms)


def _check_priced(terms: Terms) -> None:
    if terms.price is None or terms.rate_table_id is not None:
        raise PriceNeeded("This product is sold at a price, without a rate table.")
    if not terms.price.is_finite() or not 0 <= terms.price < AMOUNT_LIMIT:
        raise PriceNeeded(f"A price is 0 or more and below {AMOUNT_LIMIT:f}.")
    if not fits_amount(terms.price):
        raise PriceNotExact(f"{terms.price} has more than 8 decimals.")


def _check_recurring_period(price_period: str) -> None:
    if price_period == "HOUR":
        raise MeteringUnavailable(
            "Hourly prices need metered hours, which are not recorded; price it by the month."
        )
    if price_period not in ("MONTH", "QUARTER", "YEAR"):
        raise PricePeriodRefused("A recurring price is per MONTH, QUARTER or YEAR.")


def _check_no_period(terms: Terms) -> None:
    if terms.price_period or terms.entry_proration or terms.exit_proration:
        raise PricePeriodRefused("Only recurring products have a price period and proration.")
