"""How long people wait for rate tables: comparing two, all rates at an instant, an edit of all.

python -m benchmarks.rate_tables [--prefixes 60000]

Prints JSON: milliseconds, the best of three, and how many times as long each takes as reading the
rates of one table takes, which other work on the machine slows down as much.
"""

import sys

from benchmarks.engines import measure_on_own_engines

if __name__ == "__main__":
    sys.exit(measure_on_own_engines("benchmarks.tables.run"))
