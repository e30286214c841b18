from payouts.models import PayoutStatement
from payouts.services.approving import approve_statement
from payouts.services.preparing import prepare_statement
from tenancy.models import Provider
from tests.factories import make_reseller
from tests.factories.documents import given_up
from tests.factories.payouts import OCTOBER, day
from tests.web.matrix import Page, staff


def statement(provider: Provider) -> dict[str, object]:
    reseller = make_reseller(provider)
    drafted = prepare_statement(
        reseller=reseller, period=OCTOBER, currency="EUR", at=day(11, 2), actor_id=None
    )
    return {"statement_id": drafted.pk}


def without_pdf(provider: Provider) -> dict[str, object]:
    of_statement = statement(provider)
    draft = PayoutStatement.objects.latest("pk")
    given_up(approve_statement(statement=draft, at=day(11, 3), actor_id=None))
    return of_statement


PAGES = {
    "console_statements": Page(staff("payouts.list")),
    "console_statement_prepare": Page(staff("payouts.write")),
    "console_statement": Page(staff("payouts.read"), statement),
    "console_statement_pdf": Page(staff("payouts.read"), statement),
    "console_statement_pdf_again": Page(staff("payouts.write"), without_pdf),
    "console_statement_csv": Page(staff("payouts.read"), statement),
    "console_statement_xlsx": Page(staff("payouts.read"), statement),
    "console_statement_approve": Page(staff("payouts.write"), statement),
    "console_statement_settle": Page(staff("payouts.write"), statement),
    "console_commission_plans": Page(staff("payouts.list")),
    "console_commission_plan_create": Page(staff("payouts.write")),
}
