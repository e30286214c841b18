"""How many two-page invoices one core prints in a second; prints JSON.

    python -m benchmarks.pdf [--count 60]

An invoice of a subscription, twenty-five destinations and a one-time charge, on two pages, made
from its finished detail: no database, one process. The median is of single invoices.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MEASURE = "import django; django.setup(); from benchmarks.billing.printing import main; main()"


def main() -> None:
    environment = {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        # Nothing here asks the engines, which settings would else start looking for.
        "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none",
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }
    command = [sys.executable, "-c", MEASURE, *sys.argv[1:]]
    sys.exit(
        subprocess.run(command, cwd=ROOT, env=os.environ | environment, check=False).returncode
    )


if __name__ == "__main__":
    main()
