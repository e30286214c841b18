from datetime import date, timedelta
from decimal import Decimal
from http import HTTPStatus

import pytest
from django.test import Client

from common.clock import now
from payouts.models import CommissionPlan, PayoutStatement
from payouts.services.accrual import accrue
from payouts.services.plans import set_commission_plan
from payouts.services.preparing import prepare_statements
from resellers.models import Reseller
from resellers.services.codes import create_code
from resellers.services.resellers import move_reseller
from tenancy.models import Provider
from tests.factories import make_customer, make_provider, make_reseller, make_staff
from tests.factories.payouts import OCTOBER, day, issue, make_plan, pay
from tests.web.console.pages import as_role, confirm, page, refused

pytestmark = pytest.mark.django_db
TABS = [
    "",
    "customers/",
    "codes/",
    "billing-mode/",
    "wholesale/",
    "commission/",
    "payouts/",
    "portal/",
    "users/",
    "history/",
]


@pytest.fixture
def provider() -> Provider:
    return make_provider("aurora")


@pytest.fixture
def staff(client: Client, provider: Provider) -> Client:
    client.force_login(make_staff(provider))
    return client


def path(reseller: Reseller, rest: str = "") -> str:
    return f"/console/resellers/{reseller.pk}/{rest}"


class TestAReseller:
    def test_shows_who_it_is_and_where_it_stands(self, staff: Client, provider: Provider) -> None:
        parent = make_reseller(provider, organisation="Parent")
        reseller = make_reseller(provider, parent, organisation="Rho")
        make_reseller(provider, reseller, organisation="Below")

        text = page(staff, path(reseller))

        assert f'<a href="{path(parent)}">Parent</a>' in text
        assert "Below" in text
        assert reseller.email in text

    def test_offers_no_change_to_who_may_only_read(self, provider: Provider) -> None:
        reseller = make_reseller(provider)

        text = page(as_role(provider, "Read-only"), path(reseller))

        assert path(reseller, "edit/") not in text
        assert path(reseller, "disable/") not in text

    @pytest.mark.parametrize("tab", TABS)
    def test_of_another_provider_does_not_exist(self, staff: Client, tab: str) -> None:
        response = staff.get(path(make_reseller(make_provider()), tab))

        assert response.status_code == HTTPStatus.NOT_FOUND

    @pytest.mark.parametrize("tab", TABS)
    def test_is_not_changed_by_a_post_to_what_only_shows(
        self, staff: Client, provider: Provider, tab: str
    ) -> None:
        response = staff.post(path(make_reseller(provider), tab))

        assert response.status_code == HTTPStatus.METHOD_NOT_ALLOWED


class TestItsCustomers:
    def test_are_those_with_its_tag(self, staff: Client, provider: Provider) -> None:
        reseller = make_reseller(provider)
        make_customer(provider, reseller, organisation="Tagged")
        make_customer(provider, organisation="Direct")

        text = page(staff, path(reseller, "customers/"))

        assert "Tagged" in text
        assert "Direct" not in text


class TestItsCommission:
    def test_shows_every_plan(self, staff: Client, provider: Provider) -> None:
        reseller = make_reseller(provider)
        set_commission_plan(
            reseller=reseller,
            base=CommissionPlan.Base.COLLECTED_NET,
            percent=Decimal("12.5"),
            valid_from=date(2026, 1, 1),
            at=now(),
            actor_id=None,
        )

        text = page(staff, path(reseller, "commission/"))

        assert "12.5" in text
        assert "Collected net" in text


class TestItsHistory:
    def test_tells_what_changed_of_it_and_its_codes_and_by_whom(
        self, staff: Client, provider: Provider
    ) -> None:
        reseller, parent = make_reseller(provider), make_reseller(provider, number=4711)
        person = make_staff(provider, email="clerk@aurora.example")
        at = now()
        move_reseller(reseller=reseller, parent=parent, at=at, actor_id=person.pk)
        create_code(
            reseller=reseller, code="RHO1", at=at + timedelta(seconds=1), actor_id=person.pk
        )
        create_code(reseller=parent, code="OTHER", at=at, actor_id=person.pk)

        text = page(staff, path(reseller, "history/"))

        assert "reseller: moved" in text
        assert "parent: 4711" in text
        assert "clerk@aurora.example" in text
        assert "code: RHO1" in text
        assert "OTHER" not in text

    def test_tells_of_commission_only_those_who_may_read_that(
        self, staff: Client, provider: Provider
    ) -> None:
        reseller = make_reseller(provider)
        set_commission_plan(
            reseller=reseller,
            base=CommissionPlan.Base.INVOICED_NET,
            percent=Decimal("12.5"),
            valid_from=date(2026, 12, 1),
            at=now(),
            actor_id=None,
        )

        assert "percent: 12.5" in page(staff, path(reseller, "history/"))
        clerk = as_role(provider, "Accounts & Orders")
        assert "percent" not in page(clerk, path(reseller, "history/"))


class TestCommission:
    def test_is_agreed_from_a_date_after_a_review(self, staff: Client, provider: Provider) -> None:
        reseller = make_reseller(provider, organisation="Rho")
        address = path(reseller, "commission/new/")
        fields = {"base": "INVOICED_NET", "percent": "7.5", "valid_from": "2026-12-01"}
        assert address in page(staff, path(reseller, "commission/"))

        asked = staff.post(address, fields).content.decode()
        before = CommissionPlan.objects.count()
        to = confirm(staff, address, **fields)

        assert "Have Rho earn 7.5 %?" in asked
        assert before == 0
        plan = CommissionPlan.objects.get()
        assert (plan.reseller, plan.percent) == (reseller, Decimal("7.5"))
        assert to == path(reseller, "commission/")

    def test_of_too_much_is_refused_at_its_field(self, staff: Client, provider: Provider) -> None:
        reseller = make_reseller(provider)
        fields = {"base": "INVOICED_NET", "percent": "101", "valid_from": "2026-12-01"}

        text = refused(staff, path(reseller, "commission/new/"), **fields, _confirmed="1")

        assert "0 to 100 percent, not 101" in text
        assert 'value="101"' in text
        assert not CommissionPlan.objects.exists()

    def test_is_not_agreed_by_who_only_reads_it(self, provider: Provider) -> None:
        reseller = make_reseller(provider)
        client = as_role(provider, "Read-only")

        response = client.post(path(reseller, "commission/new/"), {})

        assert response.status_code == HTTPStatus.FORBIDDEN
        assert path(reseller, "commission/new/") not in page(client, path(reseller, "commission/"))


class TestPayouts:
    def test_are_the_resellers_own_statements(self, staff: Client, provider: Provider) -> None:
        reseller, other = make_reseller(provider), make_reseller(provider)
        for owner in (reseller, other):
            make_plan(owner)
            customer = make_customer(provider, owner)
            issue(customer, at=day(10, 1))
            pay(customer, "1180", at=day(10, 20))
        accrue(provider_id=provider.pk, at=day(11, 1))
        prepare_statements(
            provider_id=provider.pk, period=OCTOBER, reseller=None, at=day(11, 1), actor_id=None
        )
        mine = PayoutStatement.objects.get(reseller=reseller)
        theirs = PayoutStatement.objects.get(reseller=other)

        text = page(staff, path(reseller, "payouts/"))

        assert f"/console/payouts/{mine.pk}/" in text
        assert f"/console/payouts/{theirs.pk}/" not in text
        assert "100.00" in text
