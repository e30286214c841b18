"""How fast FreeSWITCH CSV is read: chunks, records and numbers, on one core. Prints JSON.

    python -m benchmarks.parse_csv [--lines 400000] [--rounds 5]

Each step's figure is its best round, in lines per second.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from cdr.importers.chunks import FileChunk, read_chunks
from cdr.importers.freeswitch_csv import CODEC_COLUMNS, parse
from cdr.rating.dial_plans import DialPlan, normalise
from common.periods import month
from demo.calls import Account
from demo.rate_deck import build_rate_deck
from demo.traffic import Oddities, TrafficPlan, generate_traffic

ZONE = ZoneInfo("Europe/Berlin")
PLAN = DialPlan(country_prefix="49")
TECH_PREFIXES = {"9011": 1}
MAX_BYTES = 2**40


def write_traffic(path: Path, lines: int, broken: int) -> None:
    """A month of 200 customers' calls, with so many broken lines."""
    accounts = tuple(
        Account(f"A{number:04}", (f"4930555{number:05}",), "49") for number in range(200)
    )
    traffic = generate_traffic(
        TrafficPlan(
            seed=1,
            period=month(2026, 10),
            zone=ZONE,
            lines=lines,
            accounts=accounts,
            deck=build_rate_deck("EUR"),
            oddities=Oddities(broken=broken),
            dial_plan=PLAN,
            trunks={"": 7, "9011": 3},
        )
    )
    path.write_bytes(traffic.content)


def to_fallback_template(content: bytes) -> bytes:
    """The same records in 13 columns, with the blank before the last of them."""
    lines = (line.rsplit(b",", CODEC_COLUMNS)[0] for line in content.splitlines())
    return b"\n".join(b", ".join(line.rsplit(b",", 1)) for line in lines) + b"\n"


def best_rate(step: Callable[[], int], rounds: int) -> int:
    """Lines per second of the best round of `step`, which returns how many lines it took."""
    rates = []
    for _ in range(rounds):
        started = time.perf_counter()
        lines = step()
        rates.append(lines / (time.perf_counter() - started))
    return round(max(rates))


def measure(path: Path, rounds: int) -> dict[str, int]:
    chunks = list(read_chunks(path, max_bytes=MAX_BYTES))
    fallback = [
        FileChunk(chunk.first_line, chunk.offset, to_fallback_template(chunk.content))
        for chunk in chunks
    ]
    numbers = [parse_chunk(chunk)["destination_number"] for chunk in chunks]
    return {
        "read_chunks": best_rate(
            lambda: sum(
                chunk.content.count(b"\n") for chunk in read_chunks(path, max_bytes=MAX_BYTES)
            ),
            rounds,
        ),
        "parse": best_rate(lambda: sum(len(parse_chunk(chunk)) for chunk in chunks), rounds),
        "parse_fallback_template": best_rate(
            lambda: sum(len(parse_chunk(chunk)) for chunk in fallback), rounds
        ),
        "normalise": best_rate(lambda: sum(len(normalise_chunk(one)) for one in numbers), rounds),
        "read_parse_and_normalise": best_rate(
            lambda: sum(
                len(normalise_chunk(parse_chunk(chunk)["destination_number"]))
                for chunk in read_chunks(path, max_bytes=MAX_BYTES)
            ),
            rounds,
        ),
    }


def parse_chunk(chunk: FileChunk) -> pl.DataFrame:
    return parse(chunk.content, first_line=chunk.first_line, zone=ZONE).records


def normalise_chunk(numbers: pl.Series) -> pl.DataFrame:
    return normalise(numbers, plan=PLAN, tech_prefixes=TECH_PREFIXES)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=400_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        clean, spoilt = Path(folder) / "clean.csv", Path(folder) / "spoilt.csv"
        broken = arguments.lines // 1000
        write_traffic(clean, arguments.lines, broken=0)
        write_traffic(spoilt, arguments.lines, broken=broken)
        figures = {
            "lines": arguments.lines,
            "bytes": clean.stat().st_size,
            "lines_per_second": measure(clean, arguments.rounds),
            "broken_lines": broken,
            "lines_per_second_with_broken_lines": measure(spoilt, arguments.rounds),
        }
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
