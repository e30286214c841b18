"""Tasks are known by the names under which they are sent, and take arguments still unknown."""

import pytest
from celery import current_app

from billing.models import BillRun, Invoice
from billing.services.bill_runs import create_bill_run, start_calculation
from billing.tasks import calculate_items
from tests.factories import make_customer, make_provider
from tests.factories.billing import IN_NOVEMBER, OCTOBER, item_ids, make_charge


class TestTasks:
    @pytest.mark.parametrize(
        "name",
        [
            "billing.calculate_items",
            "billing.issue_items",
            "billing.render_documents",
            "billing.render_credit_note",
            "billing.sweep_runs",
            "billing.sweep_documents",
        ],
    )
    def test_are_registered(self, name: str) -> None:
        assert name in current_app.tasks


@pytest.mark.django_db
class TestCalculateItems:
    def test_calculates_and_takes_arguments_of_a_newer_release(self) -> None:
        customer = make_customer(make_provider())
        make_charge(customer, "1")
        run = create_bill_run(
            provider=customer.provider, period=OCTOBER, at=IN_NOVEMBER, actor_id=None
        )
        start_calculation(run_id=run.pk, at=IN_NOVEMBER, actor_id=None)

        calculate_items(run_id=run.pk, item_ids=item_ids(run), newer="argument")

        run.refresh_from_db()
        assert run.state == BillRun.State.REVIEW
        assert Invoice.objects.get().net_amount == 1
