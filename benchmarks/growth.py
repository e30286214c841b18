"""What importing costs as the store grows, by real workers; prints JSON.

    python -m benchmarks.growth [--millions 10] [--workers 2] [--prefixes 60000]
        [--customers 2000]

The engines are embedded ones of its own, fsync on. Files of a million calls with three legs each
are imported one after another, all into one month. Of each it measures the processor time of
workers and PostgreSQL, which others on the machine change little, and the bytes of WAL; in the end
what is stored in tables and indexes, and what the first million takes as Parquet files. Ten
millions need some 15 GB of disk while it runs.
"""

import sys

from benchmarks.engines import measure_on_own_engines


def main() -> None:
    sys.exit(measure_on_own_engines("benchmarks.imports.growth"))


if __name__ == "__main__":
    main()
