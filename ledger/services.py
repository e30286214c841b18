"""Posting transfers; the database keeps the balances and refuses what the books may not hold."""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from common.errors import DomainError
from ledger.models import Account, AccountKind, Transfer, TransferKind


class NothingToReverse(DomainError):
    """The transfer was reversed before, or is itself a reversal; another one would be wrong."""


class KeyReused(DomainError):
    """An idempotency key names an earlier transfer that moved something else."""


class WalletOverdrawn(DomainError):
    """A wallet holds less than what was to be taken from it."""


@dataclass(frozen=True)
class AccountRef:
    """Names an account; it is opened with the first transfer that needs it."""

    kind: AccountKind
    currency: str
    owner: str = ""


@dataclass(frozen=True)
class Posting:
    """One movement to record: `amount` (> 0) to `debit` from `credit`.

    `document` names what caused it (`invoice:17`); `key` makes a repeated call harmless.
    """

    debit: AccountRef
    credit: AccountRef
    amount: Decimal
    kind: TransferKind
    document: str
    key: str


def customer_receivable(customer_id: int, currency: str) -> AccountRef:
    """What the customer owes on issued invoices."""
    return AccountRef(AccountKind.CUSTOMER_RECEIVABLE, currency, str(customer_id))


def customer_wallet(customer_id: int, currency: str) -> AccountRef:
    """What the customer paid that settles nothing yet (a credit balance)."""
    return AccountRef(AccountKind.CUSTOMER_WALLET, currency, str(customer_id))


def reseller_receivable(reseller_id: int, currency: str) -> AccountRef:
    """What the reseller owes on settlement invoices."""
    return AccountRef(AccountKind.RESELLER_RECEIVABLE, currency, str(reseller_id))


def reseller_payable(reseller_id: int, currency: str) -> AccountRef:
    """What the provider owes the reseller (a credit balance)."""
    return AccountRef(AccountKind.RESELLER_PAYABLE, currency, str(reseller_id))


@transaction.atomic
def post(
    *,
    provider_id: int,
    postings: Sequence[Posting],
    effective_date: date,
    at: datetime,
    actor_id: int | None,
) -> list[Transfer]:
    """Record the postings, all or none, and return their transfers in the same order.

    A posting whose key was recorded before returns the earlier transfer and moves nothing. All
    accounts are locked first, lowest id first, so that concurrent calls queue and never deadlock.

    :raises WalletOverdrawn: if a wallet would end below zero.
    :raises KeyReused: if a key was recorded before for another amount or other accounts.
    """
    accounts = _lock_accounts(provider_id, postings)
    known = _recorded(provider_id, [posting.key for posting in postings])
    transfers, new = [], []
    for posting in postings:
        transfer = known.get(posting.key)
        if transfer is None:
            transfer = _transfer(
                provider_id,
                posting,
                accounts,
                effective_date=effective_date,
                at=at,
                actor_id=actor_id,
            )
            known[posting.key] = transfer
            new.append(transfer)
        else:
            _refuse_other(transfer, posting, accounts)
        transfers.append(transfer)
    # In one statement: a bill run posts hundreds at a time.
    Transfer.objects.bulk_create(new)
    return transfers


@transaction.atomic
def reverse(
    *,
    transfer: Transfer,
    document: str,
    effective_date: date,
    at: datetime,
    actor_id: int | None,
) -> Transfer:
    """Record the same transfer the other way round, linked to it.

    :raises NothingToReverse: if it was reversed before, or is itself a reversal.
    :raises WalletOverdrawn: if the money has left the wallet since.
    """
    pair = Account.objects.filter(pk__in=[transfer.debit_id, transfer.credit_id])
    locked = {account.pk: account for account in pair.order_by("pk").select_for_update(no_key=True)}
    if transfer.reverses_id is not None:
        raise NothingToReverse(f"Transfer {transfer.pk} is a reversal; post a new one instead.")
    if Transfer.objects.filter(reverses=transfer).exists():
        raise NothingToReverse(f"Transfer {transfer.pk} was reversed before.")
    debit, credit = locked[transfer.credit_id], locked[transfer.debit_id]
    _refuse_overdraft(debit, transfer.amount)
    return Transfer.objects.create(
        provider_id=transfer.provider_id,
        debit=debit,
        credit=credit,
        amount=transfer.amount,
        kind=TransferKind.REVERSAL,
        document=document,
        idempotency_key=f"reversal:{transfer.pk}",
        reverses=transfer,
        effective_date=effective_date,
        recorded_at=at,
        actor_id=actor_id,
    )


