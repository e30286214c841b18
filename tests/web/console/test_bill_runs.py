from http import HTTPStatus

import pytest
from django.test import Client

from billing.models import BillRun, Invoice
from billing.services import bill_run_work
from common.clock import now
from tenancy.models import Provider
from tests.factories import make_customer, make_provider, make_tax_profile
from tests.factories.billing import calculate_run, issue_run, item_ids, make_charge
from tests.web.console.pages import as_role, confirm, page, query_count, refused

pytestmark = pytest.mark.django_db
ROOT = "/console/billing/runs/"


@pytest.fixture
def provider() -> Provider:
    return make_provider("aurora")


@pytest.fixture
def finance(provider: Provider) -> Client:
    return as_role(provider, "Finance")


class TestTheWayToInvoices:
    def test_goes_from_preflight_to_issued(self, finance: Client, provider: Provider) -> None:
        make_tax_profile(provider, "19")
        make_charge(make_customer(provider, organisation="Nordwind"), "100")

        to = finance.post(f"{ROOT}new/", {"month": "2026-10"})["Location"]
        run = BillRun.objects.get()
        preflight = page(finance, to)
        confirm(finance, f"{to}calculate/")
        waiting = page(finance, to)
        bill_run_work.calculate(run_id=run.pk, item_ids=item_ids(run), at=now())
        review = page(finance, to)
        sums = page(finance, f"{to}approve/")
        confirm(finance, f"{to}approve/")
        confirm(finance, f"{to}issue/")
        bill_run_work.issue(run_id=run.pk, item_ids=item_ids(run), at=now())
        result = page(finance, to)

        run.refresh_from_db()
        assert to == f"{ROOT}{run.pk}/"
        assert "VAT 19 %" in preflight
        assert f'hx-get="{to}progress/"' in waiting
        assert "Nordwind" in review
        assert '119.00 <span class="currency">EUR' in sums
        assert run.state == BillRun.State.ISSUED
        assert "Invoices of that day" in result
        assert Invoice.objects.get().state == Invoice.State.ISSUED

    def test_of_a_month_that_is_not_over_is_refused(self, finance: Client) -> None:
        text = refused(finance, f"{ROOT}new/", month="2090-01")

        assert "is not over" in text
        assert 'value="2090-01"' in text
        assert not BillRun.objects.exists()

    def test_of_no_month_is_refused(self, finance: Client) -> None:
        text = refused(finance, f"{ROOT}new/", month="October")

        assert "not a month" in text
        assert not BillRun.objects.exists()

    def test_cannot_skip_the_approval(self, finance: Client, provider: Provider) -> None:
        make_charge(make_customer(provider), "100")
        run = calculate_run(provider)

        text = refused(finance, f"{ROOT}{run.pk}/issue/", _confirmed="1")

        assert "The run is review, not approved." in text
        run.refresh_from_db()
        assert run.state == BillRun.State.REVIEW

    def test_asks_before_each_step(self, finance: Client, provider: Provider) -> None:
        make_charge(make_customer(provider), "100")
        run = calculate_run(provider)

        finance.post(f"{ROOT}{run.pk}/approve/")

        run.refresh_from_db()
        assert run.state == BillRun.State.REVIEW

    def test_is_not_for_readers(self, provider: Provider) -> None:
        run = calculate_run(provider)
        reader = as_role(provider, "Read-only")

        for step in ("calculate", "approve", "issue"):
            answer = reader.post(f"{ROOT}{run.pk}/{step}/", {"_confirmed": "1"})
            assert answer.status_code == HTTPStatus.FORBIDDEN

    def test_is_closed_to_other_providers(self, finance: Client) -> None:
        run = calculate_run(make_provider())

        for step in ("", "calculate/", "approve/", "issue/", "progress/"):
            answer = finance.get(f"{ROOT}{run.pk}/{step}")
            assert answer.status_code == HTTPStatus.NOT_FOUND


class TestTheProgress:
    def test_leads_back_to_the_run_at_its_end(self, finance: Client, provider: Provider) -> None:
        run = issue_run(provider)

        answer = finance.get(f"{ROOT}{run.pk}/progress/", headers={"HX-Request": "true"})

        assert answer["HX-Redirect"] == f"{ROOT}{run.pk}/"


class TestTheLists:
    @pytest.mark.parametrize("path", [ROOT, "/console/billing/estimates/"])
    def test_ask_the_database_as_often_for_many_as_for_one(
        self, finance: Client, provider: Provider, path: str
    ) -> None:
        make_charge(make_customer(provider), "100")
        calculate_run(provider)
        for_one = query_count(finance, path)
        for _ in range(4):
            make_charge(make_customer(provider), "100")
        calculate_run(provider)

        assert query_count(finance, path) == for_one

    def test_of_estimates_leads_to_their_lines(self, finance: Client, provider: Provider) -> None:
        make_charge(make_customer(provider), "100", description="Installation")
        calculate_run(provider)
        calculate_run(make_provider())
        estimate = Invoice.objects.get()

        listed = page(finance, "/console/billing/estimates/")
        shown = page(finance, f"/console/billing/estimates/{estimate.pk}/")

        assert f'href="/console/billing/estimates/{estimate.pk}/"' in listed
        assert "Installation" in shown
