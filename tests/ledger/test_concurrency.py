"""Many connections at once: nothing overspends, nothing deadlocks, everything adds up."""

from collections import Counter
from decimal import Decimal
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.scope import Scope
from ledger import selectors
from ledger.models import AccountKind, Transfer
from ledger.services import (
    AccountRef,
    NothingToReverse,
    Posting,
    WalletOverdrawn,
    customer_receivable,
    customer_wallet,
    reverse,
)
from tenancy.models import Provider
from tests.factories import make_provider
from tests.ledger.books import (
    AT,
    BANK,
    DAY,
    REVENUE,
    WALLET,
    at_the_same_time,
    post_all,
    posting,
)

pytestmark = pytest.mark.django_db(transaction=True)

THREADS = 6
ACCOUNTS = [
    BANK,
    REVENUE,
    AccountRef(AccountKind.TAX, "EUR"),
    *(customer_wallet(owner, "EUR") for owner in (1, 2)),
    *(customer_receivable(owner, "EUR") for owner in (1, 2)),
]
AMOUNTS = st.decimals(min_value="0.0001", max_value=50, places=4)
MOVES = st.tuples(st.permutations(ACCOUNTS).map(lambda refs: refs[:2]), AMOUNTS)
CALLS = st.lists(st.lists(MOVES, min_size=1, max_size=4), min_size=THREADS, max_size=THREADS)


def balance(provider: Provider, ref: AccountRef) -> Decimal:
    scope = Scope.system(provider.pk)
    return selectors.balance(scope, kind=ref.kind, currency=ref.currency, owner=ref.owner)


class TestPostingAtTheSameTime:
    def test_spends_a_wallet_only_once(self) -> None:
        provider = make_provider()
        post_all(provider, posting("10"))
        spend = [
            partial(
                post_all, provider, posting("4", debit=WALLET, credit=REVENUE, key=f"spend:{n}")
            )
            for n in range(THREADS)
        ]

        outcomes = at_the_same_time(spend)

        refused = [outcome for outcome in outcomes if isinstance(outcome, WalletOverdrawn)]
        assert len(refused) == THREADS - 2
        assert balance(provider, WALLET) == -2
        assert balance(provider, REVENUE) == -8

    def test_records_one_key_once(self) -> None:
        provider = make_provider()

        outcomes = at_the_same_time([partial(post_all, provider, posting("4"))] * THREADS)

        assert len({outcome[0].pk for outcome in outcomes if isinstance(outcome, list)}) == 1
        assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
        assert Transfer.objects.count() == 1
        assert balance(provider, WALLET) == -4

    def test_reverses_once(self) -> None:
        provider = make_provider()
        (transfer,) = post_all(provider, posting("4"))
        post_all(provider, posting("100", key="more"))
        undo = partial(
            reverse,
            transfer=transfer,
            document="reversal:1",
            effective_date=DAY,
            at=AT,
            actor_id=None,
        )

        outcomes = at_the_same_time([undo] * THREADS)

        refused = [outcome for outcome in outcomes if isinstance(outcome, NothingToReverse)]
        assert len(refused) == THREADS - 1
        assert balance(provider, WALLET) == -100

    @settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(calls=CALLS, opening=AMOUNTS)
    def test_keeps_the_books_whatever_is_moved(
        self, calls: list[list[tuple[list[AccountRef], Decimal]]], opening: Decimal
    ) -> None:
        provider = make_provider()
        for owner in (1, 2):
            wallet = customer_wallet(owner, "EUR")
            post_all(provider, posting(str(opening), credit=wallet, key=f"opening:{owner}"))
        postings = [
            [
                posting(str(amount), debit=debit, credit=credit, key=f"{call}:{move}")
                for move, ((debit, credit), amount) in enumerate(moves)
            ]
            for call, moves in enumerate(calls)
        ]

        outcomes = at_the_same_time([partial(post_all, provider, *call) for call in postings])

        assert {type(outcome) for outcome in outcomes} <= {list, WalletOverdrawn}
        recorded = [
            move
            for call, outcome in zip(postings, outcomes, strict=True)
            if isinstance(outcome, list)
            for move in call
        ]
        self.assert_books(provider, recorded, opening)

    def assert_books(self, provider: Provider, recorded: list[Posting], opening: Decimal) -> None:
        """Balances are exactly what the accepted calls moved, wallets hold money, sums are zero."""
        expected: Counter[AccountRef] = Counter()
        for owner in (1, 2):
            expected[BANK] += opening  # type: ignore[assignment]  # a Counter adds Decimals too
            expected[customer_wallet(owner, "EUR")] -= opening  # type: ignore[assignment]
        for move in recorded:
            expected[move.debit] += move.amount  # type: ignore[assignment]
            expected[move.credit] -= move.amount  # type: ignore[assignment]
        for ref in ACCOUNTS:
            assert balance(provider, ref) == expected[ref]
            assert ref.kind != AccountKind.CUSTOMER_WALLET or expected[ref] <= 0
        scope = Scope.system(provider.pk)
        assert [trial.total for trial in selectors.trial_balances(scope)] == [0]
        assert selectors.ledger_faults(scope) == []
