"""Take in what switches put into the folder of a source, until it is stopped."""

import time
from argparse import ArgumentParser
from typing import Any

from cdr.models import Source
from cdr.selectors.sources import source_named
from cdr.services.watching import take_files, watched_folder
from common.clock import now
from common.commands import TollgateCommand
from common.scope import Scope
from tenancy.selectors import provider_by_slug


class Command(TollgateCommand):
    help = "Take in complete files from the folder of a source; workers do so too, every minute."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--provider", required=True, metavar="SLUG")
        parser.add_argument(
            "--source", required=True, help="a source's slug, or its format where only one has it"
        )
        parser.add_argument("--once", action="store_true", help="one pass, then end")
        parser.add_argument(
            "--every", type=float, default=5, metavar="SECONDS", help="between passes (default: 5)"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        scope = Scope.system(provider_by_slug(options["provider"]).pk)
        source = source_named(scope, options["source"])
        self.stdout.write(f"Watching {watched_folder(source)}.")
        self._pass(source)
        while not options["once"]:
            time.sleep(options["every"])
            source.refresh_from_db()
            self._pass(source)

    def _pass(self, source: Source) -> None:
        for taken in take_files(source=source, at=now()):
            if taken.file is None:
                self.stdout.write(f"{taken.name} refused: {taken.reason}")
            else:
                self.stdout.write(f"{taken.name} received as file {taken.file.pk}.")
