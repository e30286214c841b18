"""What every command shares: refusals without a stack trace, progress bars, tables for people."""

import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from common.errors import DomainError

BAD_INPUT = 2
# As shells say it of a program that was ended by the signal SIGPIPE.
READER_GONE = 128 + 13
# Where output goes to a file or a pipe there is no screen to fit into.
UNBOUND_COLUMNS = 200


class Refused(CommandError):
    """What was asked cannot be done: its message goes to stderr, the exit status is 2."""

    def __init__(self, message: str) -> None:
        super().__init__(message, returncode=BAD_INPUT)


class TollgateCommand(BaseCommand):
    """A command whose refusals (`DomainError`, `Refused`, wrong arguments) exit with status 2.

    It ends without a word, with status 141, when nobody reads on what it writes, as after `| head`.
    """

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            output = super().execute(*args, **options)
            self.stdout.flush()
        except DomainError as refusal:
            raise Refused(str(refusal)) from refusal
        except BrokenPipeError:
            # What is still kept back would be written, in vain and loudly, when Python ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise SystemExit(READER_GONE) from None
        return output

    def progress(self) -> Progress:
        """A progress bar on stderr, with counts and time left; silent where nobody watches."""
        console = Console(stderr=True)
        return Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )

    def print_table(
        self,
        columns: Sequence[str],
        rows: Iterable[Sequence[object]],
        *,
        title: str | None = None,
        numeric: Iterable[str] = (),
    ) -> None:
        """A table on stdout; the columns named in `numeric` are aligned to the right."""
        table = Table(title=title, title_justify="left")
        right = set(numeric)
        for column in columns:
            table.add_column(column, justify="right" if column in right else "left")
        for row in rows:
            table.add_row(*map(str, row))
        width = None if self.stdout.isatty() else UNBOUND_COLUMNS
        console = Console(width=width, no_color=width is not None, markup=False, highlight=False)
        with console.capture() as text:
            console.print(table)
        self.stdout.write(text.get(), ending="")
