"""How many invoices a second a bill run calculates, posts and numbers; prints JSON.

    python -m benchmarks.bill_run [--customers 10000] [--workers 2]

Every customer has usage of 8 destinations on 3 days: 24 usage charges that make 8 lines and a tax.
Real workers on embedded engines, fsync on. The clock runs from starting the calculation to the run
being issued, less the second in which somebody would approve it; documents are not rendered.
"""

import sys

from benchmarks.engines import measure_on_own_engines

if __name__ == "__main__":
    sys.exit(measure_on_own_engines("benchmarks.billing.run"))
