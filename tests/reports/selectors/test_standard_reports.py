from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from common.periods import Period, month
from common.scope import Scope, Surface
from customers.models import Customer
from reports.selectors.acquisition import acquired_customers, acquisition
from reports.selectors.payouts import reseller_payouts
from reports.selectors.sales import direct_sales, reseller_sales
from resellers.models import Reseller
from tests.factories import make_code, make_customer, make_provider, make_reseller
from tests.factories.payouts import credit, day, issue
from tests.reports.worlds import NOVEMBER, OCTOBER, World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    make_world("borealis", 7)
    return make_world("aurora", 1)


def scope_of(world: World) -> Scope:
    return Scope.system(world.provider.pk)


def plain(*amounts: Decimal) -> str:
    return " ".join(f"{amount:.2f}" for amount in amounts)


class TestResellerSales:
    def test_rolls_up_the_tree_and_keeps_currencies_apart(self, world: World) -> None:
        rows = reseller_sales(scope_of(world), OCTOBER)

        assert [
            (row.reseller, row.currency, plain(row.net_amount, row.branch_amount)) for row in rows
        ] == [
            ("Meridian", "EUR", "1000.00 1400.00"),
            ("Meridian", "USD", "80.00 80.00"),
            ("Solstice", "EUR", "400.00 400.00"),
            ("Zenith", "EUR", "300.00 300.00"),
        ]
        assert rows[2].parent == "Meridian"
        assert rows[2].codes == "SOLSTICE-aurora"
        assert plain(rows[2].invoiced_amount, rows[2].credited_amount) == "500.00 100.00"

    def test_counts_a_credit_note_in_the_month_it_was_issued(self, world: World) -> None:
        rows = reseller_sales(scope_of(world), NOVEMBER)

        assert [
            (row.reseller, row.currency, row.invoice_count, plain(row.net_amount)) for row in rows
        ] == [
            ("Meridian", "EUR", 1, "400.00"),
            ("Meridian", "USD", 0, "-10.00"),
            ("Zenith", "EUR", 0, "-300.00"),
        ]

    def test_gives_each_month_of_a_longer_period_its_own_rows(self, world: World) -> None:
        both = Period(OCTOBER.from_date, NOVEMBER.to_date)

        rows = reseller_sales(scope_of(world), both)

        apart = [reseller_sales(scope_of(world), period) for period in (OCTOBER, NOVEMBER)]
        assert rows == [*apart[0], *apart[1]]

    def test_goes_by_the_tag_on_the_invoice_date(self) -> None:
        reseller = make_reseller(make_provider())
        customer = make_customer(reseller.provider, reseller)
        invoice = issue(customer, at=day(10, 1), tagged_reseller=None)
        credit(invoice, "100", "18", at=day(10, 2))

        scope = Scope.system(reseller.provider_id)
        assert reseller_sales(scope, OCTOBER) == []
        assert plain(direct_sales(scope, OCTOBER)[0].net_amount) == "900.00"

    def test_shows_a_reseller_with_sales_of_its_branch_only(self) -> None:
        top = make_reseller(make_provider(), number=1)
        sub = make_reseller(top.provider, parent=top, number=2)
        issue(make_customer(top.provider, sub), at=day(10, 1))

        rows = reseller_sales(Scope.system(top.provider_id), OCTOBER)

        assert [plain(row.net_amount, row.branch_amount) for row in rows] == [
            "0.00 1000.00",
            "1000.00 1000.00",
        ]

    def test_shows_a_reseller_nothing(self, world: World) -> None:
        scope = Scope(world.provider.pk, Surface.RESELLER_PORTAL, reseller_id=world.top.pk)

        assert reseller_sales(scope, OCTOBER) == []
        assert reseller_payouts(scope, OCTOBER) == []


class TestDirectSales:
    def test_is_the_rest(self, world: World) -> None:
        october, november = (
            direct_sales(scope_of(world), period) for period in (OCTOBER, NOVEMBER)
        )

        assert [(row.currency, plain(row.net_amount)) for row in october] == [("EUR", "200.00")]
        [row] = november
        assert plain(row.invoiced_amount, row.credited_amount, row.net_amount) == (
            "50.00 20.00 30.00"
        )


