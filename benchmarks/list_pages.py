"""How fast every list page answers with a million xDRs in the database; prints JSON.

python -m benchmarks.list_pages [--xdrs 1000000] [--customers 5000] [--keep FOLDER]
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
MEASURE = "import django; django.setup(); from benchmarks.lists.run import main; main()"


def main() -> None:
    arguments = sys.argv[1:]
    if "--keep" in arguments:
        at = arguments.index("--keep")
        folder = Path(arguments[at + 1])
        del arguments[at : at + 2]
        folder.mkdir(exist_ok=True)
        folder.chmod(0o711)
        sys.exit(measure(folder, arguments, keep=True))
    with tempfile.TemporaryDirectory(prefix="tollgate-bench-") as name:
        # The account PostgreSQL runs as must get at its own directory, which is closed to others.
        Path(name).chmod(0o711)
        sys.exit(measure(Path(name), arguments, keep=False))


def measure(folder: Path, arguments: list[str], *, keep: bool) -> int:
    postgres, valkey = PostgresEngine(folder), ValkeyEngine(folder)
    try:
        postgres.start()
        valkey.start()
        environment = {
            "DATABASE_URL": postgres.url,
            "REDIS_URL": valkey.url,
            "XDR_FILES_DIR": f"{folder}/xdr_files",
            "DJANGO_SETTINGS_MODULE": "config.settings",
        }
        command = [sys.executable, "-c", MEASURE, str(folder), *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=os.environ | environment, check=False
        ).returncode
    finally:
        for engine in (postgres, valkey):
            if keep:
                engine.stop()
            else:
                engine.destroy()


if __name__ == "__main__":
    main()
