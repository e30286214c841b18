import re
from datetime import date, timedelta
from http import HTTPStatus
from io import BytesIO

import pytest
from django.test import Client
from pypdf import PdfReader

from billing.models import BillRun, BillRunItem, Document, Invoice
from billing.services import bill_run_work
from common.clock import now
from common.periods import month
from tenancy.models import Provider
from tests.factories import make_customer, make_provider, make_reseller, make_tax_profile
from tests.factories.billing import calculate_run, issue_run, item_ids, make_charge, make_usage
from tests.web.account_centre.pages import words
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

    def test_approves_only_the_amounts_that_were_stated(
        self, finance: Client, provider: Provider
    ) -> None:
        customer = make_customer(provider)
        make_charge(customer, "100")
        run = calculate_run(provider)
        address = f"{ROOT}{run.pk}/approve/"
        [stated] = re.findall(r'name="_stated" value="(.+?)"', page(finance, address))
        make_charge(customer, "900")
        calculate_run(provider)

        text = refused(finance, address, _stated=stated, _confirmed="1")

        run.refresh_from_db()
        assert "This has changed since you saw it" in text
        assert '1,000.00 <span class="currency">EUR' in text
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


class TestANewRun:
    def test_may_be_for_customers_named_by_number(
        self, finance: Client, provider: Provider
    ) -> None:
        chosen, other = make_customer(provider), make_customer(provider)

        to = finance.post(
            f"{ROOT}new/", {"month": "2026-10", "numbers": f" {chosen.number},{chosen.number}"}
        )["Location"]

        run = BillRun.objects.get()
        assert run.is_partial
        assert [item.customer for item in run.items.all()] == [chosen]
        assert "Customers to bill 1" in words(page(finance, to))
        assert other.number != chosen.number

    def test_may_be_for_the_customers_of_a_reseller(
        self, finance: Client, provider: Provider
    ) -> None:
        reseller = make_reseller(provider)
        tagged = make_customer(provider, reseller)
        make_customer(provider, reseller, is_billable=False)
        make_customer(provider)

        finance.post(f"{ROOT}new/", {"month": "2026-10", "reseller": reseller.pk})

        run = BillRun.objects.get()
        assert [item.customer for item in run.items.all()] == [tagged]

    @pytest.mark.parametrize("number", ["999999", "Nordwind"])
    def test_refuses_a_number_that_nobody_has(
        self, finance: Client, provider: Provider, number: str
    ) -> None:
        text = refused(finance, f"{ROOT}new/", month="2026-10", numbers=number)

        assert number in text
        assert not BillRun.objects.exists()

    def test_refuses_a_customer_that_is_not_billed(
        self, finance: Client, provider: Provider
    ) -> None:
        draft = make_customer(provider, state="DRAFT")

        response = finance.post(f"{ROOT}new/", {"month": "2026-10", "numbers": draft.number})

        assert "1 of 1 are not" in response.context["form"].errors["numbers"][0]
        assert not BillRun.objects.exists()


class TestChoosingEstimates:
    @pytest.fixture
    def run(self, provider: Provider) -> BillRun:
        for name in ("Nordwind", "Suedsee"):
            make_charge(make_customer(provider, organisation=name), "100")
        return calculate_run(provider)

    def item(self, run: BillRun, name: str) -> BillRunItem:
        return run.items.get(customer__organisation=name)

    def test_approves_what_was_chosen_once_the_amounts_are_agreed_to(
        self, finance: Client, run: BillRun
    ) -> None:
        chosen = {"items": self.item(run, "Nordwind").pk, "decision": "approve"}

        listed = page(finance, f"{ROOT}{run.pk}/estimates/")
        asked = words(finance.post(f"{ROOT}{run.pk}/estimates/", chosen).content.decode())
        before = self.item(run, "Nordwind").state
        confirm(finance, f"{ROOT}{run.pk}/estimates/", **chosen)

        assert f'value="{chosen["items"]}" form="chosen"' in listed
        assert "Approve the estimates of 1 payer?" in asked
        assert "100.00 EUR" in asked
        assert before == "ESTIMATED"
        assert self.item(run, "Nordwind").state == "APPROVED"
        assert self.item(run, "Suedsee").state == "ESTIMATED"

    def test_discards_what_was_chosen(self, finance: Client, run: BillRun) -> None:
        chosen = [item.pk for item in run.items.all()]

        confirm(finance, f"{ROOT}{run.pk}/estimates/", items=chosen, decision="discard")

        assert not Invoice.objects.exists()
        assert "No estimates left" in page(finance, f"{ROOT}{run.pk}/estimates/")

    def test_wants_something_chosen(self, finance: Client, run: BillRun) -> None:
        response = finance.post(f"{ROOT}{run.pk}/estimates/", {"decision": "approve"}, follow=True)

        assert "Choose at least one estimate." in response.content.decode()
        assert not run.items.filter(state="APPROVED").exists()

    def test_knows_no_item_of_another_provider(self, finance: Client, run: BillRun) -> None:
        other = make_provider()
        make_charge(make_customer(other), "5")
        foreign = calculate_run(other).items.get()

        refused(
            finance,
            f"{ROOT}{run.pk}/estimates/",
            items=foreign.pk,
            decision="discard",
            _confirmed="1",
        )

        assert Invoice.objects.filter(provider=other).exists()

    def test_asks_the_database_as_often_for_many_as_for_one(
        self, finance: Client, provider: Provider, run: BillRun
    ) -> None:
        few = query_count(finance, f"{ROOT}{run.pk}/estimates/")
        for _ in range(8):
            make_charge(make_customer(provider), "100")
        calculate_run(provider)

        assert query_count(finance, f"{ROOT}{run.pk}/estimates/") == few


