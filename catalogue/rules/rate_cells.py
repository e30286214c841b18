"""The cells of a rate file: what each field's text means, as whole numbers and texts.

Amounts are whole numbers of 10^-8, instants microseconds since 1970, volumes and digits whole
numbers, a time profile its id.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from catalogue.rules.date_formats import DateFormat, read_instant
from catalogue.rules.prefixes import parse_prefixes
from catalogue.rules.rate_layouts import INCREMENTS, MAPPED_FIELDS
from catalogue.rules.rate_terms import (
    AMOUNT_DECIMALS,
    PREFIX_DIGITS,
    VOLUME_LIMIT,
    RateRefused,
    check_amount,
    check_steps,
    check_text,
)
from catalogue.rules.tags import TagsNotUnderstood, parse_tags
from catalogue.rules.time_profiles import (
    TimeProfile,
    TimeProfileNotUnderstood,
    parse_time_profile,
)

AMOUNT_FIELDS = ("rate", "initial_rate", "connection_fee", "min_cost", "max_cost", "attempt_fee")
INSTANT_FIELDS = ("effective_from", "effective_to")
WHOLE_FIELDS = ("minimum", "increment", "grace", "min_digits", "max_digits")
TEXT_FIELDS = ("destination", "steps", "policy", "tag", "origin_prefix", "status")
MOST_DIGITS_BOUND = PREFIX_DIGITS * 2

_AMOUNT = re.compile(r"[+-]?(?:[0-9]{1,20}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})")
_WHOLE = re.compile(r"([0-9]{1,12})(?:\.0*)?")
_INCREMENTS = re.compile(r"([0-9]{1,10})\s*/\s*([0-9]{1,10})(?:\s*/\s*([0-9]{1,10}))?")
_PLUS = re.compile(r"(^|[,;-])\s*\+")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LEAST = {"minimum": 1, "increment": 1}
_DESTINATION_CHARACTERS = 120
_CELL_CHARACTERS = 100_000
_CHOICES = {
    "policy": ("regular", "additive"),
    "status": ("active", "stashed", "blocked"),
}


@dataclass(frozen=True, slots=True)
class CellReader:
    """How the cells of one file are written.

    `time_profiles` are the ids of time profiles by name and by what they contain. In CSV an
    apostrophe stands before what a spreadsheet would take for a formula.
    """

    zone: ZoneInfo
    date_format: DateFormat = DateFormat.ISO
    decimal_comma: bool = False
    time_profiles: Mapping[str | TimeProfile, int] | None = None
    is_csv: bool = False

    def of(self, field: str) -> Callable[[str], object]:
        """What reads the cells of a field that are not empty; it raises ValueError with the reason.

        Increments become a tuple of minimum, increment and grace, prefixes one of all that the
        notation stands for.
        """
        if field in AMOUNT_FIELDS:
            return lambda text: self.amount(field, text)
        if field in INSTANT_FIELDS:
            return self.instant
        if field in WHOLE_FIELDS:
            return lambda text: _whole(field, text)
        if field in _CHOICES:
            return lambda text: _choice(text, _CHOICES[field])
        special: dict[str, Callable[[str], object]] = {
            "prefix": _prefixes,
            "steps": _steps,
            "origin_prefix": _origin_prefix,
            "time_profile": self.time_profile,
            INCREMENTS: _increments,
            "destination": _destination,
            "tag": _tag,
        }
        return special[field]

    def amount(self, field: str, text: str) -> int:
        """An amount in units of 10^-8.

        >>> CellReader(ZoneInfo("UTC"), decimal_comma=True).amount("rate", "0,0125")
        1250000
        """
        written = text.replace(",", ".") if self.decimal_comma and "." not in text else text
        if not _AMOUNT.fullmatch(written):
            example = "0,0125" if self.decimal_comma else "0.0125"
            raise ValueError(f"'{_short(text)}' is not a number; write it as {example}")
        amount = Decimal(written)
        try:
            check_amount(field, amount)
        except RateRefused as refusal:
            raise ValueError(str(refusal).partition(": ")[2]) from refusal
        return int(amount.scaleb(AMOUNT_DECIMALS))

    def instant(self, text: str) -> int:
        """An instant in microseconds since 1970."""
        instant = read_instant(_short(text), self.date_format, self.zone)
        return (instant.astimezone(UTC) - _EPOCH) // _MICROSECOND

    def time_profile(self, text: str) -> int:
        """The id of a time profile by its name, or by its days and hours as exports have them."""
        known = self.time_profiles or {}
        if text in known:
            return known[text]
        try:
            return known[parse_time_profile(text)]
        except (TimeProfileNotUnderstood, KeyError) as error:
            raise ValueError(f"there is no time profile '{_short(text)}'") from error


def _prefixes(text: str) -> tuple[str, ...]:
    if text.isdecimal() and text.isascii() and len(text) <= PREFIX_DIGITS:
        return (text,)  # as nearly all are
    if len(text) > _CELL_CHARACTERS:
        raise ValueError(f"the cell has more than {_CELL_CHARACTERS:,} characters")
    return parse_prefixes(_PLUS.sub(r"\1", text).replace(";", ","))


def _origin_prefix(text: str) -> str:
    digits = text.removeprefix("+")
    if not re.fullmatch(rf"[0-9]{{1,{PREFIX_DIGITS}}}", digits):
        raise ValueError(f"'{_short(text)}' is not a prefix of up to {PREFIX_DIGITS} digits")
    return digits


def _whole(field: str, text: str) -> int:
    found = _WHOLE.fullmatch(text)
    if found is None:
        raise ValueError(f"'{_short(text)}' is not a whole number")
    return _checked_whole(field, int(found[1]))


def _checked_whole(field: str, number: int) -> int:
    most = MOST_DIGITS_BOUND if field.endswith("digits") else VOLUME_LIMIT
    if not _LEAST.get(field, 0) <= number <= most:
        raise ValueError(f"{number} is not from {_LEAST.get(field, 0)} to {most}")
    return number


def _increments(text: str) -> tuple[int, int, int]:
    found = _INCREMENTS.fullmatch(text)
    if found is None:
        raise ValueError(f"'{_short(text)}' is not minimum/increment or minimum/increment/grace")
    minimum, increment, grace = (int(part or 0) for part in found.groups())
    return (
        _checked_whole("minimum", minimum),
        _checked_whole("increment", increment),
        _checked_whole("grace", grace),
    )


def _steps(text: str) -> str:
    try:
        check_steps(text)
    except RateRefused as refusal:
        raise ValueError(str(refusal).partition(": ")[2]) from refusal
    if len(text) > 400:
        raise ValueError("steps have at most 400 characters")
    return text


def _choice(text: str, choices: tuple[str, ...]) -> str:
    if text.lower() not in choices:
        raise ValueError(f"'{_short(text)}' is not one of {', '.join(choices)}")
    return text.lower()


def _destination(text: str) -> str:
    try:
        check_text("destination", text, _DESTINATION_CHARACTERS)
    except RateRefused as refusal:
        raise ValueError(str(refusal).partition(": ")[2]) from refusal
    return text


def _tag(text: str) -> str:
    try:
        tag = parse_tags(text)
    except TagsNotUnderstood as error:
        raise ValueError(str(error)) from error
    if "," in tag:
        raise ValueError("a rate is for one tag")
    return tag


def _short(text: str) -> str:
    """A cell as messages quote it."""
    return text if len(text) <= 60 else f"{text[:60]}..."


assert {*AMOUNT_FIELDS, *INSTANT_FIELDS, *WHOLE_FIELDS, *TEXT_FIELDS, "prefix", "time_profile"} == {
    *MAPPED_FIELDS
} - {INCREMENTS}
