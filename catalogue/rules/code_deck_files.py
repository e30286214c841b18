"""Files of a code deck: `prefix,destination`."""

from collections.abc import Mapping

from catalogue.rules.rate_terms import PREFIX_DIGITS
from common.csv_files import CsvUnreadable, read_csv
from common.errors import DomainError

COLUMNS = ("prefix", "destination")
MOST_LINES = 100_000
DESTINATION_CHARACTERS = 120


class CodeDeckRefused(DomainError):
    """A name is missing or too long, or a prefix is not up to fifteen digits."""


def read_code_deck(text: str) -> Mapping[str, str]:
    """The destinations of a CSV file by prefix.

    :raises CsvUnreadable: it is none, or a line is wrong or repeats a prefix: it names the first.
    """
    destinations: dict[str, str] = {}
    for number, cells in read_csv(text, known=COLUMNS, required=COLUMNS, most_lines=MOST_LINES):
        prefix, destination = cells["prefix"], cells["destination"]
        try:
            check_entry(prefix, destination)
        except CodeDeckRefused as refusal:
            raise CsvUnreadable(f"Line {number}: {refusal} Nothing was imported.") from refusal
        if prefix in destinations:
            raise CsvUnreadable(f"Line {number} repeats the prefix {prefix}.")
        destinations[prefix] = destination
    return destinations


def check_entry(prefix: str, destination: str) -> None:
    """:raises CodeDeckRefused: unless it is up to fifteen digits and a name on one line."""
    if not (prefix.isascii() and prefix.isdigit() and len(prefix) <= PREFIX_DIGITS):
        raise CodeDeckRefused(
            f"'{prefix}' is not a prefix: up to {PREFIX_DIGITS} digits.",
            by_field={"prefix": f"A prefix is one to {PREFIX_DIGITS} digits."},
        )
    if (
        not destination
        or len(destination) > DESTINATION_CHARACTERS
        or not destination.isprintable()
    ):
        raise CodeDeckRefused(
            f"The destination of {prefix} needs a name of up to {DESTINATION_CHARACTERS} characters"
            " on one line.",
            by_field={"destination": "Write a name on one line."},
        )
