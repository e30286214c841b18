from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from cdr.models import LegKind, PartyKind
from common.money import ZERO
from common.scope import Scope
from customers.models import Customer
from reports.selectors.wholesale import Margin, margins, wholesale
from resellers.models import Reseller
from tests.factories import make_customer, make_provider, make_reseller
from tests.factories.billing import make_usage
from tests.reports.worlds import OCTOBER

pytestmark = pytest.mark.django_db
VENDOR: dict[str, Any] = {"kind": LegKind.VENDOR, "payee_kind": PartyKind.VENDOR, "payee_id": 1}


@pytest.fixture
def sub() -> Reseller:
    """A sub-reseller of Root in billing mode."""
    root = make_reseller(make_provider(name="Aurora"), number=1, organisation="Root")
    return make_reseller(root.provider, parent=root, number=2, organisation="Sub")


@pytest.fixture
def customer(sub: Reseller) -> Customer:
    """Pays 0.10 for a call that costs Sub 0.06; Root pays its vendor 0.04 for it."""
    assert sub.parent is not None
    customer = make_customer(sub.provider, sub)
    make_usage(customer, "0.10")
    make_usage(sub, "0.06")
    make_usage(sub.parent, "0.04", **VENDOR)
    return customer


def parts(row: Margin) -> str:
    amounts = [getattr(row, name) for name in row.__dataclass_fields__ if name.endswith("_amount")]
    return " ".join(f"{amount:.2f}" for amount in amounts)


class TestWholesale:
    def test_shows_a_leg_to_the_one_who_pays_and_the_one_who_is_paid(
        self, sub: Reseller, customer: Customer
    ) -> None:
        root, payer = wholesale(Scope.system(sub.provider_id), OCTOBER)

        assert (root.reseller, root.owed_count, root.owed_volume) == ("Root", 1, 60)
        assert [root.owed_amount, root.charged_amount] == [Decimal("0.06"), 0]
        assert (payer.reseller, payer.charged_count, payer.charged_volume) == ("Sub", 1, 60)
        assert [payer.owed_amount, payer.charged_amount] == [0, Decimal("0.06")]
        assert (payer.day, payer.destination) == (date(2026, 10, 15), "Germany")
        assert (payer.volume_unit, payer.currency) == ("second", "EUR")

    def test_keeps_days_destinations_and_currencies_apart(self, sub: Reseller) -> None:
        make_usage(sub, "1", day=date(2026, 10, 1))
        make_usage(sub, "2", day=date(2026, 10, 31))
        make_usage(sub, "4", day=date(2026, 10, 31))
        make_usage(sub, "8", day=date(2026, 10, 31), destination="France")
        make_usage(sub, "16", day=date(2026, 10, 31), currency="USD")
        make_usage(sub, "32", day=date(2026, 11, 1))

        rows = wholesale(Scope.system(sub.provider_id), OCTOBER)

        assert [
            (row.day.day, row.destination, row.currency, int(row.charged_amount))
            for row in rows
            if row.charged_count
        ] == [
            (1, "Germany", "EUR", 1),
            (31, "France", "EUR", 8),
            (31, "Germany", "EUR", 6),
            (31, "Germany", "USD", 16),
        ]

    def test_shows_nothing_of_another_provider(self, customer: Customer) -> None:
        other = make_provider()

        assert wholesale(Scope.system(other.pk), OCTOBER) == []
        assert margins(Scope.system(other.pk), OCTOBER) == []


class TestMargins:
    def test_leave_the_difference_with_each_party(self, sub: Reseller, customer: Customer) -> None:
        direct = make_customer(sub.provider)
        make_usage(direct, "0.05")
        make_usage(direct, "0.03", **VENDOR, payer_kind=PartyKind.PROVIDER, payer_id=0)

        rows = margins(Scope.system(sub.provider_id), OCTOBER)

        # From customers, from resellers, to resellers or provider, to vendors, margin.
        assert {row.party: parts(row) for row in rows} == {
            "Aurora": "0.05 0.00 0.00 0.03 0.02",
            "Root": "0.00 0.06 0.00 0.04 0.02",
            "Sub": "0.10 0.00 0.06 0.00 0.04",
        }
        assert [row.party for row in rows] == ["Aurora", "Root", "Sub"]
        assert sum((row.margin_amount for row in rows), ZERO) == Decimal("0.15") - Decimal("0.07")
        assert {(row.month, row.currency) for row in rows} == {("2026-10", "EUR")}
