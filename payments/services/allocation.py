"""Moving money from the wallet to what is owed, and its way in before that."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime

from billing.services.settlement import settle_invoice
from customers.models import Customer
from ledger.models import TransferKind
from ledger.services import Posting, customer_receivable, customer_wallet, post
from payments.models import Allocation
from payments.rules.advance import Use


def allocate(
    *,
    customer: Customer,
    uses: Sequence[Use],
    received: Sequence[Posting] = (),
    effective_date: date,
    at: datetime,
    actor_id: int | None,
) -> list[Allocation]:
    """Book `received` into the wallet and settle invoices from it as `uses` say.

    The caller holds the customer's money and the invoices. All is posted at once, so that ledger
    accounts are locked in one order.

    :raises WalletOverdrawn: more is used than there is.
    """
    for use in sorted(uses, key=lambda use: use.invoice_id):
        settle_invoice(invoice_id=use.invoice_id, amount=use.amount)
    transfers = post(
        provider_id=customer.provider_id,
        postings=[*received, *_postings(customer, uses)],
        effective_date=effective_date,
        at=at,
        actor_id=actor_id,
    )
    return Allocation.objects.bulk_create(
        Allocation(
            provider_id=customer.provider_id,
            payment_id=use.payment_id,
            invoice_id=use.invoice_id,
            amount=use.amount,
            allocated_at=at,
            transfer=transfer,
        )
        for use, transfer in zip(uses, transfers[len(received) :], strict=True)
    )


def _postings(customer: Customer, uses: Sequence[Use]) -> list[Posting]:
    earlier: Counter[tuple[int | None, int]] = Counter(
        Allocation.objects.filter(
            provider_id=customer.provider_id,
            invoice_id__in={use.invoice_id for use in uses},
        ).values_list("payment_id", "invoice_id")
    )
    postings = []
    for use in uses:
        pair = (use.payment_id, use.invoice_id)
        earlier[pair] += 1
        source = "credit" if use.payment_id is None else f"payment:{use.payment_id}"
        postings.append(
            Posting(
                debit=customer_wallet(customer.pk, customer.currency),
                credit=customer_receivable(customer.pk, customer.currency),
                amount=use.amount,
                kind=TransferKind.ALLOCATION,
                document=f"invoice:{use.invoice_id}",
                key=f"allocation:{source}:invoice:{use.invoice_id}:{earlier[pair]}",
            )
        )
    return postings
