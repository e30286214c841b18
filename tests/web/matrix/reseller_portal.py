from payouts.services.accrual import accrue
from payouts.services.approving import approve_statement
from payouts.services.preparing import prepare_statements
from tenancy.models import Provider
from tests.factories import make_customer, make_reseller, make_staff
from tests.factories.billing import invoice_of, issue_run, make_usage
from tests.factories.payouts import OCTOBER, day, issue, make_plan, pay
from tests.web.matrix import Page, resellers

# The resellers who ask are not in billing mode.
WHOLESALE = {"anonymous": 302, "reseller": 403, "signed in": 404}
# Nothing is opened to them either: to all of those who have signed in these pages do not exist.
CLOSED = {"anonymous": 302, "signed in": 404}


def customer(provider: Provider) -> dict[str, object]:
    return {"customer_id": make_customer(provider, make_reseller(provider)).pk}


def settlement_invoice(provider: Provider) -> dict[str, object]:
    reseller = make_reseller(provider)
    make_usage(reseller, "30.00")
    issue_run(provider)
    return {"invoice_id": invoice_of(reseller).pk}


def statement(provider: Provider) -> dict[str, object]:
    reseller = make_reseller(provider)
    make_plan(reseller)
    customer = make_customer(provider, reseller)
    issue(customer, at=day(10, 1))
    pay(customer, "1180", at=day(10, 20))
    accrue(provider_id=provider.pk, at=day(11, 1))
    (prepared,) = prepare_statements(
        provider_id=provider.pk, period=OCTOBER, reseller=reseller, at=day(11, 1), actor_id=None
    )
    approve_statement(statement=prepared, at=day(11, 2), actor_id=make_staff(provider).pk)
    return {"statement_id": prepared.pk}


def october(provider: Provider) -> dict[str, object]:
    return {"month": "2026-10"}


PAGES = {
    "reseller_portal_customers": Page(resellers()),
    "reseller_portal_customer": Page(resellers(), customer),
    "reseller_portal_codes": Page(resellers()),
    "reseller_portal_usage_totals": Page(CLOSED),
    "reseller_portal_usage_totals_of": Page(CLOSED, october),
    "reseller_portal_invoice_statuses": Page(CLOSED),
    "reseller_portal_sub_resellers": Page(CLOSED),
    "reseller_portal_statements": Page(CLOSED),
    "reseller_portal_statement": Page(CLOSED, statement),
    "reseller_portal_statement_pdf": Page(CLOSED, statement),
    "reseller_portal_statement_csv": Page(CLOSED, statement),
    "reseller_portal_statement_xlsx": Page(CLOSED, statement),
    "reseller_portal_usage": Page(WHOLESALE),
    "reseller_portal_owed": Page(WHOLESALE),
    "reseller_portal_settlement": Page(WHOLESALE, settlement_invoice),
    "reseller_portal_settlement_invoices": Page(WHOLESALE),
    "reseller_portal_settlement_pdf": Page(WHOLESALE, settlement_invoice),
}
