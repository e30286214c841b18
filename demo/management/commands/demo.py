"""`make demo`: sets two providers up and takes their October from usage to payouts."""

import os
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import transaction
from rich.console import Console

from billing.models import CreditNote
from billing.selectors.documents import to_be_made
from cdr.models import XdrFile
from common import clock
from common.commands import TollgateCommand
from common.errors import DomainError
from demo.checks import Comparison, customer_by_card, customer_in_bulk
from demo.expected import expect
from demo.payments import issue_credit_note, pay_in_three_ways
from demo.plans import PERIOD, PLANS, ProviderPlan
from demo.processes import Installation, start_installation
from demo.sign_ins import add_people
from demo.storage import storage_of
from demo.summary import print_checks, print_provider, print_where_to_look
from demo.switch import october
from demo.world import SOURCE_SLUG, STORAGE_SLUG, found_provider
from payouts.models import PayoutStatement
from tenancy.models import Provider

DEFAULT_PORT = 8000
# The scheduler finds within a minute what a broker lost, and a worker rates it in seconds.
PATIENCE_SECONDS = 180
POLL_SECONDS = 0.2
DEFAULT_PASSWORD = "demo"  # noqa: S105  # demo mode only, and said on the screen


class NotInDemoMode(DomainError):
    """The demo's people have a password that everybody knows."""


class MonthNotOver(DomainError):
    """The clock is before the end of the month that the demo bills."""


class ImportStuck(DomainError):
    """What an earlier start sent to the worker was not rated."""


class Command(TollgateCommand):
    """Runs the demo; a second start does nothing twice."""

    help = "Set up two providers, bill their October 2026, and leave the application running."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=os.environ.get("PORT") or DEFAULT_PORT)
        once = os.environ.get("DEMO_ONCE", "") not in ("", "0")
        parser.add_argument("--once", action="store_true", default=once)

    def handle(self, *args: Any, **options: Any) -> None:
        self.console = Console()
        self.password = os.environ.get("DEMO_PASSWORD") or DEFAULT_PASSWORD
        _refuse_unless_possible()
        began = time.monotonic()
        installation = start_installation(options["port"])
        try:
            all_hold = self._run(installation)
        finally:
            if options["once"]:
                installation.stop()
        print_where_to_look(
            self.console, installation.url, self.password, is_running=not options["once"]
        )
        self.console.print(f"Done in {time.monotonic() - began:.0f} s.")
        if not all_hold:
            sys.exit(1)

    def _run(self, installation: Installation) -> bool:
        holds = []
        for plan in PLANS:
            provider = self._found(plan)
            traffic = october(plan)
            self._import(plan, provider, "", traffic.content, SOURCE_SLUG)
            if storage := storage_of(plan):
                content = "".join(f"{stored.line}\n" for stored in storage).encode()
                self._import(plan, provider, "-storage", content, STORAGE_SLUG)
            self._bill(plan, provider, installation)
            checks = list(Comparison(plan, provider, expect(plan, traffic)).checks())
            holds.append((plan, provider, checks))
        for plan, provider, _ in holds:
            print_provider(self.console, plan, provider)
        self.console.rule("[bold]Proof[/bold]")
        for plan, _, checks in holds:
            print_checks(self.console, plan.slug, checks)
        call_command("verify_ledger")
        return all(check.holds for _, _, checks in holds for check in checks)

    def _found(self, plan: ProviderPlan) -> Provider:
        provider = Provider.objects.filter(slug=plan.slug).first()
        if provider is None:
            self.console.print(f"Founding {plan.name}: resellers, vendors, rates, customers")
            with transaction.atomic():
                provider = found_provider(plan)
                add_people(plan, provider, password=self.password, at=clock.now())
        return provider

    def _import(
        self, plan: ProviderPlan, provider: Provider, suffix: str, content: bytes, source: str
    ) -> None:
        name = f"{plan.slug}-{PERIOD.from_date:%Y-%m}{suffix}"
        path: Path = settings.VAR_DIR / "demo" / f"{name}.{'jsonl' if suffix else 'csv'}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        file = XdrFile.objects.filter(provider=provider, name=path.name).first()
        if file is not None:
            _await_rated(file)
            return
        self.console.print(f"Importing {path.name} through the worker")
        call_command("import_xdrs", str(path), provider=plan.slug, source=source, wait=True)

    def _bill(self, plan: ProviderPlan, provider: Provider, installation: Installation) -> None:
        month = f"{PERIOD.from_date:%Y-%m}"
        call_command("run_billing", provider=plan.slug, period=month, approve=True)
        by_card, in_bulk = customer_by_card(provider), customer_in_bulk(provider)
        pay_in_three_ways(plan, provider, by_card=by_card, in_bulk=in_bulk, url=installation.url)
        issue_credit_note(by_card)
        if not PayoutStatement.objects.filter(provider=provider).exists():
            today = clock.now().astimezone(plan.zone)
            call_command(
                "payout_statements",
                provider=plan.slug,
                period=f"{today:%Y-%m}",
                approve=True,
                output=settings.VAR_DIR / "demo",
            )
        _await_credit_notes(provider)


def _await_credit_notes(provider: Provider) -> None:
    """Their documents are the worker's; for those of invoices the bill run has waited."""
    waiting = to_be_made(CreditNote.objects.filter(provider=provider))
    deadline = time.monotonic() + PATIENCE_SECONDS
    while waiting.exists() and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)


def _await_rated(file: XdrFile) -> None:
    """An earlier start may have been interrupted while the worker was at it."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while file.state != XdrFile.State.DONE:
        if file.state == XdrFile.State.FAILED or time.monotonic() > deadline:
            raise ImportStuck(f"{file.name} is {file.state}; see var/log/worker.log. {file.error}")
        time.sleep(POLL_SECONDS)
        file.refresh_from_db()


def _refuse_unless_possible() -> None:
    if not settings.DEMO:
        raise NotInDemoMode("Set TOLLGATE_MODE=demo, or run `make demo`, which does.")
    if clock.now().date() <= PERIOD.to_date:
        raise MonthNotOver(f"The demo bills {PERIOD}; this machine's clock is not past it.")