def _recorded(provider_id: int, keys: Sequence[str]) -> dict[str, Transfer]:
    rows = Transfer.objects.filter(provider_id=provider_id, idempotency_key__in=keys)
    return {row.idempotency_key: row for row in rows}


def _lock_accounts(provider_id: int, postings: Sequence[Posting]) -> dict[AccountRef, Account]:
    wanted = {ref for posting in postings for ref in (posting.debit, posting.credit)}
    found = _account_ids(provider_id, wanted)
    if len(found) < len(wanted):
        _open_accounts(provider_id, wanted - found.keys())
        found = _account_ids(provider_id, wanted)
    locked = (
        Account.objects.filter(pk__in=found.values()).order_by("pk").select_for_update(no_key=True)
    )
    by_id = {row.pk: row for row in locked}
    return {ref: by_id[pk] for ref, pk in found.items()}


def _account_ids(provider_id: int, wanted: Set[AccountRef]) -> dict[AccountRef, int]:
    rows = Account.objects.filter(
        provider_id=provider_id,
        kind__in={ref.kind for ref in wanted},
        owner__in={ref.owner for ref in wanted},
        currency__in={ref.currency for ref in wanted},
    )
    found = {AccountRef(AccountKind(row.kind), row.currency, row.owner): row.pk for row in rows}
    return {ref: pk for ref, pk in found.items() if ref in wanted}


def _open_accounts(provider_id: int, missing: Set[AccountRef]) -> None:
    # Opened in one order everywhere, as two openers of the same pair would else deadlock.
    ordered = sorted(missing, key=lambda ref: (ref.kind, ref.owner, ref.currency))
    Account.objects.bulk_create(
        [
            Account(provider_id=provider_id, kind=ref.kind, owner=ref.owner, currency=ref.currency)
            for ref in ordered
        ],
        ignore_conflicts=True,
    )


def _refuse_other(
    transfer: Transfer, posting: Posting, accounts: dict[AccountRef, Account]
) -> None:
    recorded = (transfer.debit_id, transfer.credit_id, transfer.amount)
    asked = (accounts[posting.debit].pk, accounts[posting.credit].pk, posting.amount)
    if recorded != asked:
        raise KeyReused(
            f"The key {posting.key} belongs to transfer {transfer.pk}, which moved something else."
        )


def _transfer(
    provider_id: int,
    posting: Posting,
    accounts: dict[AccountRef, Account],
    *,
    effective_date: date,
    at: datetime,
    actor_id: int | None,
) -> Transfer:
    debit, credit = accounts[posting.debit], accounts[posting.credit]
    _refuse_overdraft(debit, posting.amount)
    transfer = Transfer(
        provider_id=provider_id,
        debit=debit,
        credit=credit,
        amount=posting.amount,
        kind=posting.kind,
        document=posting.document,
        idempotency_key=posting.key,
        effective_date=effective_date,
        recorded_at=at,
        actor_id=actor_id,
    )
    debit.balance += posting.amount
    credit.balance -= posting.amount
    return transfer


def _refuse_overdraft(debit: Account, amount: Decimal) -> None:
    if debit.kind == AccountKind.CUSTOMER_WALLET and debit.balance + amount > 0:
        raise WalletOverdrawn(
            f"The wallet holds {-debit.balance} {debit.currency}, less than {amount}."
        )
