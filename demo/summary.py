"""One page on what the demo did and where to look."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db.models import Count, QuerySet, Sum
from rich.console import Console
from rich.table import Table

from billing.models import CreditNote, Invoice
from cdr.models import Leg, PartyKind, Suspense, SuspenseReason, XdrChunk
from common.money import ZERO, format_money
from customers.models import Customer
from demo.checks import Check
from demo.plans import PERIOD, ProviderPlan
from payments.models import Payment
from payouts.models import PayoutStatement
from resellers.models import Reseller, Vendor
from tenancy.models import Provider, User


def print_provider(console: Console, plan: ProviderPlan, provider: Provider) -> None:
    """Counts and sums of one provider's month."""
    console.rule(f"[bold]{plan.name}[/bold] ({plan.slug}), {PERIOD}")
    console.print(_usage_line(provider))
    console.print(_parties(plan, provider))
    console.print(_money(plan, provider))


def print_checks(console: Console, slug: str, checks: Sequence[Check]) -> None:
    """How many figures held, and each that did not."""
    failed = [check for check in checks if not check.holds]
    for check in failed:
        console.print(f"[red]{slug}: {check.what}: expected {check.expected}, is {check.found}")
    held = len(checks) - len(failed)
    colour = "red" if failed else "green"
    console.print(f"[{colour}]{slug}: {held} of {len(checks)} figures equal the independent sums")


def print_where_to_look(console: Console, url: str, password: str, *, is_running: bool) -> None:
    """The address and the sign-ins; or how to start it again."""
    console.rule("[bold]Where to look[/bold]")
    if not is_running:
        console.print("The demo has stopped; `make demo` starts it again on the same data.")
        return
    table = Table("sign in as", "who", box=None, header_style="bold")
    for email, name in User.objects.order_by("pk").values_list("email", "name"):
        table.add_row(email, name)
    console.print(f"Web application: [bold]{url}[/bold]   password of all: [bold]{password}[/bold]")
    console.print(table)
    console.print("Logs: var/log. Stop: make stop (keeps the data). Remove: make clean.")


def _usage_line(provider: Provider) -> str:
    sums = XdrChunk.objects.filter(provider=provider).aggregate(
        read=Sum("line_count"),
        rated=Sum("rated_count"),
        zero=Sum("zero_count"),
        duplicate=Sum("duplicate_count"),
        suspended=Sum("suspended_count"),
    )
    reasons = (
        Suspense.objects.filter(provider=provider, state=Suspense.State.OPEN)
        .values_list("reason")
        .annotate(Count("pk"))
        .order_by("reason")
    )
    in_suspense = ", ".join(
        f"{count:,} {SuspenseReason(reason).label.lower()}" for reason, count in reasons
    )
    counts = ", ".join(f"{sums[name] or 0:,} {name}" for name in sums)
    return f"xDR lines: {counts}. Suspense: {in_suspense}."


def _parties(plan: ProviderPlan, provider: Provider) -> Table:
    table = Table("party", "earned", "paid", "margin", title="Legs by party", title_justify="left")
    for column in table.columns[1:]:
        column.justify = "right"
    names = {(PartyKind.PROVIDER, 0): provider.name}
    names |= {
        (PartyKind.RESELLER, each.pk): each.organisation
        for each in Reseller.objects.filter(provider=provider).order_by("number")
    }
    names |= {
        (PartyKind.VENDOR, each.pk): each.name for each in Vendor.objects.filter(provider=provider)
    }
    earned, paid = (_leg_sums(provider, side) for side in ("payee", "payer"))
    for party, name in names.items():
        amounts = earned.get(party, ZERO), paid.get(party, ZERO)
        margin = amounts[0] - amounts[1]
        table.add_row(name, *(format_money(a, plan.currency) for a in (*amounts, margin)))
    return table


def _leg_sums(provider: Provider, side: str) -> dict[tuple[int, int], Decimal]:
    party = (f"usage_charge__{side}_kind", f"usage_charge__{side}_id")
    rows = Leg.objects.filter(provider=provider).values_list(*party)
    return {(kind, pk): amount for kind, pk, amount in rows.annotate(Sum("amount"))}


def _money(plan: ProviderPlan, provider: Provider) -> Table:
    table = Table("document", "count", "net", "gross", title="Money", title_justify="left")
    for column in table.columns[1:]:
        column.justify = "right"
    issued = Invoice.objects.filter(provider=provider).exclude(number=None)
    sums = {"count": Count("pk"), "net": Sum("net_amount"), "gross": Sum("gross_amount")}
    kinds: dict[str, QuerySet[Any]] = {
        f"{kind.label} invoices": issued.filter(kind=kind) for kind in Invoice.Kind
    }
    kinds["Credit notes"] = CreditNote.objects.filter(provider=provider)
    for name, rows in kinds.items():
        found = rows.aggregate(**sums)
        amounts = [format_money(found[key] or ZERO, plan.currency) for key in ("net", "gross")]
        table.add_row(name, str(found["count"]), *amounts)
    for way in Payment.Way:
        rows = Payment.objects.filter(provider=provider, way=way, state="SUCCEEDED")
        found = rows.aggregate(count=Count("pk"), gross=Sum("amount"))
        amount = format_money(found["gross"] or ZERO, plan.currency)
        table.add_row(f"Payments, {way.label.lower()}", str(found["count"]), "", amount)
    for statement in PayoutStatement.objects.filter(provider=provider).order_by("pk"):
        amount = format_money(statement.closing_amount, statement.currency)
        table.add_row(f"Payout to {statement.reseller}", "1", "", amount)
    tagged = Customer.objects.filter(provider=provider).exclude(reseller=None).count()
    total = Customer.objects.filter(provider=provider).count()
    table.caption = f"{total} customers, {tagged} of them brought by resellers"
    return table
