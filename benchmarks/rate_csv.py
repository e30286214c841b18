"""How long `rate_csv` takes for files of calls, and how much memory at most; prints JSON.

    python -m benchmarks.rate_csv [--lines 1000000 10000000] [--prefixes 5000]

Every call has a volume, a caller and a number of one of the prefixes. The command runs as a process
of its own, from its start to the finished output file; `peak_mib` is the most memory it held.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
SEED = 20261001
LINES_AT_ONCE = 100_000
START = datetime(2026, 10, 1, tzinfo=UTC)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--prefixes", type=int, default=5_000)
    arguments = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="tollgate-bench-") as folder:
        rates, calls = Path(folder, "RATES.csv"), Path(folder, "CALLS.csv")
        random = np.random.default_rng(SEED)
        prefixes = write_rates(rates, random, arguments.prefixes)
        # The peak of the children so far is what is known: the smaller files go first.
        runs = []
        for lines in sorted(arguments.lines):
            write_calls(calls, random, prefixes, lines)
            runs.append(run(rates, calls, lines))
    print(json.dumps({"runs": runs, "load_before": round(load, 1)}))


def write_rates(path: Path, random: np.random.Generator, count: int) -> list[str]:
    prefixes = sorted({f"{number}" for number in random.integers(1_000, 10_000_000, count)})
    lines = [
        f"{prefix},Place {prefix[:3]},0.{random.integers(1, 9999):04d},30,6,2,0.01"
        for prefix in prefixes
    ]
    header = "prefix,destination,rate,minimum,increment,grace,connection_fee"
    path.write_text("\n".join([header, *lines, ""]))
    return prefixes


def write_calls(path: Path, random: np.random.Generator, prefixes: list[str], count: int) -> None:
    """So many calls, a second of traffic after another."""
    with path.open("w") as file:
        file.write("id,table,started_at,destination_number,volume,caller_number\n")
        for first in range(0, count, LINES_AT_ONCE):
            size = min(LINES_AT_ONCE, count - first)
            chosen = random.integers(0, len(prefixes), size).tolist()
            rest = random.integers(10_000, 99_999, size).tolist()
            volumes = random.integers(0, 900, size).tolist()
            for place in range(size):
                at = START + timedelta(seconds=(first + place) // 20)
                number = f"{prefixes[chosen[place]]}{rest[place]}"
                file.write(
                    f"{first + place},,{at:%Y-%m-%dT%H:%M:%SZ},{number},{volumes[place]},49\n"
                )


def run(rates: Path, calls: Path, lines: int) -> dict[str, float]:
    output = calls.with_name("OUT.csv")
    environment = {
        "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none",
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }
    command = [sys.executable, "manage.py", "rate_csv"]
    command += [f"--rates={rates}", f"--calls={calls}", f"--output={output}"]
    begin = time.perf_counter()
    subprocess.run(command, cwd=ROOT, env=os.environ | environment, check=True)
    seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    with output.open("rb") as written:
        assert sum(1 for _ in written) == lines + 1
    return {"lines": lines, "seconds": round(seconds, 1), "peak_mib": round(peak)}


if __name__ == "__main__":
    main()
