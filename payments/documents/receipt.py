"""What a receipt's template prints: every amount and date as finished text."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from billing.documents.logos import logo_of
from billing.documents.sheet import PartyBlock, Row, Sheet, Table, accent_of, text_lines
from billing.documents.text import amount_text, date_text
from common.money import ZERO
from common.scope import Scope
from customers.models import Customer
from payments.models import Allocation, Payment
from tenancy.models import BillerEntity
from tenancy.selectors import default_biller_entity


@dataclass(frozen=True, kw_only=True)
class ReceiptPage(Sheet):
    """A whole receipt; its buyer is who paid."""

    settled: Table | None
    advance: str
    amount: str


def receipt_page(payment: Payment) -> ReceiptPage:
    """What the payment settled when it came, whatever became of it since."""
    assert payment.succeeded_at is not None, "only what came in has a receipt"
    settled = list(
        Allocation.objects.filter(payment=payment, allocated_at=payment.succeeded_at)
        .select_related("invoice")
        .order_by("pk")
    )
    advance = payment.amount - sum((row.amount for row in settled), ZERO)
    seller = _seller(payment.customer)
    return ReceiptPage(
        title="Receipt",
        number=payment.receipt_number,
        accent=accent_of(seller.accent_colour),
        logo=logo_of(payment.provider_id),
        currency=payment.currency,
        seller=_seller_block(seller),
        buyer=_payer_block(payment.customer),
        buyer_label="Received from",
        facts=_facts(payment),
        settled=_table(settled, payment.currency) if settled else None,
        advance=amount_text(advance, payment.currency) if advance else "",
        amount=amount_text(payment.amount, payment.currency),
    )


def _facts(payment: Payment) -> list[tuple[str, str]]:
    assert payment.posting_date is not None
    facts = [
        ("Receipt number", payment.receipt_number),
        ("Received on", date_text(payment.posting_date)),
        ("Paid on", date_text(payment.transaction_date)),
        ("Paid by", payment.gateway.capitalize() or payment.get_mode_display().capitalize()),
        ("Reference", payment.reference),
        ("Order number", payment.order_number),
        ("Customer number", str(payment.customer.number)),
    ]
    return [(label, value) for label, value in facts if value]


def _table(settled: Sequence[Allocation], currency: str) -> Table:
    rows = [
        Row(description=f"Invoice {row.invoice}", amount=amount_text(row.amount, currency))
        for row in settled
    ]
    total = sum((row.amount for row in settled), Decimal(0))
    return Table("Settled invoices", rows, amount_text(total, currency))


def _seller(customer: Customer) -> BillerEntity:
    return customer.biller_entity or default_biller_entity(Scope.system(customer.provider_id))


def _seller_block(seller: BillerEntity) -> PartyBlock:
    return PartyBlock(
        name=seller.name,
        lines=[*text_lines(seller.address), seller.country],
        tax_number=seller.tax_number,
        email=seller.email,
        phone=seller.phone,
        registration=seller.registration,
    )


def _payer_block(customer: Customer) -> PartyBlock:
    return PartyBlock(
        name=customer.name,
        lines=[*text_lines(customer.address), *filter(None, [customer.country])],
        tax_number=customer.tax_number,
    )
