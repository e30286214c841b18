"""Questions about the books: balances, and whether they add up."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, DecimalField, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from common.faults import Fault
from common.money import ZERO
from common.scope import Scope
from ledger.models import Account, AccountKind, Transfer

_AMOUNT: "DecimalField[Decimal, Decimal]" = DecimalField(max_digits=20, decimal_places=4)


@dataclass(frozen=True)
class TrialBalance:
    """The sum of all balances in one currency; zero, as every transfer adds and takes the same."""

    currency: str
    account_count: int
    total: Decimal


def accounts(scope: Scope) -> QuerySet[Account]:
    """Accounts with their balances (debits minus credits), by kind, owner and currency."""
    return Account.objects.visible_to(scope).order_by("kind", "owner", "currency", "pk")


def transfers(scope: Scope, *, document: str) -> QuerySet[Transfer]:
    """What a document (`invoice:17`) moved, in order, with the accounts it moved between."""
    rows = Transfer.objects.visible_to(scope).filter(document=document)
    return rows.select_related("debit", "credit").order_by("pk")


def owned_transfers(
    scope: Scope, *, kinds: Collection[AccountKind], owner: str
) -> QuerySet[Transfer]:
    """What moved to and from the accounts of one owner, the latest first, with the accounts."""
    owned = Account.objects.visible_to(scope).filter(kind__in=kinds, owner=owner)
    ids = list(owned.values_list("pk", flat=True))
    rows = Transfer.objects.visible_to(scope).filter(Q(debit_id__in=ids) | Q(credit_id__in=ids))
    return rows.select_related("debit", "credit").order_by("-pk")


def balance(scope: Scope, *, kind: AccountKind, currency: str, owner: str = "") -> Decimal:
    """Debits minus credits of one account; zero before its first transfer."""
    rows = Account.objects.visible_to(scope).filter(kind=kind, owner=owner, currency=currency)
    return rows.values_list("balance", flat=True).first() or ZERO


def trial_balances(scope: Scope) -> list[TrialBalance]:
    """One trial balance for each currency the provider keeps books in."""
    rows = Account.objects.visible_to(scope).values("currency").order_by("currency")
    sums = rows.annotate(account_count=Count("pk"), total=Sum("balance"))
    return [TrialBalance(**row) for row in sums]


def ledger_faults(scope: Scope) -> list[Fault]:
    """Accounts whose balance is not the sum of their transfers; trial balances that are not zero.

    A wallet below zero and a reversal that does not mirror its transfer are faults too, although
    the database refuses the one and the service the other.
    """
    return [
        *_unbalanced_accounts(scope),
        *_nonzero_trial_balances(scope),
        *_overdrawn_wallets(scope),
        *_crooked_reversals(scope),
    ]


def _unbalanced_accounts(scope: Scope) -> list[Fault]:
    rows = accounts(scope).annotate(
        summed=Coalesce(_sum_of("debit"), ZERO, output_field=_AMOUNT)
        - Coalesce(_sum_of("credit"), ZERO, output_field=_AMOUNT)
    )
    return [
        Fault("balance = sum of transfers", f"account {row}", str(row.summed), str(row.balance))
        for row in rows.exclude(balance=F("summed"))
    ]


def _sum_of(side: str) -> Subquery:
    return Subquery(
        Transfer.objects.filter(**{side: OuterRef("pk")})
        .values(side)
        .annotate(total=Sum("amount"))
        .values("total"),
        output_field=_AMOUNT,
    )


def _nonzero_trial_balances(scope: Scope) -> list[Fault]:
    return [
        Fault("trial balance is zero", trial.currency, "0", str(trial.total))
        for trial in trial_balances(scope)
        if trial.total != 0
    ]


def _overdrawn_wallets(scope: Scope) -> list[Fault]:
    rows = accounts(scope).filter(kind=AccountKind.CUSTOMER_WALLET, balance__gt=0)
    return [
        Fault("wallet holds money", f"account {row}", "0 or a credit", str(row.balance))
        for row in rows
    ]


def _crooked_reversals(scope: Scope) -> list[Fault]:
    rows = (
        Transfer.objects.visible_to(scope)
        .filter(reverses__isnull=False)
        .exclude(
            debit=F("reverses__credit"),
            credit=F("reverses__debit"),
            amount=F("reverses__amount"),
        )
        .select_related("reverses")
        .order_by("pk")
    )
    return [
        Fault(
            "reversal mirrors its transfer",
            f"transfer {row.pk}",
            _movement(row.reverses, back=True),
            _movement(row),
        )
        for row in rows
    ]


def _movement(transfer: Transfer | None, *, back: bool = False) -> str:
    assert transfer is not None
    ends = (transfer.debit_id, transfer.credit_id)
    debit, credit = reversed(ends) if back else ends
    return f"{transfer.amount} to {debit} from {credit}"
