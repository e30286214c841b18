from dataclasses import replace
from decimal import Decimal

import pytest
from django.db.utils import IntegrityError

from common.scope import Scope
from ledger import selectors, services
from ledger.models import Account, AccountKind, Transfer, TransferKind
from ledger.services import AccountRef, customer_wallet
from tenancy.models import Provider
from tests.factories import make_provider, make_user
from tests.ledger.books import AT, BANK, DAY, REVENUE, WALLET, post_all, posting

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider() -> Provider:
    return make_provider()


def balance(provider: Provider, ref: AccountRef) -> Decimal:
    scope = Scope.system(provider.pk)
    return selectors.balance(scope, kind=ref.kind, currency=ref.currency, owner=ref.owner)


def reverse(transfer: Transfer) -> Transfer:
    return services.reverse(
        transfer=transfer, document="reversal:1", effective_date=DAY, at=AT, actor_id=None
    )


class TestPost:
    def test_adds_to_one_account_what_it_takes_from_the_other(self, provider: Provider) -> None:
        actor = make_user()

        (transfer,) = services.post(
            provider_id=provider.pk,
            postings=[posting("679000.00")],
            effective_date=DAY,
            at=AT,
            actor_id=actor.pk,
        )

        assert balance(provider, BANK) == Decimal("679000.00")
        assert balance(provider, WALLET) == Decimal("-679000.00")
        transfer.refresh_from_db()
        assert transfer.amount == Decimal("679000.0000")
        assert transfer.effective_date == DAY
        assert transfer.recorded_at == AT
        assert transfer.actor == actor

    def test_keeps_every_provider_its_own_books(self, provider: Provider) -> None:
        other = make_provider()
        post_all(provider, posting("10"))

        post_all(other, posting("3"))

        assert balance(provider, BANK) == 10
        assert balance(other, BANK) == 3

    def test_moves_nothing_twice_for_one_key(self, provider: Provider) -> None:
        first = post_all(provider, posting("10", key="payment:1"))

        again = post_all(provider, posting("10", key="payment:1"))

        assert again == first
        assert balance(provider, WALLET) == -10
        assert Transfer.objects.count() == 1

    def test_moves_nothing_twice_for_one_key_in_one_call(self, provider: Provider) -> None:
        first, second = post_all(
            provider, posting("10", key="payment:1"), posting("10", key="payment:1")
        )

        assert first == second
        assert balance(provider, WALLET) == -10

    def test_records_only_what_is_new_among_known_keys(self, provider: Provider) -> None:
        (known,) = post_all(provider, posting("10", key="payment:1"))

        transfers = post_all(
            provider, posting("5", key="payment:2"), posting("10", key="payment:1")
        )

        assert transfers[1] == known
        assert balance(provider, WALLET) == -15

    @pytest.mark.parametrize(
        "other", [posting("11", key="one"), posting("10", debit=REVENUE, key="one")]
    )
    def test_refuses_a_key_that_moved_something_else(
        self, provider: Provider, other: services.Posting
    ) -> None:
        post_all(provider, posting("10", key="one"))

        with pytest.raises(services.KeyReused):
            post_all(provider, posting("1", key="two"), other)

        assert balance(provider, WALLET) == -10
        assert Transfer.objects.count() == 1

    def test_lets_money_come_and_go_in_one_call(self, provider: Provider) -> None:
        post_all(
            provider,
            posting("10", key="in"),
            posting("10", debit=WALLET, credit=REVENUE, key="out"),
        )

        assert balance(provider, WALLET) == 0
        assert balance(provider, REVENUE) == -10

    def test_refuses_to_take_more_from_a_wallet_than_it_holds(self, provider: Provider) -> None:
        post_all(provider, posting("10"))

        with pytest.raises(services.WalletOverdrawn, match=r"holds 10\.0000 EUR, less than 10\.01"):
            post_all(
                provider,
                posting("1", debit=BANK, credit=REVENUE, key="first"),
                posting("10.01", debit=WALLET, credit=REVENUE, key="second"),
            )

        assert balance(provider, WALLET) == -10
        assert balance(provider, REVENUE) == 0
        assert Transfer.objects.count() == 1

    @pytest.mark.parametrize("amount", ["0", "-1"])
    def test_refuses_amounts_that_move_nothing(self, provider: Provider, amount: str) -> None:
        with pytest.raises(IntegrityError, match="transfer_amount_positive"):
            post_all(provider, posting(amount, credit=REVENUE))

    def test_refuses_to_mix_currencies(self, provider: Provider) -> None:
        dollars = replace(posting("1"), credit=customer_wallet(1, "USD"))

        with pytest.raises(IntegrityError, match="two accounts of one currency"):
            post_all(provider, dollars)

    def test_refuses_an_account_against_itself(self, provider: Provider) -> None:
        with pytest.raises(IntegrityError, match="transfer_between_two_accounts"):
            post_all(provider, posting("1", debit=BANK, credit=BANK))


class TestReverse:
    def test_moves_the_same_back_and_says_so(self, provider: Provider) -> None:
        (transfer,) = post_all(provider, posting("10"))

        contra = reverse(transfer)

        assert contra.reverses == transfer
        assert contra.kind == TransferKind.REVERSAL
        assert (contra.debit, contra.credit) == (transfer.credit, transfer.debit)
        assert balance(provider, BANK) == 0
        assert balance(provider, WALLET) == 0

    def test_happens_once(self, provider: Provider) -> None:
        (transfer,) = post_all(provider, posting("10"))
        post_all(provider, posting("10", key="another"))
        reverse(transfer)

        with pytest.raises(services.NothingToReverse, match="was reversed before"):
            reverse(transfer)

        assert balance(provider, WALLET) == -10

    def test_is_not_reversed_itself(self, provider: Provider) -> None:
        (transfer,) = post_all(provider, posting("10"))
        contra = reverse(transfer)

        with pytest.raises(services.NothingToReverse, match="is a reversal"):
            reverse(contra)

        assert balance(provider, WALLET) == 0

    def test_refuses_when_the_money_has_left_the_wallet(self, provider: Provider) -> None:
        (transfer,) = post_all(provider, posting("10"))
        post_all(provider, posting("4", debit=WALLET, credit=REVENUE, key="spent"))

        with pytest.raises(services.WalletOverdrawn):
            reverse(transfer)

        assert balance(provider, WALLET) == -6
        assert not Transfer.objects.filter(reverses=transfer).exists()


class TestAccounts:
    def test_are_opened_with_the_transfer_that_first_needs_them(self, provider: Provider) -> None:
        post_all(provider, posting("10"))
        post_all(provider, posting("20"))

        assert [str(account) for account in selectors.accounts(Scope.system(provider.pk))] == [
            "BANK  EUR",
            "CUSTOMER_WALLET 1 EUR",
        ]

    def test_of_two_owners_are_two(self, provider: Provider) -> None:
        post_all(provider, posting("10"), posting("5", credit=customer_wallet(2, "EUR")))

        wallets = Account.objects.filter(kind=AccountKind.CUSTOMER_WALLET).order_by("owner")
        assert [wallet.balance for wallet in wallets] == [-10, -5]
