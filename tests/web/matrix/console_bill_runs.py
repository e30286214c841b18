from billing.models import Invoice
from billing.services.bill_runs import create_bill_run, start_calculation
from tenancy.models import Provider
from tests.factories import make_customer
from tests.factories.billing import IN_NOVEMBER, OCTOBER, calculate_run, make_charge
from tests.web.matrix import Page, actions, staff


def draft(provider: Provider) -> dict[str, object]:
    run = create_bill_run(provider=provider, period=OCTOBER, at=IN_NOVEMBER, actor_id=None)
    return {"run_id": run.pk}


def at_work(provider: Provider) -> dict[str, object]:
    run = create_bill_run(provider=provider, period=OCTOBER, at=IN_NOVEMBER, actor_id=None)
    start_calculation(run_id=run.pk, at=IN_NOVEMBER, actor_id=None)
    return {"run_id": run.pk}


def estimate(provider: Provider) -> dict[str, object]:
    make_charge(make_customer(provider), "100")
    calculate_run(provider)
    return {"invoice_id": Invoice.objects.get(provider=provider).pk}


PAGES = {
    "console_bill_runs": Page(staff("money.list")),
    "console_bill_run_create": Page(staff("money.write")),
    "console_bill_run": Page(staff("money.read"), draft),
    "console_bill_run_progress": Page(staff("money.read"), at_work),
    "console_bill_run_calculate": Page(staff("money.write"), draft),
    "console_bill_run_approve": Page(staff("money.write"), draft),
    "console_bill_run_estimates": Page(staff("money.write"), draft),
    "console_bill_run_retry": Page(actions(), draft),
    "console_bill_run_discard": Page(staff("money.write"), draft),
    "console_bill_run_issue": Page(staff("money.write"), draft),
    "console_estimates": Page(staff("invoices.list")),
    "console_estimate": Page(staff("invoices.read"), estimate),
    "console_estimate_pdf": Page(staff("invoices.read"), estimate),
}
