import pytest
from django.db import connection

from common.faults import Fault
from common.scope import Scope
from ledger import selectors, services
from ledger.models import Account
from tests.factories import make_provider
from tests.ledger.books import AT, BANK, DAY, REVENUE, WALLET, post_all, posting
from tests.tampering import tamper

pytestmark = pytest.mark.django_db


class TestLedgerFaults:
    """Two providers with sound books; then somebody who owns the tables tampers with one."""

    @pytest.fixture(autouse=True)
    def two_sound_books(self) -> None:
        self.provider, self.other = make_provider(), make_provider()
        for provider in (self.provider, self.other):
            paid, _ = post_all(
                provider,
                posting("10.00", key="in"),
                posting("4.00", debit=WALLET, credit=REVENUE, key="out"),
            )
            post_all(provider, posting("90.00", key="more"))
            services.reverse(
                transfer=paid, document="reversal:1", effective_date=DAY, at=AT, actor_id=None
            )

    def faults(self) -> list[Fault]:
        assert selectors.ledger_faults(Scope.system(self.other.pk)) == []
        return selectors.ledger_faults(Scope.system(self.provider.pk))

    def test_are_none_in_sound_books(self) -> None:
        assert self.faults() == []
        assert selectors.trial_balances(Scope.system(self.provider.pk)) == [
            selectors.TrialBalance("EUR", account_count=3, total=0)  # type: ignore[arg-type]
        ]

    def test_show_a_balance_that_was_changed_by_hand(self) -> None:
        account = Account.objects.get(provider=self.provider, kind=BANK.kind)

        tamper(
            "ledger_account",
            f"UPDATE ledger_account SET balance = balance + 0.0001 WHERE id = {account.pk}",
        )

        assert self.faults() == [
            Fault("balance = sum of transfers", "account BANK  EUR", "90.0000", "90.0001"),
            Fault("trial balance is zero", "EUR", "0", "0.0001"),
        ]

    def test_show_a_transfer_that_went_missing(self) -> None:
        tamper(
            "ledger_transfer",
            "DELETE FROM ledger_transfer WHERE idempotency_key = 'out'"
            f" AND provider_id = {self.provider.pk}",
        )

        assert [(fault.where, fault.expected, fault.found) for fault in self.faults()] == [
            ("account CUSTOMER_WALLET 1 EUR", "-90.0000", "-86.0000"),
            ("account REVENUE  EUR", "0", "-4.0000"),
        ]

    def test_show_a_wallet_that_owes(self) -> None:
        connection.check_constraints()
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE ledger_account DROP CONSTRAINT wallet_never_overdrawn")
        tamper(
            "ledger_account",
            "UPDATE ledger_account SET balance = 1 WHERE kind = 'CUSTOMER_WALLET'"
            f" AND provider_id = {self.provider.pk}",
        )

        assert (
            Fault("wallet holds money", "account CUSTOMER_WALLET 1 EUR", "0 or a credit", "1.0000")
            in self.faults()
        )

    def test_show_a_reversal_of_another_amount(self) -> None:
        tamper(
            "ledger_transfer",
            "UPDATE ledger_transfer SET amount = 9 WHERE kind = 'REVERSAL'"
            f" AND provider_id = {self.provider.pk}",
        )

        assert [fault.what for fault in self.faults()] == [
            "balance = sum of transfers",
            "balance = sum of transfers",
            "reversal mirrors its transfer",
        ]


class TestTransfers:
    def test_are_those_of_the_document_in_order(self) -> None:
        provider, other = make_provider(), make_provider()
        post_all(other, posting("1"))
        first, second = post_all(provider, posting("1", key="a"), posting("2", key="b"))

        found = selectors.transfers(Scope.system(provider.pk), document="payment:1")

        assert list(found) == [first, second]
