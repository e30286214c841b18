"""What the database itself refuses, to the owner of the tables too."""

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError

from ledger.models import Account, Transfer
from tests.factories import make_provider
from tests.ledger.books import WALLET, post_all, posting

OPENED_WITH_MONEY = """
    INSERT INTO ledger_account (provider_id, kind, owner, currency, balance)
    SELECT provider_id, 'TAX', '', 'EUR', 1 FROM ledger_account LIMIT 1
"""

pytestmark = pytest.mark.django_db


def run(sql: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


class TestTheBooks:
    @pytest.fixture(autouse=True)
    def one_payment(self) -> None:
        self.provider = make_provider()
        (self.transfer,) = post_all(self.provider, posting("10"))
        connection.check_constraints()

    @pytest.mark.parametrize(
        "sql",
        [
            "UPDATE ledger_transfer SET amount = 11",
            "UPDATE ledger_transfer SET document = 'payment:2'",
            "DELETE FROM ledger_transfer",
            "TRUNCATE ledger_transfer CASCADE",
        ],
    )
    def test_keep_every_transfer_as_it_was(self, sql: str) -> None:
        with pytest.raises(IntegrityError, match="ledger_transfer is append-only"):
            run(sql)

        assert Transfer.objects.get().amount == 10

    @pytest.mark.parametrize(
        "sql",
        [
            "UPDATE ledger_account SET balance = balance + 1",
            "UPDATE ledger_account SET currency = 'USD'",
            "DELETE FROM ledger_account",
            OPENED_WITH_MONEY,
        ],
    )
    def test_change_accounts_by_transfers_only(self, sql: str) -> None:
        before = list(Account.objects.order_by("pk").values())

        with pytest.raises(IntegrityError, match="changes by transfers only"):
            run(sql)

        assert list(Account.objects.order_by("pk").values()) == before

    def test_keep_balances_for_a_transfer_that_no_service_made(self) -> None:
        run(self.insert(amount="5"))

        assert sorted(Account.objects.values_list("balance", flat=True)) == [-15, 15]

    def test_hold_no_overdrawn_wallet_whoever_posts(self) -> None:
        with pytest.raises(IntegrityError, match="wallet_never_overdrawn"):
            run(self.insert(amount="10.01", debit="credit_id", credit="debit_id"))

        assert Account.objects.get(kind=WALLET.kind).balance == -10

    def test_hold_one_reversal_of_a_transfer(self) -> None:
        reversal = self.insert(amount="5", debit="credit_id", credit="debit_id", reverses="id")
        run(reversal)

        with pytest.raises(IntegrityError, match="reverses_id"):
            run(reversal.replace("key-1", "key-2"))

        assert Transfer.objects.count() == 2

    def test_hold_one_transfer_per_key(self) -> None:
        run(self.insert(amount="5"))

        with pytest.raises(IntegrityError, match="transfer_once_per_key"):
            run(self.insert(amount="5"))

        assert Transfer.objects.count() == 2

    def test_move_nothing_between_two_providers(self) -> None:
        (foreign,) = post_all(make_provider(), posting("10"))
        insert = self.insert(amount="5", debit=str(foreign.debit_id))

        with pytest.raises(IntegrityError, match="same_provider"):
            run(f"{insert}; SET CONSTRAINTS ALL IMMEDIATE")

    def insert(
        self,
        *,
        amount: str,
        debit: str = "debit_id",
        credit: str = "credit_id",
        reverses: str = "NULL",
    ) -> str:
        """Hand-written SQL for a transfer like the payment."""
        return (
            "INSERT INTO ledger_transfer (provider_id, debit_id, credit_id, amount, kind, document,"
            " idempotency_key, reverses_id, effective_date, recorded_at)"
            f" SELECT provider_id, {debit}, {credit}, {amount}, kind, document, 'key-1',"
            f" {reverses}, effective_date, recorded_at"
            f" FROM ledger_transfer WHERE id = {self.transfer.pk}"
        )
