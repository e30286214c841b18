"""The reports say what the books say, by month and currency."""

from collections import defaultdict
from datetime import date
from decimal import Decimal

import pytest
from django.db.models import Q

from common.periods import Period
from common.scope import Scope
from ledger.models import Account, AccountKind, Transfer, TransferKind
from ledger.selectors import ledger_faults
from reports.selectors.collected import collections, taxes
from reports.selectors.customer_money import wallet_holdings
from reports.selectors.payouts import reseller_payouts
from reports.selectors.receivables import aged_receivables
from reports.selectors.sales import direct_sales, reseller_sales
from tenancy.models import Provider
from tests.reports.worlds import MONTHS, SEPTEMBER, World, make_world

pytestmark = pytest.mark.django_db
WHOLE = Period(MONTHS[0].from_date, MONTHS[-1].to_date)
# In the middle of payments, credit notes and a reversal.
DAYS = (date(2026, 10, 11), date(2026, 10, 21), date(2026, 11, 5), date(2026, 11, 8))
ByCurrency = dict[str, Decimal]


@pytest.fixture
def worlds() -> tuple[World, World]:
    return make_world("aurora", 1), make_world("borealis", 7)


def moved(
    provider: Provider, kind: AccountKind, period: Period, **conditions: object
) -> ByCurrency:
    """Credits less debits of the accounts of a kind in a period, by currency; without zeros."""
    transfers = Transfer.objects.filter(
        Q(debit__kind=kind) | Q(credit__kind=kind),
        provider=provider,
        effective_date__gte=period.from_date,
        effective_date__lt=period.to_date,
        **conditions,
    )
    sums: ByCurrency = defaultdict(Decimal)
    for transfer in transfers.select_related("debit", "credit"):
        sign = 1 if transfer.credit.kind == kind else -1
        sums[transfer.debit.currency] += sign * transfer.amount
    return {currency: amount for currency, amount in sums.items() if amount}


def summed(pairs: list[tuple[str, Decimal]]) -> ByCurrency:
    sums: ByCurrency = defaultdict(Decimal)
    for currency, amount in pairs:
        sums[currency] += amount
    return {currency: amount for currency, amount in sums.items() if amount}


def sales(provider: Provider, period: Period) -> ByCurrency:
    scope = Scope.system(provider.pk)
    tagged = [(row.currency, row.net_amount) for row in reseller_sales(scope, period)]
    direct = [(row.currency, row.net_amount) for row in direct_sales(scope, period)]
    return summed([*tagged, *direct])


class TestSales:
    def test_add_up_to_the_revenue_from_customers(self, worlds: tuple[World, World]) -> None:
        from_customers = Q(debit__kind=AccountKind.CUSTOMER_RECEIVABLE) | Q(
            credit__kind=AccountKind.CUSTOMER_RECEIVABLE
        )
        ids = list(Transfer.objects.filter(from_customers).values_list("pk", flat=True))
        for world in worlds:
            for period in (*MONTHS, WHOLE):
                revenue = moved(world.provider, AccountKind.REVENUE, period, pk__in=ids)

                assert sales(world.provider, period) == revenue

    def test_are_what_was_charged_less_what_was_credited(self, worlds: tuple[World, World]) -> None:
        aurora, borealis = worlds

        assert sales(aurora.provider, WHOLE) == {"EUR": 2030, "USD": 70}
        assert sales(borealis.provider, WHOLE) == {"EUR": 7 * 2030, "USD": 7 * 70}
        assert sales(aurora.provider, SEPTEMBER) == {}

    def test_leave_out_what_resellers_are_asked_to_settle(
        self, worlds: tuple[World, World]
    ) -> None:
        for world, scale in zip(worlds, (1, 7), strict=True):
            revenue = moved(world.provider, AccountKind.REVENUE, WHOLE)
            of_customers = sales(world.provider, WHOLE)

            assert revenue["EUR"] - of_customers["EUR"] == 90 * scale
            settled = moved(
                world.provider, AccountKind.REVENUE, WHOLE, kind__in=[TransferKind.SETTLEMENT_NET]
            )
            assert settled == {"EUR": 90 * scale}


