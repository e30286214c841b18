"""Embedded engines of a benchmark's own, fsync on."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from embedded.postgres import PostgresEngine
from embedded.valkey import ValkeyEngine

ROOT = Path(__file__).resolve().parent.parent


def measure_on_own_engines(module: str) -> int:
    """Run `main` of a module with the arguments of this process, after that of a folder.

    In a process of its own: Django reads its settings once, and they must name the engines before
    anything else is imported. Returns its exit status.
    """
    measure = f"import django; django.setup(); from {module} import main; main()"
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
                "RATE_FILES_DIR": f"{folder}/rate_files",
                "DJANGO_SETTINGS_MODULE": "config.settings",
            }
            command = [sys.executable, "-c", measure, folder, *sys.argv[1:]]
            run = subprocess.run(command, cwd=ROOT, env=os.environ | environment, check=False)
        finally:
            postgres.destroy()
            valkey.destroy()
    return run.returncode
