"""Take a file of xDRs in and, on wish, watch it being rated."""

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from cdr.models import XdrFile
from cdr.selectors.files import FileProgress, file_progress
from cdr.selectors.sources import source_named
from cdr.services.intake import receive_file
from cdr.services.splitting import is_being_rated
from common.clock import now
from common.commands import Refused, TollgateCommand
from common.scope import Scope
from tenancy.selectors import provider_by_slug

POLL_SECONDS = 0.2


class Command(TollgateCommand):
    help = "Import a file of xDRs (plain or gzip) in the background."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--provider", required=True, metavar="SLUG")
        parser.add_argument(
            "--source", required=True, help="a source's slug, or its format where only one has it"
        )
        parser.add_argument("--wait", action="store_true", help="until every line is rated")
        parser.add_argument(
            "--patience",
            type=float,
            default=30,
            metavar="SECONDS",
            help="how long to wait without any worker at work (default: 30)",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        path: Path = options["file"]
        scope = Scope.system(provider_by_slug(options["provider"]).pk)
        source = source_named(scope, options["source"])
        try:
            with path.open("rb") as content:
                file = receive_file(
                    content=content, name=path.name, source=source, at=now(), actor_id=None
                )
        except OSError as error:
            raise Refused(f"{path} cannot be read: {error.strerror}.") from error
        self.stdout.write(f"File {file.pk}: {path.name} received, {file.size_bytes} bytes.")
        if options["wait"]:
            self._wait(scope, file, options["patience"])

    def _wait(self, scope: Scope, file: XdrFile, patience: float) -> None:
        started = moved = time.monotonic()
        seen = file_progress(scope, file.pk)
        with self.progress() as bar:
            task = bar.add_task("Rating", total=None)
            while seen.state not in (XdrFile.State.DONE, XdrFile.State.FAILED):
                time.sleep(POLL_SECONDS)
                current = file_progress(scope, file.pk)
                if current != seen:
                    moved = time.monotonic()
                elif time.monotonic() - moved > patience:
                    if not is_being_rated(file):
                        raise CommandError(_no_worker(file, patience))
                    moved = time.monotonic()
                seen = current
                bar.update(task, total=seen.line_count or None, completed=seen.done_line_count)
        if seen.state == XdrFile.State.FAILED:
            raise CommandError(f"File {file.pk} cannot be rated: {seen.error}.")
        self._report(seen, time.monotonic() - started)

    def _report(self, seen: FileProgress, seconds: float) -> None:
        columns = ("read", "rated", "zero", "duplicate", "suspended", "blank", "partly suspended")
        self.print_table(
            columns,
            [
                (
                    seen.line_count,
                    seen.rated,
                    seen.zero,
                    seen.duplicate,
                    seen.suspended,
                    seen.blank,
                    seen.partly_suspended,
                )
            ],
            title=f"Done in {seconds:.1f} s",
            numeric=columns,
        )


def _no_worker(file: XdrFile, patience: float) -> str:
    return (
        f"No worker has taken file {file.pk} for {patience:g} s. It is safe, and is rated as soon"
        " as one runs: start it with `celery -A config worker -Q cdr`, and the scheduler, which"
        " finds again what a broker has lost, with `celery -A config beat`."
    )
