from billing.models import CreditNote
from billing.services.credit_notes import credit_in_full
from tenancy.models import Provider
from tests.factories.billing import IN_NOVEMBER
from tests.factories.documents import given_up
from tests.web.matrix import Page, console_invoices, staff


def note(provider: Provider) -> dict[str, object]:
    [invoice_id] = console_invoices.invoice(provider).values()
    assert isinstance(invoice_id, int)
    note = credit_in_full(invoice_id=invoice_id, reason="Agreed", at=IN_NOVEMBER, actor_id=None)
    return {"credit_note_id": note.pk}


def without_pdf(provider: Provider) -> dict[str, object]:
    of_note = note(provider)
    given_up(CreditNote.objects.latest("pk"))
    return of_note


PAGES = {
    "console_credit_notes": Page(staff("money.list")),
    "console_credit_note": Page(staff("money.read"), note),
    "console_credit_note_pdf": Page(staff("money.read"), note),
    "console_credit_note_pdf_again": Page(staff("money.write"), without_pdf),
    "console_credit_note_create": Page(staff("money.write"), console_invoices.invoice),
}
