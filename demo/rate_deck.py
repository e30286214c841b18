"""A rate deck of the real numbering plan, with invented prices.

Prefixes, areas and mobile operators come from the numbering metadata of the `phonenumbers` package
(Google's libphonenumber). Prices are made up, by region and kind of line, and always the same.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache

from phonenumbers import (
    COUNTRY_CODE_TO_REGION_CODE,
    PhoneNumber,
    PhoneNumberType,
    example_number,
    example_number_for_type,
    region_code_for_number,
)
from phonenumbers.carrierdata import CARRIER_DATA
from phonenumbers.geodata import GEOCODE_DATA
from phonenumbers.geodata.locale import LOCALE_DATA

RATE_PLACES = 8
_NORTH_AMERICA = "1"
_SHARED_MARK = "*"
_USUAL_NATIONAL_DIGITS = 8


@dataclass(frozen=True)
class Zone:
    """A region of the world: prices per minute to fixed and mobile lines, and their increments."""

    name: str
    code_prefixes: tuple[str, ...]
    fixed: Decimal
    mobile: Decimal
    fixed_increment: int = 1
    mobile_increment: int = 1
    digits_after_code: int = 2


def _zone(name: str, codes: str, fixed: str, mobile: str, *details: int) -> Zone:
    return Zone(name, tuple(codes.split()), Decimal(fixed), Decimal(mobile), *details)


# The first zone that a calling code starts like takes it.
ZONES = (
    _zone("North America", "1", "0.0060", "0.0070", 1, 1, 3),
    _zone(
        "Western Europe",
        "30 31 32 33 34 351 352 353 354 356 357 358 359 36 370 371 372 385 386 39 40 41 420 421 "
        "423 43 44 45 46 47 48 49",
        *("0.0090", "0.0260"),
        *(1, 1, 3),
    ),
    _zone("Eastern Europe", "3 4", "0.0900", "0.2300"),
    _zone("Pacific islands", "67 68 69", "0.4400", "0.7200", 60, 60),
    _zone("East Asia and Australia", "6 8", "0.0180", "0.0420"),
    _zone("Russia and Kazakhstan", "7", "0.0450", "0.1100"),
    _zone("Africa", "2", "0.1600", "0.3400", 1, 60),
    _zone("Latin America", "5", "0.0250", "0.0800", 1, 60),
    _zone("Middle East and South Asia", "9", "0.0700", "0.1500"),
)
_CARIBBEAN = _zone("Caribbean", "", "0.1100", "0.2400", 1, 60)
_NORTH_AMERICAN_MAINLAND = frozenset({"US", "CA"})
# Regions whose names the metadata leaves out.
_UNNAMED = {"AC": "Ascension Island", "TA": "Tristan da Cunha", "XK": "Kosovo"}


@dataclass(frozen=True, slots=True)
class DeckRate:
    """One prefix of a deck: `rate` per minute; `minimum` and `increment` in seconds.

    `digits` is how long a number of this destination usually is, calling code included.
    """

    prefix: str
    destination: str
    calling_code: str
    mobile: bool
    rate: Decimal
    minimum: int
    increment: int
    digits: int


@dataclass(frozen=True)
class RateDeck:
    """Rates in one currency, one per prefix, in the order of their prefixes."""

    currency: str
    rates: tuple[DeckRate, ...]

    def scaled(self, multiplier: Decimal) -> "RateDeck":
        """The deck with every rate multiplied exactly: a wholesale or a vendor's price.

        :raises ValueError: a rate would need more than eight decimals.
        """
        scaled = tuple(replace(rate, rate=rate.rate * multiplier) for rate in self.rates)
        longest = min(int(rate.rate.as_tuple().exponent) for rate in scaled)
        if -longest > RATE_PLACES:
            raise ValueError(f"{multiplier} times these rates needs {-longest} decimals")
        return RateDeck(self.currency, scaled)


@cache
def build_rate_deck(currency: str) -> RateDeck:
    """The retail deck: every country, its areas and its mobile operators; prices in `currency`."""
    rates = {rate.prefix: rate for rate in _countries()}
    rates |= {rate.prefix: rate for rate in _areas()}
    rates |= {rate.prefix: rate for rate in _mobile_operators()}
    return RateDeck(currency, tuple(rates[prefix] for prefix in sorted(rates)))


def zone_of(calling_code: str) -> Zone:
    """The region of the world that prices a calling code."""
    return next(zone for zone in ZONES if calling_code.startswith(zone.code_prefixes))


def _countries() -> Iterator[DeckRate]:
    for code in map(str, COUNTRY_CODE_TO_REGION_CODE):
        if not _is_worldwide(code):
            region = COUNTRY_CODE_TO_REGION_CODE[int(code)][0]
            yield _rate(code, code, region, mobile=False)
    # The islands share +1 with the mainland, at other prices, and are told by their area codes.
    for prefix in {prefix[:4] for prefix in CARRIER_DATA if prefix[0] == _NORTH_AMERICA}:
        region = _region(prefix, _NORTH_AMERICA)
        if region not in _NORTH_AMERICAN_MAINLAND:
            yield _rate(prefix, _NORTH_AMERICA, region, mobile=False)


def _areas() -> Iterator[DeckRate]:
    for prefix, code in _named_prefixes(GEOCODE_DATA):
        if len(prefix) <= len(code) + zone_of(code).digits_after_code:
            yield _rate(prefix, code, _region(prefix, code), mobile=False)


def _mobile_operators() -> Iterator[DeckRate]:
    kept_prefixes = set()
    for prefix, code in _named_prefixes(CARRIER_DATA):
        # North American operators own exchanges, not area codes: the finest metadata is kept.
        kept = len(code) + (6 if code == _NORTH_AMERICA else zone_of(code).digits_after_code)
        if len(prefix) >= kept:
            kept_prefixes.add(prefix[:kept])
    for prefix in sorted(kept_prefixes):
        code = _calling_code(prefix)
        yield _rate(prefix, code, _region(prefix, code), mobile=True)


def _named_prefixes(names: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, str]]:
    """Each prefix that has an English name, and its calling code, if a geographic one."""
    for prefix, translations in names.items():
        code = _calling_code(prefix)
        if "en" in translations and not _is_worldwide(code):
            yield prefix, code


def _is_worldwide(code: str) -> bool:
    return COUNTRY_CODE_TO_REGION_CODE[int(code)] == ("001",)


def _rate(prefix: str, code: str, region: str, *, mobile: bool) -> DeckRate:
    zone = zone_of(code)
    if code == _NORTH_AMERICA and region not in _NORTH_AMERICAN_MAINLAND:
        zone = _CARIBBEAN
    country = _country_name(region)
    destination = f"{country}, mobile" if mobile else country
    increment = zone.mobile_increment if mobile else zone.fixed_increment
    return DeckRate(
        prefix=prefix,
        destination=destination,
        calling_code=code,
        mobile=mobile,
        rate=_price(zone.mobile if mobile else zone.fixed, destination),
        minimum=increment,
        increment=increment,
        digits=len(code) + _national_digits(region, mobile),
    )


def _price(base: Decimal, destination: str) -> Decimal:
    """`base` shifted by up to a quarter either way, by a digest of the name: no chance in it."""
    shift = int.from_bytes(hashlib.sha256(destination.encode()).digest()[:2]) % 51 - 25
    return (base * (100 + shift) / 100).quantize(Decimal("0.0001"))


@cache
def _calling_code(prefix: str) -> str:
    return next(
        prefix[:length]
        for length in (1, 2, 3)
        if int(prefix[:length]) in COUNTRY_CODE_TO_REGION_CODE
    )


def _region(prefix: str, code: str) -> str:
    """The ISO 3166 region of a prefix; calling codes such as 1 and 7 are shared by several."""
    regions = COUNTRY_CODE_TO_REGION_CODE[int(code)]
    if len(regions) == 1:
        return regions[0]
    national = prefix[len(code) :]
    example = national + "2345678901"[: _national_digits(regions[0], False) - len(national)]
    found = region_code_for_number(
        PhoneNumber(country_code=int(code), national_number=int(example))
    )
    return found or regions[0]


@cache
def _country_name(region: str) -> str:
    if region in _UNNAMED:
        return _UNNAMED[region]
    names = LOCALE_DATA[region]
    name = names["en"]
    # An entry "*aa" says: the same as in the locale aa.
    return names[name[1:]] if name.startswith(_SHARED_MARK) else name


@cache
def _national_digits(region: str, mobile: bool) -> int:
    kind = PhoneNumberType.MOBILE if mobile else PhoneNumberType.FIXED_LINE
    example = example_number_for_type(region, kind) or example_number(region)
    return len(str(example.national_number)) if example else _USUAL_NATIONAL_DIGITS
