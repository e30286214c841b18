"""How long a program waits for one xDR by the API, rated and committed; prints JSON.

    python -m benchmarks.api_xdr [--clients 50] [--calls 2000] [--calls-a-second 100]
                                 [--prefixes 5000] [--customers 2000]

The engines are embedded ones of its own, fsync on; the web server is gunicorn as the demo and the
image run it. Every call has three legs. Each client keeps a connection open and reports a call when
its time has come, as switches do when calls end: `calls_a_second` of all clients together, evenly,
0 for one after the other without a pause. Milliseconds are from the instant a call was due to its
whole answer, so that what waits behind a slow one is not hidden.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from embedded.postgres import PostgresEngine
from embedded.valkey import ValkeyEngine

ROOT = Path(__file__).resolve().parent.parent
# Django reads its settings once: they must name the engines before anything else is imported.
MEASURE = "import django; django.setup(); from benchmarks.api.measure import main; main()"


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="tollgate-bench-") as folder:
        # The account PostgreSQL runs as must get at its own directory, which is closed to others.
        Path(folder).chmod(0o711)
        postgres, valkey = PostgresEngine(Path(folder)), ValkeyEngine(Path(folder))
        try:
            postgres.start()
            valkey.start()
            environment = {
                "DATABASE_URL": postgres.url,
                "REDIS_URL": valkey.url,
                "XDR_FILES_DIR": f"{folder}/xdr_files",
                "DJANGO_SETTINGS_MODULE": "config.settings",
            }
            command = [sys.executable, "-c", MEASURE, folder, *sys.argv[1:]]
            run = subprocess.run(command, cwd=ROOT, env=os.environ | environment, check=False)
        finally:
            postgres.destroy()
            valkey.destroy()
    sys.exit(run.returncode)


if __name__ == "__main__":
    main()
