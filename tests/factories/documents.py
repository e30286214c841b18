"""Documents that workers could not make."""

from billing.models import CreditNote, Document, Invoice, KeptDocument
from common.tries import MOST_TRIES
from payments.models import Payment, ReceiptDocument
from payouts.models import PayoutStatement, StatementDocument

WHY = "ValueError: a picture that is none"


def given_up(
    of: Invoice | CreditNote | Payment | PayoutStatement,
    state: KeptDocument.State = KeptDocument.State.FAILED,
    tries: int = MOST_TRIES,
) -> KeptDocument:
    """The row of a document as it is after so many tries have failed."""
    tried = {"provider_id": of.provider_id, "state": state, "try_count": tries, "try_error": WHY}
    match of:
        case Invoice():
            return Document.objects.create(invoice=of, **tried)
        case CreditNote():
            return Document.objects.create(credit_note=of, **tried)
        case Payment():
            return ReceiptDocument.objects.create(payment=of, **tried)
        case PayoutStatement():
            return StatementDocument.objects.create(statement=of, **tried)
