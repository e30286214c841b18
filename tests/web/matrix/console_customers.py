from tenancy.models import Provider
from tests.factories import make_customer
from tests.web.matrix import Page, staff


def customer(provider: Provider) -> dict[str, object]:
    return {"customer_id": make_customer(provider).pk}


PAGES = {
    "console_customers": Page(staff("customers.list")),
    "console_customer_create": Page(staff("customers.write")),
    "console_customer": Page(staff("customers.read"), customer),
    "console_customer_edit": Page(staff("customers.write"), customer),
    "console_customer_state": Page(staff("customers.write"), customer),
    "console_customer_catalogue": Page(staff("customers.write"), customer),
    "console_customer_terms": Page(staff("customers.write"), customer),
    "console_customer_activity": Page(staff("customers.read"), customer),
    "console_customer_usage": Page(staff("usage.read"), customer),
    "console_customer_credit_notes": Page(staff("money.read"), customer),
    "console_customer_payments": Page(staff("money.read"), customer),
    "console_customer_subscriptions": Page(staff("subscriptions.read"), customer),
    "console_customer_invoices": Page(staff("invoices.read"), customer),
    "console_customer_ledger": Page(staff("money.read"), customer),
}
