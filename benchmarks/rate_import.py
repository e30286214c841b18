"""How long a rate file of 500,000 rows takes, and how much memory it takes; prints JSON.

    python -m benchmarks.rate_import [--rows 500000] [--xlsx]

The engines are embedded ones of its own, fsync on. Half of the rows are rates of a table that has
them already, a tenth of these at another price. `dry_run_seconds` is from the choice of the columns
to the last compared row, `import_seconds` from the confirmation to the last written rate, both in
one process, as in a worker, and `…_cpu_seconds` is what this process worked for it; `peak_mib` is
the most memory it had, its libraries included.
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
MEASURE = "import django; django.setup(); from benchmarks.rates.measure import main; main()"


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
                "RATE_FILES_DIR": f"{folder}/rate_files",
                "DJANGO_SETTINGS_MODULE": "config.settings",
            }
            command = [sys.executable, "-c", MEASURE, *sys.argv[1:]]
            run = subprocess.run(command, cwd=ROOT, env=os.environ | environment, check=False)
        finally:
            postgres.destroy()
            valkey.destroy()
    sys.exit(run.returncode)


if __name__ == "__main__":
    main()
