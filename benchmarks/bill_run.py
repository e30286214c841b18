"""How many invoices a second a bill run calculates, posts and numbers; prints JSON.

    python -m benchmarks.bill_run [--customers 10000] [--workers 2]

Every customer has usage of 8 destinations on 3 days: 24 usage charges that make 8 lines and a tax.
Real workers on embedded engines, fsync on. The clock runs from starting the calculation to the run
being issued, less the second in which somebody would approve it; documents are not rendered.
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
MEASURE = "import django; django.setup(); from benchmarks.billing.run import main; main()"


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
