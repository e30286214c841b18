"""Accrue commission, draft what resellers are owed for a month and, on wish, approve it."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from common import clock
from common.commands import Refused, TollgateCommand
from common.money import round_money
from common.periods import Period, parse_month
from common.scope import Scope
from payouts import selectors
from payouts.documents.statement_csv import write_statement_csv
from payouts.documents.statement_pdf import render_pdf
from payouts.models import PayoutStatement
from payouts.services.accrual import accrue
from payouts.services.approving import approve_statement
from payouts.services.documents import store_document
from payouts.services.preparing import prepare_statements
from resellers.models import Reseller
from tenancy.models import Provider
from tenancy.selectors import provider_by_slug

AMOUNTS = ("opening", "settled before", "accrued", "clawed back", "closing")


class Command(TollgateCommand):
    help = "State what resellers earned up to the end of a month; safe to repeat."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--provider", required=True, metavar="SLUG")
        parser.add_argument("--period", required=True, metavar="MONTH", help="such as 2026-10")
        parser.add_argument("--reseller", metavar="CODE_OR_NUMBER", help="one only, not all")
        parser.add_argument("--approve", action="store_true", help="number and fix them")
        parser.add_argument(
            "--output", type=Path, metavar="DIR", help="write each statement there, PDF and CSV"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        provider = provider_by_slug(options["provider"])
        period = parse_month(options["period"])
        scope = Scope.system(provider.pk)
        named = options["reseller"]
        reseller = selectors.reseller_named(scope, named) if named else None
        accrue(provider_id=provider.pk, at=clock.now())
        self._prepare(provider, period, reseller, approve=options["approve"])
        stated = selectors.statements(scope).filter(
            period_from=period.from_date, period_to=period.to_date
        )
        statements = list(stated if reseller is None else stated.filter(reseller=reseller))
        self._print(provider, period, statements)
        if options["output"]:
            self._write(options["output"], provider, statements)

    def _prepare(
        self, provider: Provider, period: Period, reseller: Reseller | None, *, approve: bool
    ) -> None:
        drafts = prepare_statements(
            provider_id=provider.pk,
            period=period,
            reseller=reseller,
            at=clock.now(),
            actor_id=None,
        )
        for draft in drafts if approve else ():
            approve_statement(statement=draft, at=clock.now(), actor_id=None)

    def _print(self, provider: Provider, period: Period, statements: list[PayoutStatement]) -> None:
        if not statements:
            self.stdout.write(
                f"There is no statement for {period}: no reseller of {provider} earned or is owed"
                " anything that is not on another statement."
            )
            return
        self.print_table(
            ("statement", "reseller", "state", *AMOUNTS, "currency"),
            [
                (
                    str(statement),
                    str(statement.reseller),
                    statement.get_state_display(),
                    *_amounts(statement),
                    statement.currency,
                )
                for statement in statements
            ],
            title=f"{provider}: payout statements for {period}",
            numeric=AMOUNTS,
        )

    def _write(
        self, directory: Path, provider: Provider, statements: list[PayoutStatement]
    ) -> None:
        try:
            directory.mkdir(parents=True, exist_ok=True)
            with self.progress() as bar:
                for statement in bar.track(statements, description="Rendering"):
                    self._write_one(directory / _file_name(provider, statement), statement)
        except OSError as error:
            raise Refused(f"{directory} cannot be written to: {error.strerror}.") from error

    def _write_one(self, path: Path, statement: PayoutStatement) -> None:
        pdf, csv = path.with_suffix(".pdf"), path.with_suffix(".csv")
        pdf.write_bytes(_pdf(statement))
        with csv.open("w", encoding="utf-8", newline="") as stream:
            write_statement_csv(statement, stream)
        self.stdout.write(f"{pdf}\n{csv}")


def _amounts(statement: PayoutStatement) -> list[str]:
    amounts = (
        statement.opening_amount,
        statement.settled_before_amount,
        statement.accrued_amount,
        statement.clawed_back_amount,
        statement.closing_amount,
    )
    return [f"{round_money(amount, statement.currency):,}" for amount in amounts]


def _pdf(statement: PayoutStatement) -> bytes:
    """The stored PDF; a draft's is made for the occasion."""
    if statement.state == PayoutStatement.State.DRAFT:
        return render_pdf(statement)
    return store_document(statement=statement, at=clock.now())


def _file_name(provider: Provider, statement: PayoutStatement) -> str:
    month = f"{statement.period_from:%Y-%m}"
    return f"{provider.slug}-payout-{month}-{statement.reseller.number}-{statement.currency}.pdf"
