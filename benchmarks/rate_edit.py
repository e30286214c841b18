"""What a page of an edit of many rates costs: the review, before anything is changed.

    python -m benchmarks.rate_edit [--rates 60000]

The engines are embedded ones of its own. Told are seconds of processor time, of this process and of
its database connection, and the load beside them.
"""

import sys

from benchmarks.engines import measure_on_own_engines

if __name__ == "__main__":
    sys.exit(measure_on_own_engines("benchmarks.rates.edits"))