class TestPayouts:
    def test_are_what_the_payables_moved_by_commission(self, worlds: tuple[World, World]) -> None:
        commission = [TransferKind.COMMISSION, TransferKind.COMMISSION_CLAWBACK]
        payout = [TransferKind.PAYOUT]
        for world in worlds:
            for period in (*MONTHS, WHOLE):
                rows = reseller_payouts(Scope.system(world.provider.pk), period)
                earned = summed(
                    [(row.currency, row.accrued_amount + row.clawed_back_amount) for row in rows]
                )
                settled = summed([(row.currency, -row.settled_amount) for row in rows])
                payable, expense = AccountKind.RESELLER_PAYABLE, AccountKind.COMMISSION_EXPENSE

                assert earned == moved(world.provider, payable, period, kind__in=commission)
                assert settled == moved(world.provider, payable, period, kind__in=payout)
                expenses = moved(world.provider, expense, period)
                assert earned == {currency: -amount for currency, amount in expenses.items()}

    def test_leave_outstanding_what_the_payables_hold_of_commission(
        self, worlds: tuple[World, World]
    ) -> None:
        kinds = [TransferKind.COMMISSION, TransferKind.COMMISSION_CLAWBACK, TransferKind.PAYOUT]
        for world in worlds:
            last = [
                row
                for row in reseller_payouts(Scope.system(world.provider.pk), WHOLE)
                if row.month == "2026-11"
            ]
            outstanding = summed([(row.currency, row.outstanding_amount) for row in last])

            payable = moved(world.provider, AccountKind.RESELLER_PAYABLE, WHOLE, kind__in=kinds)
            assert outstanding == payable
            expense = Account.objects.get(
                provider=world.provider, kind=AccountKind.COMMISSION_EXPENSE, currency="EUR"
            )
            assert expense.balance > 0


def until(period: Period) -> Period:
    """All there was by the period's end."""
    return Period(date(2026, 1, 1), period.to_date)


def added(one: ByCurrency, other: ByCurrency) -> ByCurrency:
    return summed([*one.items(), *other.items()])


class TestReceivables:
    def test_are_what_the_receivables_hold_on_any_day(self, worlds: tuple[World, World]) -> None:
        for world in worlds:
            for period in (*MONTHS, *(Period(MONTHS[0].from_date, day) for day in DAYS)):
                rows = aged_receivables(Scope.system(world.provider.pk), period)
                due = summed([(row.currency, -row.due_amount) for row in rows])

                assert due == added(
                    moved(world.provider, AccountKind.CUSTOMER_RECEIVABLE, until(period)),
                    moved(world.provider, AccountKind.RESELLER_RECEIVABLE, until(period)),
                )

    def test_are_something_in_the_end(self, worlds: tuple[World, World]) -> None:
        rows = aged_receivables(Scope.system(worlds[0].provider.pk), MONTHS[-1])

        assert {row.payer for row in rows} >= {"Meridian", "Solstice"}
        assert sum(row.due_amount for row in rows) > 0


class TestWallets:
    def test_hold_what_the_ledgers_wallets_hold_on_any_day(
        self, worlds: tuple[World, World]
    ) -> None:
        found = []
        for world in worlds:
            for period in (*MONTHS, *(Period(MONTHS[0].from_date, day) for day in DAYS)):
                rows = wallet_holdings(Scope.system(world.provider.pk), period)
                held = summed([(row.currency, row.held_amount) for row in rows])

                wallet = AccountKind.CUSTOMER_WALLET
                assert held == moved(world.provider, wallet, until(period))
                found.append(held)
        assert any(found)


class TestCollections:
    def test_are_what_the_bank_gained(self, worlds: tuple[World, World]) -> None:
        kinds = [TransferKind.PAYMENT, TransferKind.REVERSAL]
        for world in worlds:
            for period in (*MONTHS, WHOLE):
                rows = collections(Scope.system(world.provider.pk), period)
                net = summed([(row.currency, -row.net_amount) for row in rows])

                assert net == moved(world.provider, AccountKind.BANK, period, kind__in=kinds)

    def test_keep_what_came_in_apart_from_what_was_taken_back(
        self, worlds: tuple[World, World]
    ) -> None:
        october, november = (
            collections(Scope.system(worlds[0].provider.pk), period) for period in MONTHS[1:]
        )

        assert [(row.currency, row.received_amount, row.reversed_amount) for row in october] == [
            ("EUR", Decimal(952), Decimal(0)),
            ("USD", Decimal("95.2"), Decimal(0)),
        ]
        assert [(row.payment_count, row.reversal_count, row.net_amount) for row in november] == [
            (0, 1, Decimal(-119))
        ]


class TestTax:
    def test_is_what_the_tax_account_gained(self, worlds: tuple[World, World]) -> None:
        for world in worlds:
            for period in (*MONTHS, WHOLE):
                rows = taxes(Scope.system(world.provider.pk), period)
                net = summed([(row.currency, row.net_amount) for row in rows])

                assert net == moved(world.provider, AccountKind.TAX, period)

    def test_names_seller_tax_and_base(self, worlds: tuple[World, World]) -> None:
        rows = taxes(Scope.system(worlds[0].provider.pk), MONTHS[1])

        [euro] = [row for row in rows if row.currency == "EUR"]
        assert (euro.tax, euro.tax_percent) == ("VAT 19 %", Decimal(19))
        assert euro.base_amount == 2000 + 90
        assert (euro.invoiced_amount, euro.credited_amount) == (Decimal("397.1"), Decimal(19))


class TestTheBooks:
    def test_are_sound(self, worlds: tuple[World, World]) -> None:
        for world in worlds:
            assert ledger_faults(Scope.system(world.provider.pk)) == []
