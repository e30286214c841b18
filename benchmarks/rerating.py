"""How long it takes to rate stored xDRs again, through real workers; prints JSON.

    python -m benchmarks.rerating [--lines 1000000] [--prefixes 60000] [--customers 2000]
        [--one-customer]

The engines are embedded ones of its own, fsync on. Every xDR has three legs: customer, reseller and
vendor. After the import every rate of all three tables costs a tenth more, so that every leg
changes, if not by rounding. A dry run is measured, then applying it, then a dry run that finds no
change. `cpu_seconds`, of the workers and of PostgreSQL together, are what counts: half of them is
how long it takes two processors that do nothing else, while `seconds` on a busy machine mean
little. `--one-customer`: all xDRs are of one with an allowance, whose month is rated in the order
of its usage by one worker. `changed` counts the legs replaced, `peak_mib` is the greatest memory of
a worker's process.
"""

import sys

from benchmarks.engines import measure_on_own_engines


def main() -> None:
    sys.exit(measure_on_own_engines("benchmarks.imports.rerating"))


if __name__ == "__main__":
    main()
