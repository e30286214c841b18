"""Prove that the books add up and every document says what they say."""

import sys
from argparse import ArgumentParser
from typing import Any

from common.commands import TollgateCommand
from common.faults import Fault
from common.scope import Scope
from reports.selectors.verification import Verification, verify
from tenancy.selectors import provider_by_slug, providers

FAULTS_FOUND = 1


class Command(TollgateCommand):
    help = (
        "Compare balances, invoices, credit notes, payments, wallets, commission and payouts with "
        "the ledger's transfers. Exit status 1 when something does not agree."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--provider", metavar="SLUG", help="only this one; by default all")

    def handle(self, *_: Any, **options: Any) -> None:
        slug = options["provider"]
        chosen = [provider_by_slug(slug)] if slug else providers()
        faults: list[tuple[str, Fault]] = []
        for provider in chosen:
            result = verify(Scope.system(provider.pk))
            faults += [(provider.slug, fault) for fault in result.faults]
            self.stdout.write(f"{provider.slug}: {_in_words(result)}")
        if faults:
            self.print_table(
                ["provider", "must hold", "where", "by the transfers", "stored"],
                [
                    (slug, fault.what, fault.where, fault.expected, fault.found)
                    for slug, fault in faults
                ],
            )
            sys.exit(FAULTS_FOUND)


def _in_words(result: Verification) -> str:
    counts = ", ".join(f"{name} {count:,}" for name, count in result.compared.items() if count)
    outcome = f"{len(result.faults):,} faults" if result.faults else "all agree"
    return f"{counts or 'nothing posted yet'}: {outcome}"