class TestTheReview:
    def test_shows_the_biggest_changes(self, finance: Client, provider: Provider) -> None:
        customer = make_customer(provider, organisation="Nordwind")
        make_usage(customer, "80", day=date(2026, 9, 15))
        issue_run(provider, month(2026, 9))
        make_charge(customer, "30")
        run = calculate_run(provider)

        text = words(page(finance, f"{ROOT}{run.pk}/"))

        assert "Nordwind 80.00 EUR 30.00 EUR \N{MINUS SIGN}50.00 EUR" in text

    def test_offers_no_approval_where_there_is_nothing_to_bill(
        self, finance: Client, provider: Provider
    ) -> None:
        make_customer(provider)
        run = calculate_run(provider)

        text = page(finance, f"{ROOT}{run.pk}/")

        assert "There is nothing to bill" in text
        assert f"{ROOT}{run.pk}/approve/" not in text
        assert f"{ROOT}{run.pk}/discard/" in text

    def test_lets_failed_payers_be_tried_again(self, finance: Client, provider: Provider) -> None:
        make_charge(make_customer(provider, organisation="Nordwind"), "100")
        run = calculate_run(provider)
        run.items.update(state="FAILED", error="Out of luck")

        shown = page(finance, f"{ROOT}{run.pk}/")
        finance.post(f"{ROOT}{run.pk}/retry/")

        run.refresh_from_db()
        assert "Out of luck" in shown
        assert f'action="{ROOT}{run.pk}/retry/"' in shown
        assert run.state == BillRun.State.CALCULATING
        assert run.items.get().state == "WAITING"

    def test_says_why_nothing_is_tried_again(self, finance: Client, provider: Provider) -> None:
        run = issue_run(provider)

        response = finance.post(f"{ROOT}{run.pk}/retry/", follow=True)

        assert "nothing of it is tried again" in response.content.decode()

    def test_tells_how_long_it_will_take(self, finance: Client, provider: Provider) -> None:
        for _ in range(4):
            make_charge(make_customer(provider), "100")
        run = calculate_run(provider)
        run.items.filter(pk=item_ids(run)[0]).update(state="WAITING")
        BillRun.objects.update(state="CALCULATING", started_at=now() - timedelta(seconds=31))

        text = words(page(finance, f"{ROOT}{run.pk}/progress/"))

        assert "3 of 4" in text
        assert "About 10 seconds left" in text


class TestDiscardingTheRun:
    def test_states_the_sums_and_leaves_nothing(self, finance: Client, provider: Provider) -> None:
        make_charge(make_customer(provider), "100")
        run = calculate_run(provider)

        asked = words(page(finance, f"{ROOT}{run.pk}/discard/"))
        to = confirm(finance, f"{ROOT}{run.pk}/discard/")

        assert "100.00 EUR" in asked
        assert to == ROOT
        assert not BillRun.objects.exists()
        assert not Invoice.objects.exists()

    def test_is_refused_once_it_is_issued(self, finance: Client, provider: Provider) -> None:
        run = issue_run(provider)

        text = refused(finance, f"{ROOT}{run.pk}/discard/", _confirmed="1")

        assert "nothing of it can be discarded" in text


class TestAnEstimatesDocument:
    def test_is_marked_as_none_to_pay(self, finance: Client, provider: Provider) -> None:
        make_charge(make_customer(provider), "100")
        calculate_run(provider)
        estimate = Invoice.objects.get()

        response = finance.get(f"/console/billing/estimates/{estimate.pk}/pdf/")

        text = PdfReader(BytesIO(response.content)).pages[0].extract_text()
        assert response["Content-Disposition"] == f'inline; filename="estimate-{estimate.pk}.pdf"'
        assert "It is no invoice" in text
        assert not Document.objects.exists()

    def test_of_an_issued_invoice_is_not_found(self, finance: Client, provider: Provider) -> None:
        make_charge(make_customer(provider), "100")
        issue_run(provider)
        invoice = Invoice.objects.get()

        response = finance.get(f"/console/billing/estimates/{invoice.pk}/pdf/")

        assert response.status_code == HTTPStatus.NOT_FOUND
