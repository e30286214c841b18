from payouts.services.preparing import prepare_statement
from tenancy.models import Provider
from tests.factories import make_reseller
from tests.factories.payouts import OCTOBER, day
from tests.web.matrix import Page, staff


def statement(provider: Provider) -> dict[str, object]:
    reseller = make_reseller(provider)
    drafted = prepare_statement(
        reseller=reseller, period=OCTOBER, currency="EUR", at=day(11, 2), actor_id=None
    )
    return {"statement_id": drafted.pk}


PAGES = {
    "console_statements": Page(staff("payouts.list")),
    "console_statement_prepare": Page(staff("payouts.write")),
    "console_statement": Page(staff("payouts.read"), statement),
    "console_statement_pdf": Page(staff("payouts.read"), statement),
    "console_statement_csv": Page(staff("payouts.read"), statement),
    "console_statement_xlsx": Page(staff("payouts.read"), statement),
    "console_statement_approve": Page(staff("payouts.write"), statement),
    "console_statement_settle": Page(staff("payouts.write"), statement),
    "console_commission_plans": Page(staff("payouts.list")),
    "console_commission_plan_create": Page(staff("payouts.write")),
}
