"""Rate a file of calls with a file of rates: the engine alone, without a database."""

import os
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import OutputWrapper
from rich.console import Console
from rich.progress import Progress

from cdr.rating.csv_calls import rate_calls
from cdr.rating.csv_cells import CsvRefused
from cdr.rating.csv_rates import read_deck
from common.commands import Refused, TollgateCommand

PROGRESS_FROM_BYTES = 2_000_000


class Command(TollgateCommand):
    help = "Rate the calls of CALLS.csv with the rates of RATES.csv; needs no database."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--rates", type=Path, required=True, metavar="RATES.csv")
        parser.add_argument("--calls", type=Path, required=True, metavar="CALLS.csv")
        parser.add_argument(
            "--output", type=Path, metavar="OUT.csv", help="written only if every call was read"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        rates, calls, output = options["rates"], options["calls"], options["output"]
        if output and not output.parent.is_dir():
            raise Refused(f"{output.parent}: no such folder to write to.")
        try:
            with _answer(output, self.stdout) as answer, _progress(rates, calls) as progress:
                with progress.open(rates, "rb", description="Rates") as stream:
                    deck = read_deck(stream, str(rates))
                with progress.open(calls, "rb", description="Calls") as stream:
                    rate_calls(deck, stream, str(calls), answer)
        except CsvRefused as error:
            raise Refused(str(error)) from error
        except BrokenPipeError:  # nobody reads on: no trouble with a file
            raise
        except OSError as error:
            raise Refused(_trouble(error)) from error


def _trouble(error: OSError) -> str:
    reason = (error.strerror or str(error)).lower()
    return f"{error.filename}: {reason}. Check the path." if error.filename else f"{reason}."


@contextmanager
def _answer(output: Path | None, stdout: OutputWrapper) -> Iterator[TextIO]:
    """A file that becomes `output`, or goes to `stdout`, only when the block succeeds."""
    folder = output.parent if output else None
    handle, name = tempfile.mkstemp(dir=folder, prefix=".rate_csv-")
    partial = Path(name)
    try:
        with open(handle, "w+", encoding="utf-8", newline="") as answer:
            yield answer
            if not output:
                answer.seek(0)
                for line in answer:
                    stdout.write(line, ending="")
        if output:
            partial.chmod(0o666 & ~_umask())
            partial.replace(output)
    finally:
        partial.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _progress(*files: Path) -> Progress:
    large = sum(file.stat().st_size for file in files) >= PROGRESS_FROM_BYTES
    return Progress(console=Console(stderr=True), disable=not large)
