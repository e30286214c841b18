"""How long people wait for rate tables: comparing two, all rates at an instant, an edit of all.

python -m benchmarks.rate_tables [--prefixes 60000]

Prints JSON: milliseconds, the best of three, and how many times as long each takes as reading the
rates of one table takes, which other work on the machine slows down as much.
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
MEASURE = "import django; django.setup(); from benchmarks.tables.run import main; main()"


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="tollgate-bench-") as name:
        # The account PostgreSQL runs as must get at its own directory, which is closed to others.
        Path(name).chmod(0o711)
        sys.exit(measure(Path(name), sys.argv[1:]))


def measure(folder: Path, arguments: list[str]) -> int:
    postgres, valkey = PostgresEngine(folder), ValkeyEngine(folder)
    try:
        postgres.start()
        valkey.start()
        environment = {
            "DATABASE_URL": postgres.url,
            "REDIS_URL": valkey.url,
            "DJANGO_SETTINGS_MODULE": "config.settings",
        }
        command = [sys.executable, "-c", MEASURE, *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=os.environ | environment, check=False
        ).returncode
    finally:
        postgres.destroy()
        valkey.destroy()


if __name__ == "__main__":
    main()
