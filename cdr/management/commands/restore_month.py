"""Bring a retired month of xDRs back into the database."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from cdr.services.retiring import restore_month
from common.commands import TollgateCommand


class Command(TollgateCommand):
    help = "Bring a month back that retire_month wrote to files; the files stay."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, metavar="FOLDER", help="with its manifest.json")

    def handle(self, *_: Any, **options: Any) -> None:
        first_day = restore_month(folder=options["folder"].resolve())
        self.stdout.write(f"{first_day:%Y-%m} is in the database again.")
