"""How long it takes to write a large rate table into files, tell its changes, and rename its rates.

    python -m benchmarks.rate_export [--rates 400000] [--skip-xlsx]

The engines are embedded ones of its own, fsync on. All work runs in one process, as in a worker;
`peak_mib` is the most memory it had until then, its libraries included. Half of the rates share
their terms in runs of ten prefixes, which ranges write as one line. Of the notice, the first tells
all rates, the second a tenth of them at another price.
"""

import sys

from benchmarks.engines import measure_on_own_engines

if __name__ == "__main__":
    sys.exit(measure_on_own_engines("benchmarks.rates.exports"))
