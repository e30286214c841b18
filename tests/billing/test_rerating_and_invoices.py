"""Whatever is imported, repriced, rated again and billed in between: the same sums in the end."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.db import transaction
from django.db.models import Sum
from hypothesis import strategies as st

from billing.models import BilledUsage, Invoice, InvoiceLine
from cdr.models import CustomerIdentifier, Leg, LegKind, PartyKind, UsageCharge
from common.periods import month
from common.scope import Scope
from ledger.selectors import ledger_faults
from tests.cdr.worlds import World, make_world
from tests.factories import make_billing_mode, make_customer, make_identifier, make_tax_profile
from tests.factories.billing import issue_run
from tests.factories.cdr import CALL_AT, Call, import_lines
from tests.factories.rerating import price, rerate

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_files_dir(settings: Any, tmp_path: Path) -> None:
    settings.XDR_FILES_DIR = tmp_path / "xdr_files"


PRICES = ["0.01", "0.05", "0.07", "0.123456"]
TABLES = ["customer", "reseller", "vendor"]
NUMBERS = ["493012345678", "4420794600"]
calls = st.lists(
    st.tuples(st.integers(0, 200), st.integers(0, 3), st.sampled_from(NUMBERS), st.booleans()),
    min_size=1,
    max_size=5,
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("import"), calls),
        st.tuples(st.just("price"), st.sampled_from(TABLES), st.sampled_from(PRICES)),
        st.tuples(st.just("rerate"), st.sampled_from(["", "49", "44"])),
        st.tuples(st.just("bill")),
    ),
    min_size=1,
    max_size=8,
)


@dataclass
class Story:
    """A world, what was imported and priced so far, and what was billed as it was issued."""

    world: World
    imported: list[Call] = field(default_factory=list)
    prices: dict[str, str] = field(default_factory=dict)
    months: Iterator[date] = field(
        default_factory=lambda: iter(date(2026 + n // 12, n % 12 + 1, 1) for n in range(9, 40))
    )
    issued: dict[str, list[Any]] = field(default_factory=dict)

    def import_calls(self, drawn: list[tuple[int, int, str, bool]]) -> None:
        made = [
            Call(
                account="second" if is_second else "carla",
                seconds=seconds,
                to=number,
                started_at=CALL_AT + timedelta(minutes=minute),
            )
            for seconds, minute, number, is_second in drawn
        ]
        self.imported += made
        import_lines(self.world.source, made)

    def price(self, table: str, rate: str) -> None:
        self.prices[table] = rate
        tables = {
            "customer": self.world.default_table(),
            "reseller": self.world.sub_table,
            "vendor": self.world.vendor.rate_table,
        }
        price(tables[table], rate)

    def rerate(self, prefix: str) -> None:
        rerate(self.world.provider, prefixes=[prefix] if prefix else [])

    def bill(self) -> None:
        period = month(*(first := next(self.months)).timetuple()[:2])
        after = datetime(first.year, first.month, 1, 12, tzinfo=UTC) + timedelta(days=40)
        issue_run(self.world.provider, period, after)
        self.issued = {row.number or "": held(row) for row in issued(self.world)}

    def take(self, step: tuple[Any, ...]) -> None:
        before = dict(self.issued)
        name, *arguments = step
        actions: dict[str, Callable[..., None]] = {
            "import": self.import_calls,
            "price": self.price,
            "rerate": self.rerate,
            "bill": self.bill,
        }
        actions[name](*arguments)
        now = {row.number or "": held(row) for row in issued(self.world)}
        assert {number: now[number] for number in before} == before


def issued(world: World) -> list[Invoice]:
    return list(Invoice.objects.filter(provider=world.provider).exclude(number=None))


def held(invoice: Invoice) -> list[Any]:
    """All that an issued invoice holds, and the usage it was made from."""
    lines = InvoiceLine.objects.filter(invoice=invoice).order_by("position").values_list()
    usage = BilledUsage.objects.filter(invoice=invoice).order_by("pk").values_list()
    return [invoice.net_amount, invoice.gross_amount, list(lines), list(usage)]


def make_story() -> Story:
    world = make_world()
    make_tax_profile(world.provider, "10")
    make_billing_mode(world.sub, world.sub_table)
    make_identifier(make_customer(world.provider, world.sub), "second")
    return Story(world)


def charged(world: World) -> dict[tuple[Any, ...], Decimal]:
    """Sums of usage charges by who pays, named alike in every world; without those of nothing."""
    identifiers = CustomerIdentifier.objects.filter(provider=world.provider)
    names = dict(identifiers.values_list("customer_id", "value"))
    sums = (
        UsageCharge.objects.filter(provider=world.provider)
        .values_list("kind", "payer_kind", "payer_id", "destination", "currency")
        .annotate(Sum("amount"))
    )
    return {
        (kind, payer, names.get(payer_id) if payer == PartyKind.CUSTOMER else "", *rest): amount
        for kind, payer, payer_id, *rest, amount in sums
        if amount
    }


@contextmanager
def rolled_back() -> Iterator[None]:
    """Examples leave nothing behind for the next."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


class TestAnySequence:
    @hypothesis.settings(
        max_examples=25, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture]
    )
    @hypothesis.given(steps=steps)
    def test_ends_with_what_a_fresh_import_at_the_final_rates_charges(
        self, steps: list[tuple[Any, ...]]
    ) -> None:
        with rolled_back():
            story = make_story()
            for step in [*steps, ("rerate", "")]:
                story.take(step)
            world, fresh = story.world, make_story()
            for table, rate in story.prices.items():
                fresh.price(table, rate)
            if story.imported:
                import_lines(fresh.world.source, story.imported)

            assert charged(world) == charged(fresh.world)
            check_margins(world)
            assert not list(ledger_faults(Scope.system(world.provider.pk)))


def check_margins(world: World) -> None:
    """What all parties earn is what customers pay less what vendors take; legs agree with usage."""
    legs = Leg.objects.filter(provider=world.provider)
    by_kind = dict(legs.values_list("kind").annotate(Sum("amount")))
    usage = UsageCharge.objects.filter(provider=world.provider)
    of_usage = dict(usage.values_list("kind").annotate(Sum("amount")))
    assert by_kind == {kind: amount for kind, amount in of_usage.items() if kind in by_kind}
    assert not any(amount for kind, amount in of_usage.items() if kind not in by_kind)
    sides = [PartyKind.PROVIDER, PartyKind.RESELLER]
    of_payees = legs.filter(usage_charge__payee_kind__in=sides)
    of_payers = legs.filter(usage_charge__payer_kind__in=sides)
    earned = of_payees.aggregate(sum=Sum("amount"))["sum"] or 0
    paid = of_payers.aggregate(sum=Sum("amount"))["sum"] or 0
    customers, vendors = by_kind.get(LegKind.CUSTOMER, 0), by_kind.get(LegKind.VENDOR, 0)
    assert earned - paid == customers - vendors