class TestResellerPayouts:
    def test_follows_commission_from_accrual_to_payment(self, world: World) -> None:
        both = Period(OCTOBER.from_date, NOVEMBER.to_date)

        rows = reseller_payouts(scope_of(world), both)

        # Opening, accrued, clawed back, settled, outstanding.
        assert [
            (
                row.month,
                row.reseller,
                row.currency,
                plain(
                    row.opening_amount,
                    row.accrued_amount,
                    row.clawed_back_amount,
                    row.settled_amount,
                    row.outstanding_amount,
                ),
            )
            for row in rows
        ] == [
            # 595 and 119 of 1190 collected: net 500 and 100.
            ("2026-10", "Meridian", "EUR", "0.00 60.00 0.00 0.00 60.00"),
            ("2026-10", "Meridian", "USD", "0.00 8.00 0.00 0.00 8.00"),
            # 20 % of 500 invoiced, less 20 % of 100 credited.
            ("2026-10", "Solstice", "EUR", "0.00 100.00 -20.00 0.00 80.00"),
            ("2026-11", "Meridian", "EUR", "60.00 0.00 -10.00 60.00 -10.00"),
            ("2026-11", "Meridian", "USD", "8.00 0.00 -1.00 8.00 -1.00"),
            ("2026-11", "Solstice", "EUR", "80.00 0.00 0.00 80.00 0.00"),
        ]

    def test_carries_what_is_outstanding_into_months_without_movement(self, world: World) -> None:
        rows = reseller_payouts(scope_of(world), month(2027, 2))

        assert [(row.reseller, row.currency, row.outstanding_amount) for row in rows] == [
            ("Meridian", "EUR", Decimal(-10)),
            ("Meridian", "USD", Decimal(-1)),
        ]


@pytest.fixture
def reseller() -> Reseller:
    """With two codes, in a provider whose zone is two hours ahead of UTC in summer."""
    reseller = make_reseller(make_provider(), number=5, organisation="Zenith")
    for code in ("FAIR", "ZENITH"):
        make_code(reseller, code)
    return reseller


def join(reseller: Reseller, code: str, created_at: datetime, **fields: object) -> Customer:
    return make_customer(
        reseller.provider,
        reseller,
        reseller_code=reseller.codes.get(code=code),
        created_at=created_at,
        **fields,
    )


class TestAcquiredCustomers:
    def test_lists_tagged_customers_by_the_providers_calendar(self, reseller: Reseller) -> None:
        join(reseller, "FAIR", datetime(2026, 9, 30, 21, 59, tzinfo=UTC))
        first = join(
            reseller,
            "ZENITH",
            datetime(2026, 9, 30, 22, tzinfo=UTC),
            number=12,
            channel=Customer.Channel.SIGN_UP,
        )
        join(reseller, "FAIR", day(10, 31), number=13, state=Customer.State.DRAFT)
        make_customer(reseller.provider, created_at=day(10, 5))
        other = make_reseller(make_provider())
        make_customer(other.provider, other, created_at=day(10, 5))
        issue(first, at=day(11, 2), number="INV-2")
        issue(first, at=day(10, 2), number="INV-1")

        rows = acquired_customers(Scope.system(reseller.provider_id), OCTOBER)

        assert [(row.customer_number, row.code, row.created_date, row.state) for row in rows] == [
            (12, "ZENITH", date(2026, 10, 1), "Active"),
            (13, "FAIR", date(2026, 10, 31), "Draft"),
        ]
        assert (rows[0].first_invoice, rows[0].first_invoice_date) == ("INV-1", date(2026, 10, 2))
        assert (rows[1].first_invoice, rows[1].first_invoice_date) == ("", None)
        assert (rows[0].reseller_number, rows[0].channel) == (5, "Sign up")


class TestAcquisition:
    def test_counts_who_came_who_stayed_and_who_left(self, reseller: Reseller) -> None:
        gone = {"state": Customer.State.TERMINATED, "terminated_at": day(11, 10)}
        join(reseller, "FAIR", day(9, 5))
        billed = join(reseller, "FAIR", day(10, 5), **gone)
        join(reseller, "FAIR", day(10, 6))
        join(reseller, "ZENITH", day(11, 6))
        make_customer(reseller.provider, created_at=day(10, 5))
        issue(billed, at=day(11, 1))
        issue(billed, at=day(11, 2))

        both = Period(OCTOBER.from_date, NOVEMBER.to_date)
        rows = acquisition(Scope.system(reseller.provider_id), both)

        # Acquired, of those invoiced, terminated, customers at the end of the month.
        assert [
            (
                row.month,
                row.code,
                row.acquired_count,
                row.invoiced_count,
                row.terminated_count,
                row.customer_count,
            )
            for row in rows
        ] == [
            ("2026-10", "FAIR", 2, 1, 0, 3),
            ("2026-11", "FAIR", 0, 0, 1, 2),
            ("2026-11", "ZENITH", 1, 0, 0, 1),
        ]
