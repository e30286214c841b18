from http import HTTPStatus

import pytest
from django.test import Client

from audit.models import Entry
from resellers.models import Reseller
from tenancy.models import Provider
from tests.factories import make_provider, make_reseller, make_staff
from tests.web.console.pages import as_role, page

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider() -> Provider:
    return make_provider("aurora")


@pytest.fixture
def staff(client: Client, provider: Provider) -> Client:
    client.force_login(make_staff(provider))
    return client


def path(reseller: Reseller, rest: str = "") -> str:
    return f"/console/resellers/{reseller.pk}/portal/{rest}"


class TestThePortalTab:
    def test_says_what_is_open(self, staff: Client, provider: Provider) -> None:
        reseller = make_reseller(provider, sees_branch=True)

        text = page(staff, path(reseller))

        assert text.count(">Open<") == 1
        assert text.count(">Closed<") == 3
        assert text.index("Sub-resellers") < text.index(">Open<")
        assert path(reseller, "edit/") in text

    def test_offers_no_change_to_who_may_only_read(self, provider: Provider) -> None:
        reseller = make_reseller(provider)

        assert path(reseller, "edit/") not in page(as_role(provider, "Finance"), path(reseller))


class TestChangingWhatIsOpen:
    def test_opens_and_closes_and_is_recorded(self, staff: Client, provider: Provider) -> None:
        reseller = make_reseller(provider, sees_branch=True)
        assert "checked" in page(staff, path(reseller, "edit/"))

        response = staff.post(path(reseller, "edit/"), {"sees_commission": "on"})

        assert response["Location"] == path(reseller)
        reseller.refresh_from_db()
        assert reseller.sees_commission
        assert not reseller.sees_branch
        entry = Entry.objects.get(action="reseller.portal_changed")
        assert entry.after == {"sees_commission": "True", "sees_branch": "False"}
        history = page(staff, f"/console/resellers/{reseller.pk}/history/")
        assert "sees commission" in history

    def test_is_not_for_who_may_only_read(self, provider: Provider) -> None:
        reseller = make_reseller(provider)

        response = as_role(provider, "Finance").post(
            path(reseller, "edit/"), {"sees_commission": "on"}
        )

        assert response.status_code == HTTPStatus.FORBIDDEN
        reseller.refresh_from_db()
        assert not reseller.sees_commission

    def test_finds_no_reseller_of_another_provider(self, staff: Client) -> None:
        reseller = make_reseller(make_provider("borealis"))

        response = staff.post(path(reseller, "edit/"), {"sees_commission": "on"})

        assert response.status_code == HTTPStatus.NOT_FOUND
        reseller.refresh_from_db()
        assert not reseller.sees_commission

    def test_takes_no_other_method(self, staff: Client, provider: Provider) -> None:
        reseller = make_reseller(provider)

        assert staff.put(path(reseller, "edit/")).status_code == HTTPStatus.METHOD_NOT_ALLOWED
        assert staff.post(path(reseller)).status_code == HTTPStatus.METHOD_NOT_ALLOWED
