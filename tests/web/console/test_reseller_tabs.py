from datetime import date, timedelta
from decimal import Decimal
from http import HTTPStatus

import pytest
from django.test import Client

from common.clock import now
from payouts.models import CommissionPlan
from payouts.services.plans import set_commission_plan
from resellers.models import Reseller
from resellers.services.codes import create_code
from resellers.services.resellers import move_reseller
from tenancy.models import Provider
from tests.factories import make_customer, make_provider, make_reseller, make_staff
from tests.web.console.pages import as_role, page

pytestmark = pytest.mark.django_db
TABS = [
    "",
    "customers/",
    "codes/",
    "billing-mode/",
    "wholesale/",
    "commission/",
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
        assert "Collected Net" in text


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
