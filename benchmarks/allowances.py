"""What allowances cost the import, in processor time; prints JSON.

    python -m benchmarks.allowances [--lines 200000] [--prefixes 60000] [--customers 2000]

The engines are embedded ones of its own, fsync on. The same file, three legs an xDR, is rated by
one process: first nobody has an allowance, then every customer has one that lasts for half of its
calls and another for one destination. Either is measured twice and the lesser taken. `order_worker`
is of a dry run over all of it, which puts the month into the order of the start. `two_gain` is how
many times as fast two workers are as one: chunks that use the same counters wait for each other.
"""

import sys

from benchmarks.engines import measure_on_own_engines


def main() -> None:
    sys.exit(measure_on_own_engines("benchmarks.imports.allowances"))


if __name__ == "__main__":
    main()
