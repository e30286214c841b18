from datetime import timedelta
from decimal import Decimal
from http import HTTPStatus

import pytest
from django.test import Client

from common.clock import now
from payouts.models import CommissionPlan, PayoutStatement
from payouts.services.accrual import accrue
from payouts.services.preparing import prepare_statement
from resellers.models import Reseller
from tenancy.models import Provider
from tests.factories import make_customer, make_provider, make_reseller
from tests.factories.payouts import OCTOBER, day, issue, make_plan, pay
from tests.payments.books import assert_books_agree
from tests.web.console.pages import as_role, confirm, page, query_count, refused

pytestmark = pytest.mark.django_db
ROOT = "/console/payouts/"
State = PayoutStatement.State


@pytest.fixture
def provider() -> Provider:
    return make_provider("aurora")


@pytest.fixture
def finance(provider: Provider) -> Client:
    return as_role(provider, "Finance")


def earning(provider: Provider) -> Reseller:
    """Has earned 50.00 in October: 10 % of half of 1000 net."""
    reseller = make_reseller(provider)
    make_plan(reseller)
    customer = make_customer(provider, reseller, organisation="Nordwind")
    issue(customer, at=day(10, 1))
    pay(customer, "590", at=day(10, 20))
    accrue(provider_id=provider.pk, at=day(10, 21))
    return reseller


def drafted(provider: Provider) -> PayoutStatement:
    return prepare_statement(
        reseller=earning(provider), period=OCTOBER, currency="EUR", at=day(11, 2), actor_id=None
    )


class TestAStatement:
    def test_goes_from_prepared_to_settled(self, finance: Client, provider: Provider) -> None:
        reseller = earning(provider)

        to = finance.post(f"{ROOT}prepare/", {"month": "2026-10", "reseller": reseller.pk})
        statement = PayoutStatement.objects.get()
        address = f"{ROOT}{statement.pk}/"
        confirm(finance, f"{address}approve/")
        paid = {"settled_date": "2026-11-05", "mode": "BANK_TRANSFER", "reference": "TRF-9"}
        asked = finance.post(f"{address}settle/", paid).content.decode()
        still = PayoutStatement.objects.get().state
        confirm(finance, f"{address}settle/", **paid)

        statement.refresh_from_db()
        assert to["Location"] == ROOT
        assert '50.00 <span class="currency">EUR' in asked
        assert still == State.APPROVED
        assert (statement.state, statement.settled_amount) == (State.SETTLED, Decimal("50.00"))
        assert "TRF-9" in page(finance, address)
        assert_books_agree(provider.pk)

    def test_shows_what_was_earned_by_customer(self, finance: Client, provider: Provider) -> None:
        statement = drafted(provider)

        text = page(finance, f"{ROOT}{statement.pk}/")

        assert "Nordwind" in text
        assert '500.00 <span class="currency">EUR' in text

    def test_has_its_files(self, finance: Client, provider: Provider) -> None:
        statement = drafted(provider)

        pdf = finance.get(f"{ROOT}{statement.pk}/pdf/")
        table = page(finance, f"{ROOT}{statement.pk}/accruals.csv")
        book = finance.get(f"{ROOT}{statement.pk}/accruals.xlsx")

        assert pdf.content.startswith(b"%PDF-")
        assert table.splitlines()[0].startswith("statement,reseller_number,period_from")
        assert table.splitlines()[1].endswith(",500.00,10.0000,50.00,EUR")
        assert book.content.startswith(b"PK")

    def test_is_not_settled_on_a_day_to_come(self, finance: Client, provider: Provider) -> None:
        statement = drafted(provider)
        confirm(finance, f"{ROOT}{statement.pk}/approve/")
        to_come = (now() + timedelta(days=2)).date().isoformat()

        text = refused(
            finance,
            f"{ROOT}{statement.pk}/settle/",
            settled_date=to_come,
            mode="CASH",
            reference="Till 3",
            _confirmed="1",
        )

        assert "is yet to come" in text
        assert "Till 3" in text
        assert PayoutStatement.objects.get().state == State.APPROVED

    def test_is_not_settled_before_it_is_approved(
        self, finance: Client, provider: Provider
    ) -> None:
        statement = drafted(provider)

        text = refused(
            finance,
            f"{ROOT}{statement.pk}/settle/",
            settled_date="2026-11-05",
            mode="CASH",
            reference="Till 3",
            _confirmed="1",
        )

        assert "approve it first" in text
        assert PayoutStatement.objects.get().state == State.DRAFT

    @pytest.mark.parametrize("below", ["", "pdf/", "accruals.csv", "approve/", "settle/"])
    def test_of_another_provider_does_not_exist(self, finance: Client, below: str) -> None:
        other = drafted(make_provider())

        assert finance.get(f"{ROOT}{other.pk}/{below}").status_code == HTTPStatus.NOT_FOUND

    def test_is_not_approved_by_readers(self, provider: Provider) -> None:
        statement = drafted(provider)

        answer = as_role(provider, "Read-only").post(
            f"{ROOT}{statement.pk}/approve/", {"_confirmed": "1"}
        )

        assert answer.status_code == HTTPStatus.FORBIDDEN
        assert PayoutStatement.objects.get().state == State.DRAFT

    def test_of_no_month_is_not_prepared(self, finance: Client) -> None:
        text = refused(finance, f"{ROOT}prepare/", month="October")

        assert "is not a month" in text.replace("&#x27;", "'")
        assert not PayoutStatement.objects.exists()


