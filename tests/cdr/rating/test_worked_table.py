"""Every row of the worked table of docs/rating.md, through the files of `rate_csv`."""

import csv
import io
import shlex
from pathlib import Path

import pytest

from cdr.rating.csv_calls import rate_calls
from cdr.rating.csv_rates import read_deck

PAGE = Path(__file__).resolve().parents[3] / "docs" / "rating.md"
HEADER = "| rates | call | billed | cost | on top | reason |"
CALL = {"id": "1", "table": "", "started_at": "2026-10-05T12:00:00Z"}

Cells = dict[str, str]


def worked_rows() -> list[list[str]]:
    lines = PAGE.read_text().splitlines()
    first = lines.index(HEADER) + 2
    rows: list[list[str]] = []
    for line in lines[first:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip().strip("`") for cell in line.strip("|").split("|")])
    return rows


def read_cells(text: str) -> Cells:
    """`prefix=44 rate=1` as columns; the number called stands alone."""
    pairs = [word.partition("=") for word in shlex.split(text)]
    return {(name if sign else "destination_number"): value or name for name, sign, value in pairs}


def write_csv(rows: list[Cells]) -> io.BytesIO:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    written = io.StringIO()
    writer = csv.DictWriter(written, columns, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return io.BytesIO(written.getvalue().encode())


@pytest.mark.parametrize(
    ("rates", "call", "billed", "cost", "on_top", "reason"),
    worked_rows(),
    ids=lambda cell: cell,
)
def test_the_worked_row_holds(
    rates: str, call: str, billed: str, cost: str, on_top: str, reason: str
) -> None:
    deck = read_deck(write_csv([read_cells(rate) for rate in rates.split(" · ")]), "RATES.csv")
    output = io.StringIO()

    rate_calls(deck, write_csv([CALL | read_cells(call)]), "CALLS.csv", output)

    (answer,) = csv.DictReader(io.StringIO(output.getvalue()))
    found = [answer[name] for name in ("billed", "cost", "additive_cost", "reason")]
    assert found == [billed, cost, on_top, reason]


def test_the_worked_table_is_not_empty() -> None:
    assert len(worked_rows()) > 50
