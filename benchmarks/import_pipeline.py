"""How many xDRs a second go from a file to committed rows, through real workers; prints JSON.

    python -m benchmarks.import_pipeline [--lines 1000000] [--prefixes 60000] [--customers 2000]

The engines are embedded ones of its own, fsync on. Every call is answered and has three legs:
customer, reseller and vendor, each in a table of its own. The clock runs from opening the file to
the commit of its last chunk. `copy_only` is what the same database takes for nothing but the COPY
of the same rows, in the same formats, into the same indexed tables, chunk by chunk, by as many
processes.
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
MEASURE = "import django; django.setup(); from benchmarks.pipeline.measure import main; main()"


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
