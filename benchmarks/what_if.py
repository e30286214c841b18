"""How long "what if billing mode had been on last month" takes; prints JSON.

    python -m benchmarks.what_if [--lines 1000000] [--prefixes 60000] [--customers 2000]

xDRs of thirty days, of customers of a reseller out of billing mode, are imported into an embedded
database of its own; then one worker process reckons what billing mode would have cost it. `first`
compiles the three rate tables as well, as a worker does that has just been started.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from embedded.postgres import PostgresEngine
from embedded.valkey import ValkeyEngine

ROOT = Path(__file__).resolve().parent.parent
MEASURE = "import django; django.setup(); from benchmarks.assumed.measure import main; main()"


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
