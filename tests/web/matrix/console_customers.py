from tenancy.models import Provider
from tests.factories import make_customer, make_team_member
from tests.web.matrix import Page, staff


def customer(provider: Provider) -> dict[str, object]:
    return {"customer_id": make_customer(provider).pk}


def member(provider: Provider) -> dict[str, object]:
    return {"member_id": make_team_member(make_customer(provider)).team_member.pk}


def waiting(provider: Provider) -> dict[str, object]:
    return {"waiting_id": make_customer(provider, state="DRAFT", channel="SIGN_UP").pk}


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
    "console_customer_allowances": Page(staff("usage.read"), customer),
    "console_customer_credit_notes": Page(staff("money.read"), customer),
    "console_customer_payments": Page(staff("money.read"), customer),
    "console_customer_subscriptions": Page(staff("subscriptions.read"), customer),
    "console_customer_invoices": Page(staff("invoices.read"), customer),
    "console_customer_ledger": Page(staff("money.read"), customer),
    "console_customer_team": Page(staff("customers.read"), customer),
    "console_customer_team_invite": Page(staff("customers.write"), customer),
    "console_team_member": Page(staff("customers.write"), member),
    "console_team_member_again": Page(staff("customers.write"), member),
    "console_team_member_remove": Page(staff("customers.write"), member),
    "console_customer_approve": Page(staff("customers.write"), waiting),
    "console_customer_refuse": Page(staff("customers.write"), waiting),
}
