"""Engines that live as long as somebody holds our standard input open.

``python -m embedded.throwaway`` starts both in a directory of its own, prints their URLs as one
line of JSON, and removes them when standard input ends. It ends however the holder does, so a
test run killed with no chance to clean up leaves nothing behind.
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path

from embedded.postgres import PostgresEngine
from embedded.valkey import ValkeyEngine


def main() -> None:
    root = Path(tempfile.mkdtemp(prefix="tollgate-throwaway-"))
    # The account PostgreSQL runs as must get at its own directory, which is closed to others.
    root.chmod(0o711)
    postgres = PostgresEngine(root, durable=False)
    valkey = ValkeyEngine(root, durable=False)
    try:
        postgres.start()
        valkey.start()
        urls = {"DATABASE_URL": postgres.url, "REDIS_URL": valkey.url}
        print(json.dumps(urls), flush=True)  # noqa: T201 - read by whoever started us
        sys.stdin.read()
    finally:
        postgres.destroy()
        valkey.destroy()
        shutil.rmtree(root)


if __name__ == "__main__":
    main()
