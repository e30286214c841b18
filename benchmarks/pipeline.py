"""How many xDRs a second go from a file to committed rows, through real workers; prints JSON.

    python -m benchmarks.pipeline [--workers 2] [--lines 1000000] [--prefixes 60000]
        [--customers 2000]

The engines are embedded ones of its own, fsync on. Every call is answered and has three legs:
customer, reseller and vendor, each in a table of its own. The clock runs from opening the file to
the commit of its last chunk. `copy_only_xdrs_per_second` is what the same database takes, in the
same run, for nothing but the COPY of the same rows, in the same formats, into the same indexed
tables, chunk by chunk, by as many processes.
"""

import sys

from benchmarks.engines import measure_on_own_engines


def main() -> None:
    sys.exit(measure_on_own_engines("benchmarks.imports.measure"))


if __name__ == "__main__":
    main()
