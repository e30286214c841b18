from tenancy.models import Provider
from tests.factories import make_customer, make_reseller
from tests.web.matrix import Page, resellers


def customer(provider: Provider) -> dict[str, object]:
    return {"customer_id": make_customer(provider, make_reseller(provider)).pk}


PAGES = {
    "reseller_portal_customers": Page(resellers()),
    "reseller_portal_customer": Page(resellers(), customer),
    "reseller_portal_codes": Page(resellers()),
}
