"""Write a month's xDRs to Parquet files and take them out of the database."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from cdr.services.retiring import retire_month
from common.clock import now
from common.commands import TollgateCommand
from common.periods import parse_month


class Command(TollgateCommand):
    help = (
        "Write all providers' xDRs and legs of a month to Parquet files and take them out of the"
        " database. Usage charges, invoices and reports stay."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("month", metavar="MONTH", help="such as 2024-10, the oldest stored")
        parser.add_argument(
            "--to", type=Path, required=True, metavar="FOLDER", help="where a folder for it is made"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        first_day = parse_month(options["month"]).from_date
        folder = (options["to"] / f"{first_day:%Y-%m}").resolve()
        retired = retire_month(first_day=first_day, folder=folder, at=now())
        for table, entry in retired.manifest["tables"].items():
            self.stdout.write(f"{table}, rows: {entry['rows']}, bytes: {entry['bytes']}")
        self.stdout.write(f"{retired} is in {folder} and no longer in the database.")
