"""How a number of a series is written on a document."""

import re

_TOKEN = re.compile(r"\{(\w+)(?::(0?\d{1,2}))?\}")
_ALLOWED = re.compile(r"(?:[A-Za-z0-9/_. -]|\{year\}|\{number(?::0?\d{1,2})?\})+")


def is_pattern(pattern: str) -> bool:
    """Whether `pattern` is plain text with `{year}` and one `{number}` or `{number:06}`."""
    names = [match[1] for match in _TOKEN.finditer(pattern)]
    return _ALLOWED.fullmatch(pattern) is not None and names.count("number") == 1


def format_number(pattern: str, *, year: int, number: int) -> str:
    """`INV-{year}-{number:06}` as `INV-2026-000042`."""
    assert is_pattern(pattern), pattern
    values = {"year": year, "number": number}
    return _TOKEN.sub(lambda match: format(values[match[1]], f"{match[2] or ''}d"), pattern)
