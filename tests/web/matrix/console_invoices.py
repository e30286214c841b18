from billing.models import Invoice
from tenancy.models import Provider
from tests.factories import make_customer
from tests.factories.billing import invoice_of, issue_run, make_charge
from tests.factories.documents import given_up
from tests.web.matrix import Page, staff


def invoice(provider: Provider) -> dict[str, object]:
    customer = make_customer(provider)
    make_charge(customer, "100")
    issue_run(provider)
    return {"invoice_id": invoice_of(customer).pk}


def without_pdf(provider: Provider) -> dict[str, object]:
    of_invoice = invoice(provider)
    given_up(Invoice.objects.latest("pk"))
    return of_invoice


PAGES = {
    "console_invoices": Page(staff("invoices.list")),
    "console_invoice": Page(staff("invoices.read"), invoice),
    "console_invoice_email": Page(staff("invoices.write"), invoice),
    "console_invoice_usage": Page(staff("invoices.read"), invoice),
    "console_invoice_pdf": Page(staff("invoices.read"), invoice),
    "console_invoice_pdf_again": Page(staff("invoices.write"), without_pdf),
}
