"""How long groups of suspense take to be told, and a large one to be corrected; prints JSON.

    python -m benchmarks.suspense [--lines 1000000] [--prefixes 60000] [--customers 2000]

The engines are embedded ones of its own, fsync on. A fifth of the xDRs name account codes that are
nobody's. `groups_ms` and `counts_ms` are the fastest of several times asking as a page does: for
the groups, and for the dashboard's counts by reason; `pages_cpu_ms` are the milliseconds that a
request to each page keeps a processor busy, here and in its database connection. Then all that
waits is corrected by a real worker, hence rated with three legs; `corrected_per_second` are rows
from asking to the end, `worker_cpu_seconds` what its processes compute for. `load` is that of the
machine, which lengthens all of it.
"""

import sys

from benchmarks.engines import measure_on_own_engines


def main() -> None:
    sys.exit(measure_on_own_engines("benchmarks.imports.suspense"))


if __name__ == "__main__":
    main()
