"""Short ways to post in tests, and to act at the same time."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TypeVar

from django.db import connection

from ledger.models import AccountKind, Transfer, TransferKind
from ledger.services import AccountRef, Posting, customer_wallet, post
from tenancy.models import Provider

AT = datetime(2026, 10, 1, 9, tzinfo=UTC)
DAY = date(2026, 10, 1)
BANK = AccountRef(AccountKind.BANK, "EUR")
REVENUE = AccountRef(AccountKind.REVENUE, "EUR")
WALLET = customer_wallet(1, "EUR")

_T = TypeVar("_T")


def posting(
    amount: str, debit: AccountRef = BANK, credit: AccountRef = WALLET, **fields: str
) -> Posting:
    """A payment of `amount` into the wallet unless told otherwise."""
    key = fields.pop("key", f"payment:{amount}")
    return Posting(
        debit=debit,
        credit=credit,
        amount=Decimal(amount),
        kind=TransferKind.PAYMENT,
        document="payment:1",
        key=key or f"payment:{amount}",
    )


def post_all(provider: Provider, *postings: Posting) -> list[Transfer]:
    return post(
        provider_id=provider.pk, postings=postings, effective_date=DAY, at=AT, actor_id=None
    )


def at_the_same_time(calls: Sequence[Callable[[], _T]]) -> list[_T | Exception]:
    """What each call returned or raised, all started together on connections of their own."""
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], _T]) -> _T | Exception:
        try:
            connection.ensure_connection()
            start.wait(timeout=30)
            return call()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))
