"""Columns that are found by their names in the header of a file."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Header:
    """The place of each column, from 0, by its name (the first of several), and how many are."""

    positions: Mapping[str, int]
    width: int

    def named(self, names: Mapping[str, Sequence[str]]) -> dict[str, str]:
        """For each thing that the header has one of the names of, the first such name."""
        found = {
            thing: next((name for name in candidates if name in self.positions), None)
            for thing, candidates in names.items()
        }
        return {thing: name for thing, name in found.items() if name is not None}

    def places(self, names: Mapping[str, str]) -> dict[str, int]:
        """Where the column of each thing is."""
        return {thing: self.positions[name] for thing, name in names.items()}

    def lacks(self, needed: Sequence[Sequence[str]]) -> str | None:
        """Which needed columns are not there, in words; of each, one name is enough."""
        absent = [
            " or ".join(names)
            for names in needed
            if not any(name in self.positions for name in names)
        ]
        return f"its header has no column {', '.join(absent)}" if absent else None


def read_header(lines: Sequence[str], *, separator: str = ",") -> Header:
    """The header in the first of the lines in front of a file; of none, one without columns."""
    try:
        row = next(csv.reader(lines[:1], delimiter=separator, skipinitialspace=True), [])
    except csv.Error:
        row = []
    positions: dict[str, int] = {}
    for position, name in enumerate(row):
        positions.setdefault(name.strip(), position)
    return Header(positions, len(row))
