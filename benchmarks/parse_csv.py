"""How fast lines of every format are read, into records, and their numbers. Prints JSON.

    python -m benchmarks.parse_csv [--format FORMAT] [--lines 200000] [--rounds 3]

Polars gets one thread. Rates are of each step's best round, in lines per second of processor time
(`lines_per_cpu_second`), which other programs on the machine disturb least, and of the clock on the
wall; `load` is how many programs wanted a processor at the end, on average of a minute.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

# Polars reads it once, when it is first imported; workers have one thread each as well.
os.environ.setdefault("POLARS_MAX_THREADS", "1")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django
import polars as pl

django.setup()

from benchmarks.parsing.lines import FORMATS, MAPPING, content_of  # noqa: E402
from cdr.importers.chunks import first_lines, read_chunks  # noqa: E402
from cdr.importers.formats import ADAPTERS  # noqa: E402
from cdr.importers.reading import Reading  # noqa: E402
from cdr.rating.dial_plans import DialPlan, normalise  # noqa: E402

PLAN = DialPlan(country_prefix="49")
TECH_PREFIXES = {"9011": 1}
MAX_BYTES = 2**40
BROKEN_EVERY = 1000


def best_rates(step: Callable[[], int], rounds: int) -> dict[str, int]:
    """Lines per second of the best round of `step`, which returns how many lines it took."""
    of_processor, of_wall = [], []
    for _ in range(rounds):
        started, used = time.perf_counter(), time.process_time()
        lines = step()
        of_wall.append(lines / (time.perf_counter() - started))
        of_processor.append(lines / (time.process_time() - used))
    return {
        "lines_per_cpu_second": round(max(of_processor)),
        "lines_per_second": round(max(of_wall)),
    }


def measure(format_: str, path: Path, rounds: int) -> dict[str, object]:
    """The rates of reading a file of a format, and how large its lines are."""
    adapter = ADAPTERS[format_]
    mapping = MAPPING if format_ == "mapped-csv" else None
    header = first_lines(path, adapter.header_lines(mapping))
    reading = Reading(ZoneInfo("Europe/Berlin"), header=header, mapping=mapping)
    chunks = list(read_chunks(path, max_bytes=MAX_BYTES))

    def parse() -> int:
        parsed = [
            adapter.parse(chunk.content, first_line=chunk.first_line, reading=reading)
            for chunk in chunks
        ]
        return sum(len(each.records) + len(each.rejected) for each in parsed)

    parsed = adapter.parse(chunks[0].content, first_line=1, reading=reading)
    numbers = parsed.records["destination_number"]
    rates = best_rates(parse, rounds)
    bytes_per_line = path.stat().st_size / sum(chunk.content.count(b"\n") for chunk in chunks)
    return {
        "bytes_per_line": round(bytes_per_line),
        "rejected_of_first_chunk": len(parsed.rejected),
        "parse": rates,
        "megabytes_per_cpu_second": round(rates["lines_per_cpu_second"] * bytes_per_line / 1e6),
        "normalise": best_rates(lambda: len(normalised(numbers)), rounds),
    }


def normalised(numbers: pl.Series) -> pl.DataFrame:
    return normalise(numbers, plan=PLAN, tech_prefixes=TECH_PREFIXES)


def spoilt(content: bytes) -> bytes:
    """With one line in a thousand cut off."""
    lines = content.split(b"\n")
    for place in range(BROKEN_EVERY, len(lines), BROKEN_EVERY):
        lines[place] = lines[place][:20]
    return b"\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--format", choices=FORMATS)
    parser.add_argument("--lines", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    figures: dict[str, object] = {"lines": arguments.lines}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "calls"
        for format_ in [arguments.format] if arguments.format else FORMATS:
            content = content_of(format_, arguments.lines)
            path.write_bytes(content)
            clean = measure(format_, path, arguments.rounds)
            path.write_bytes(spoilt(content))
            broken = measure(format_, path, arguments.rounds)
            figures[format_] = {**clean, "parse_with_broken_lines": broken["parse"]}
    figures["load"] = round(os.getloadavg()[0], 1)
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
