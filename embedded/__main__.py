"""``python -m embedded start | stop | status | destroy``: the engines of this checkout."""

import argparse
import os
import sys

from embedded.engines import ROOT, postgres, valkey
from embedded.postgres import PostgresEngine
from embedded.processes import ProcessFailed, background_processes
from embedded.valkey import ValkeyEngine

Engine = PostgresEngine | ValkeyEngine

ENGINES: dict[str, tuple[str, Engine]] = {
    "postgres": ("DATABASE_URL", postgres),
    "valkey": ("REDIS_URL", valkey),
}


def start() -> None:
    """Start the engines that no real server replaces."""
    for variable, engine in ENGINES.values():
        if not os.environ.get(variable):
            engine.start()


def stop() -> None:
    """End everything started in the background, the engines last; data stay."""
    for process in background_processes(ROOT):
        if process.name not in ENGINES:
            process.stop()
    for _, engine in ENGINES.values():
        engine.stop()


def destroy() -> None:
    """Stop everything and remove the engines' data."""
    stop()
    for _, engine in ENGINES.values():
        engine.destroy()


def status() -> None:
    for name, (variable, engine) in ENGINES.items():
        if os.environ.get(variable):
            state = f"replaced by {variable}"
        else:
            state = "running" if engine.is_running() else "stopped"
        print(f"{name}: {state}")  # noqa: T201 - a command's answer
    for process in background_processes(ROOT):
        if process.name not in ENGINES:
            state = "running" if process.is_running() else "stopped"
            print(f"{process.name}: {state}")  # noqa: T201


ACTIONS = {"start": start, "stop": stop, "status": status, "destroy": destroy}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m embedded", description=__doc__)
    parser.add_argument("action", choices=ACTIONS)
    try:
        ACTIONS[parser.parse_args().action]()
    except (ProcessFailed, OSError) as failure:
        print(failure, file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
