from tenancy.models import Provider
from tests.factories import make_customer, make_reseller
from tests.factories.billing import invoice_of, issue_run, make_usage
from tests.web.matrix import Page, resellers

# The resellers who ask are not in billing mode.
WHOLESALE = {"anonymous": 302, "reseller": 403, "signed in": 404}


def customer(provider: Provider) -> dict[str, object]:
    return {"customer_id": make_customer(provider, make_reseller(provider)).pk}


def settlement_invoice(provider: Provider) -> dict[str, object]:
    reseller = make_reseller(provider)
    make_usage(reseller, "30.00")
    issue_run(provider)
    return {"invoice_id": invoice_of(reseller).pk}


PAGES = {
    "reseller_portal_customers": Page(resellers()),
    "reseller_portal_customer": Page(resellers(), customer),
    "reseller_portal_codes": Page(resellers()),
    "reseller_portal_usage": Page(WHOLESALE),
    "reseller_portal_settlement_invoices": Page(WHOLESALE),
    "reseller_portal_settlement_pdf": Page(WHOLESALE, settlement_invoice),
}
