"""How long a rate file of 500,000 rows takes, and how much memory it takes; prints JSON.

    python -m benchmarks.rate_import [--rows 500000] [--xlsx]

The engines are embedded ones of its own, fsync on. Half of the rows are rates of a table that has
them already, a tenth of these at another price. `dry_run_seconds` is from the choice of the columns
to the last compared row, `import_seconds` from the confirmation to the last written rate, both in
one process, as in a worker, and `…_cpu_seconds` is what this process worked for it; `peak_mib` is
the most memory it had, its libraries included.
"""

import sys

from benchmarks.engines import measure_on_own_engines

if __name__ == "__main__":
    sys.exit(measure_on_own_engines("benchmarks.rates.measure"))