class TestTheList:
    def test_asks_the_database_as_often_for_many_as_for_one(
        self, finance: Client, provider: Provider
    ) -> None:
        statement = drafted(provider)
        for_one = query_count(finance, ROOT)
        for _ in range(3):
            prepare_statement(
                reseller=make_reseller(provider),
                period=OCTOBER,
                currency="EUR",
                at=day(11, 2),
                actor_id=None,
            )

        # The filter by reseller names them all in one query.
        assert query_count(finance, ROOT) == for_one
        assert f'<a href="{ROOT}{statement.pk}/">draft {statement.pk}</a>' in page(finance, ROOT)


class TestCommissionPlans:
    def test_are_set_from_a_date_after_a_review(self, finance: Client, provider: Provider) -> None:
        reseller = make_reseller(provider, organisation="Rho")
        fields = {
            "reseller": reseller.pk,
            "base": "COLLECTED_NET",
            "percent": "12.5",
            "valid_from": "2026-12-01",
        }

        asked = finance.post(f"{ROOT}plans/new/", fields).content.decode()
        before = CommissionPlan.objects.count()
        to = confirm(finance, f"{ROOT}plans/new/", **fields)

        assert "Have Rho earn 12.5 %?" in asked
        assert before == 0
        assert CommissionPlan.objects.get().percent == Decimal("12.5")
        assert "Rho" in page(finance, to)

    def test_of_too_much_or_of_anothers_reseller_are_refused(
        self, finance: Client, provider: Provider
    ) -> None:
        reseller, other = make_reseller(provider), make_reseller(make_provider())
        fields = {"base": "COLLECTED_NET", "valid_from": "2026-12-01", "_confirmed": "1"}

        too_much = refused(
            finance, f"{ROOT}plans/new/", reseller=reseller.pk, percent="101", **fields
        )
        foreign = refused(finance, f"{ROOT}plans/new/", reseller=other.pk, percent="10", **fields)

        assert "0 to 100 percent, not 101" in too_much
        assert "That choice is not one of the available choices" in foreign
        assert not CommissionPlan.objects.exists()

    def test_never_change_what_was_accrued(self, finance: Client, provider: Provider) -> None:
        reseller = earning(provider)

        text = refused(
            finance,
            f"{ROOT}plans/new/",
            reseller=reseller.pk,
            base="COLLECTED_NET",
            percent="20",
            valid_from="2026-10-01",
            _confirmed="1",
        )

        assert "settled or accrued up to 2026-10-20" in text
        assert CommissionPlan.objects.get().percent == Decimal("10")
