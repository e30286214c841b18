"""The PDF to hand out: the one that was kept, or the same rendered anew where none is yet."""

import logging
from collections.abc import Callable

from django.db import transaction

from billing.documents import render_credit_note, render_invoice
from billing.documents.logos import logo_of, logo_on
from billing.models import Document, KeptDocument
from billing.selectors.details import credit_note_detail, invoice_detail
from common.errors import DomainError
from common.scope import Scope

log = logging.getLogger(__name__)

_MISSING = "The PDF could not be made so far. What it is of stands; staff can have it made again."


class DocumentNotMade(DomainError):
    """There is no PDF yet, as making it has failed."""


def kept_pdf(document: KeptDocument | None, render: Callable[[], bytes]) -> bytes:
    """A document's PDF as it was kept; where none is yet, one rendered now, and nothing is written.

    One that has failed is left to the workers: it may be more than a process can bear.

    :raises DocumentNotMade: it was given up, has failed and will be tried again, or fails now.
    """
    if document is not None and document.state == KeptDocument.State.DONE:
        return document.pdf
    if document is not None and document.try_count:
        raise DocumentNotMade(_MISSING)
    try:
        with transaction.atomic():
            return render()
    except Exception as error:
        log.exception("a document was not rendered for whoever asks for it")
        raise DocumentNotMade(_MISSING) from error


def invoice_pdf(scope: Scope, invoice_id: int) -> bytes:
    """The PDF of an issued invoice that the scope sees; nothing is written.

    :raises UnknownInvoice: for any other.
    :raises DocumentNotMade: it cannot be made.
    """
    detail = invoice_detail(scope, invoice_id)
    rows = Document.objects.filter(provider_id=scope.provider_id, invoice=invoice_id)
    return kept_pdf(
        rows.first(), lambda: render_invoice(detail, logo_on(scope.provider_id, detail))
    )


def credit_note_pdf(scope: Scope, credit_note_id: int) -> bytes:
    """The PDF of a credit note that the scope sees; nothing is written.

    :raises UnknownCreditNote: for any other.
    :raises DocumentNotMade: it cannot be made.
    """
    detail = credit_note_detail(scope, credit_note_id)
    rows = Document.objects.filter(provider_id=scope.provider_id, credit_note=credit_note_id)
    return kept_pdf(rows.first(), lambda: render_credit_note(detail, logo_of(scope.provider_id)))
