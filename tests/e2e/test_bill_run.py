"""A bill run watched from its first page to the invoices, with a worker that is a real process."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import expect

from billing.models import BillRun, Invoice
from tests.e2e.steps import facts, fill, follow, press
from tests.e2e.visits import Visit
from tests.e2e.world import NAMES, make_aurora, make_colleague
from tests.factories import make_customer
from tests.factories.billing import make_charge
from tests.workers import forget_queued_work, running_worker

pytestmark = pytest.mark.django_db(transaction=True)
Visits = Callable[..., Visit]
CUSTOMERS = 120
SOON = 60_000  # milliseconds until a worker has started and done it


class TestABillRun:
    def test_is_watched_to_the_end(self, visit: Visits, tmp_path: Path) -> None:
        forget_queued_work()
        provider = make_aurora().provider
        for number in range(CUSTOMERS):
            customer = make_customer(provider, organisation=f"{NAMES[number % 8]} {number + 1}")
            make_charge(customer, "100.00", description="SIP trunk")
        window = visit(make_colleague(provider, "Finance"))
        page = window.open("/console/billing/runs/")
        follow(page, "New bill run")
        fill(page, {"Month": "2026-10"})
        press(page, "Continue")
        window.illustrate("bill-run-preflight")
        assert facts(page)["Customers to bill"] == str(CUSTOMERS)

        follow(page, "Calculate")
        press(page, "Calculate")
        expect(page.get_by_text(f"0 of {CUSTOMERS}")).to_be_visible()
        with running_worker(tmp_path):
            expect(page.get_by_text("Review", exact=True)).to_be_visible(timeout=SOON)
            expect(page.get_by_role("cell", name="14,280.00 EUR").first).to_be_visible()
            window.illustrate("bill-run-review")
            follow(page, "Approve")
            expect(page.get_by_role("cell", name="14,280.00 EUR")).to_be_visible()
            press(page, "Approve all estimates")
            follow(page, "Issue")
            press(page, "Issue the approved invoices")
            expect(page.get_by_text("Issued", exact=True)).to_be_visible(timeout=SOON)

        follow(page, "Invoices of that day")
        expect(page.get_by_role("cell", name="119.00 EUR").first).to_be_visible()
        window.illustrate("invoices")
        run = BillRun.objects.get()
        assert (run.state, run.period_from) == (BillRun.State.ISSUED, date(2026, 10, 1))
        invoices = Invoice.objects.filter(state=Invoice.State.ISSUED)
        assert invoices.count() == CUSTOMERS
        assert {invoice.gross_amount for invoice in invoices} == {Decimal(119)}
        assert window.complaints == []
