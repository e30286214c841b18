"""What a rate file seems to be: which line has the headings, and which column means which field."""

import re
from collections.abc import Mapping, Sequence

from catalogue.rules.rate_layouts import INCREMENTS, MAPPED_FIELDS

HEADER_LINES = 30
"""Headings are looked for in so many lines; letterheads above them are shorter."""

# What vendors call the fields, in small letters and digits alone; the first that is there is taken.
_CALLED: Mapping[str, str] = {
    "prefix": "prefix prefixes code codes dialcode dialcodes dialprefix dialingcode dialedcode"
    " destinationcode areacode citycode cc",
    "destination": "destination destinationname codename zone zonename area areaname description"
    " breakout route country countryname name",
    "effective_from": "effectivefrom effectivedate effective validfrom startdate startsat start"
    " activationdate from date",
    "effective_to": "effectiveto enddate endsat validto validuntil expires expirydate end until to",
    "rate": "rate newrate price ratepermin rateperminute pricepermin priceperminute permin"
    " perminute cost charge newprice tariff",
    "initial_rate": "initialrate firstrate rate1 firstintervalrate",
    "connection_fee": "connectionfee connectfee setupfee connection connectcharge setup fee",
    "minimum": "minimum min minimumduration minduration firstinterval initialincrement interval1"
    " minimaltime",
    "increment": "increment interval nextinterval interval2 subsequentincrement step nextincrement",
    "grace": "grace graceperiod gracetime freeseconds",
    "steps": "steps pricesteps",
    "min_cost": "mincost minimumcost floor",
    "max_cost": "maxcost maximumcost cap",
    "attempt_fee": "attemptfee attemptcharge",
    "time_profile": "timeprofile timeband period daytype",
    "policy": "policy",
    "tag": "tag tags",
    "origin_prefix": "originprefix origin origination origincode callerprefix ani",
    "min_digits": "mindigits minlength",
    "max_digits": "maxdigits maxlength",
    "status": "status state",
    INCREMENTS: "increments billingincrement billingincrements billinginterval minintgrace minint"
    " billing rounding",
}
_CURRENCY_OR_UNIT = re.compile(r"\b(eur|usd|gbp|chf|cents?|per|in|min|minute|sec|date)\b")
_IN_ONE = re.compile(r"[0-9]+/[0-9]+(/[0-9]+)?")
_WITH_COMMA = re.compile(r"[+-]?[0-9]*,[0-9]+")
_WITH_POINT = re.compile(r"[+-]?[0-9]*\.[0-9]+")


def headings(cells: Sequence[str]) -> list[str]:
    """The name of each column: its heading, told apart where several are the same or empty.

    >>> headings(["Code", "", "Code"])
    ['Code', 'Column 2', 'Code (3)']
    >>> headings(["Code (3)", "Code", "Code"])
    ['Code (3)', 'Code', 'Code (3) (3)']
    """
    named: dict[str, None] = {}
    for number, cell in enumerate(cells, start=1):
        name = " ".join(cell.split()) or f"Column {number}"
        while name in named:
            name = f"{name} ({number})"
        named[name] = None
    return list(named)


def find_header_line(rows: Sequence[tuple[int, Sequence[str]]]) -> int:
    """The number of the line that names most fields, prefix or destination and rate among them.

    0 if there is none and the first line has digits as a rate has.
    """
    best, line = 0, 0
    for number, cells in rows[:HEADER_LINES]:
        found = find_columns(headings(cells))
        if len(found) > best and found.keys() & {"prefix", "destination"} and _prices(found):
            best, line = len(found), number
    if line or not rows:
        return line
    number, cells = rows[0]
    return 0 if any(re.fullmatch(r"[0-9.,]+", cell) for cell in cells) else number


def _prices(found: Mapping[str, str]) -> bool:
    return bool(found.keys() & {"rate", "steps"})


def find_columns(names: Sequence[str]) -> dict[str, str]:
    """The heading of the column for each field that one seems to mean; no column means two."""
    taken: dict[str, str] = {}
    for simplify in (_letters, _letters_without_units):
        by_name: dict[str, str] = {}
        for name in names:
            by_name.setdefault(simplify(name), name)
        for field in MAPPED_FIELDS:
            called = [by_name[each] for each in _CALLED[field].split() if each in by_name]
            free = [name for name in called if name not in taken.values()]
            if field not in taken and free:
                taken[field] = free[0]
    return taken


def means_increments(texts: Sequence[str]) -> bool:
    """Whether the cells of an interval hold minimum and increment in one, as `60/30`."""
    cells = [text for text in texts if text]
    return bool(cells) and all(_IN_ONE.fullmatch(text) for text in cells)


def detect_decimal_comma(texts: Sequence[str]) -> bool:
    """Whether prices are written as 0,0125: some are so, and none with a point."""
    has_comma = any(_WITH_COMMA.fullmatch(text) for text in texts)
    return has_comma and not any(_WITH_POINT.fullmatch(text) for text in texts)


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _letters_without_units(name: str) -> str:
    return _letters(_CURRENCY_OR_UNIT.sub("", re.sub(r"[^a-z0-9]+", " ", name.lower())))
