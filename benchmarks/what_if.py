"""How long "what if billing mode had been on last month" takes; prints JSON.

    python -m benchmarks.what_if [--lines 1000000] [--prefixes 60000] [--customers 2000]

xDRs of thirty days, of customers of a reseller out of billing mode, are imported into an embedded
database of its own; then one worker process reckons what billing mode would have cost it. `first`
compiles the three rate tables as well, as a worker does that has just been started.
"""

import sys

from benchmarks.engines import measure_on_own_engines

if __name__ == "__main__":
    sys.exit(measure_on_own_engines("benchmarks.assumed.measure"))
