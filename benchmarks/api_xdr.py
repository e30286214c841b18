"""How long a program waits for one xDR by the API, rated and committed; prints JSON.

    python -m benchmarks.api_xdr [--clients 50] [--calls 2000] [--calls-a-second 50]
                                 [--prefixes 5000] [--customers 2000]

The engines are embedded ones of its own, fsync on; the web server is gunicorn as the demo and the
image run it. Every call has three legs. Each client keeps a connection open. `paced`: it reports a
call when its time has come, as switches do when calls end, `calls_a_second` of all clients
together, evenly. `without_pause`: one call after the other, as fast as they are answered.
Milliseconds are from the instant a call was due to its whole answer, so that what waits behind a
slow one is not hidden.
"""

import sys

from benchmarks.engines import measure_on_own_engines

if __name__ == "__main__":
    sys.exit(measure_on_own_engines("benchmarks.api.measure"))
