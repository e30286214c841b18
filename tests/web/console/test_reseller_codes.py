from datetime import datetime
from http import HTTPStatus
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from resellers.models import Reseller, ResellerCode, ResellerModule
from tenancy.models import Provider
from tests.factories import make_code, make_provider, make_reseller, make_staff
from tests.web.console.pages import as_role, confirm, page, refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider() -> Provider:
    return make_provider("aurora")


@pytest.fixture
def reseller(provider: Provider) -> Reseller:
    return make_reseller(provider)


@pytest.fixture
def staff(client: Client, provider: Provider) -> Client:
    client.force_login(make_staff(provider))
    return client


def path(reseller: Reseller, rest: str = "codes/") -> str:
    return f"/console/resellers/{reseller.pk}/{rest}"


class TestTheCodes:
    def test_come_with_the_sign_up_link_of_those_published(
        self, staff: Client, reseller: Reseller
    ) -> None:
        make_code(reseller, "SPRING")
        make_code(reseller, "SUMMER", published_at=None)

        text = page(staff, path(reseller))

        assert "http://testserver/sign-up/aurora/?code=SPRING" in text
        assert "?code=SUMMER" not in text
        assert "once published" in text

    def test_offer_no_steps_to_who_may_only_read(
        self, provider: Provider, reseller: Reseller
    ) -> None:
        make_code(reseller, "SUMMER", published_at=None)

        text = page(as_role(provider, "Finance"), path(reseller))

        assert "SUMMER" in text
        assert "/publish/" not in text
        assert "codes/new/" not in text


class TestAddingACode:
    def test_drafts_it_in_the_providers_time(self, staff: Client, reseller: Reseller) -> None:
        response = staff.post(
            path(reseller, "codes/new/"),
            {"code": "SPRING", "campaign": "Fair", "expires_at": "2027-04-01T12:00"},
        )

        code = ResellerCode.objects.get()
        assert response.headers["Location"] == path(reseller)
        assert (code.code, code.campaign, code.published_at) == ("SPRING", "Fair", None)
        assert code.expires_at == datetime(2027, 4, 1, 12, tzinfo=ZoneInfo("Europe/Berlin"))

    @pytest.mark.parametrize(
        ("wrong", "message"),
        [
            ({"code": "spring"}, "There is a code"),
            ({"code": "two words"}, "is not a code"),
            ({"code": ""}, "This field is required."),
            ({"expires_at": "soon"}, "Enter a valid date/time."),
        ],
    )
    def test_with_bad_input_keeps_what_was_typed_and_writes_nothing(
        self, staff: Client, reseller: Reseller, wrong: dict[str, str], message: str
    ) -> None:
        taken = make_code(reseller, "SPRING")

        sent = {"code": "SUMMER", "campaign": "Trade fair", **wrong}
        text = refused(staff, path(reseller, "codes/new/"), **sent)

        [field] = wrong
        assert message in text
        assert f'id="id_{field}_error"' in text
        assert 'value="Trade fair"' in text
        assert ResellerCode.objects.get() == taken

    def test_is_refused_to_a_role_without_the_permission(
        self, provider: Provider, reseller: Reseller
    ) -> None:
        response = as_role(provider, "Finance").post(path(reseller, "codes/new/"), {"code": "A"})

        assert response.status_code == HTTPStatus.FORBIDDEN
        assert not ResellerCode.objects.exists()


class TestPublishingACode:
    def test_states_the_link_and_happens_when_confirmed(
        self, staff: Client, reseller: Reseller
    ) -> None:
        code = make_code(reseller, "SPRING", published_at=None)
        publish = path(reseller, f"codes/{code.pk}/publish/")

        asked = page(staff, publish)
        confirm(staff, publish)

        code.refresh_from_db()
        assert "http://testserver/sign-up/aurora/?code=SPRING" in asked
        assert code.published_at is not None

    def test_of_another_reseller_does_not_exist(
        self, staff: Client, provider: Provider, reseller: Reseller
    ) -> None:
        code = make_code(make_reseller(provider), published_at=None)

        response = staff.post(path(reseller, f"codes/{code.pk}/publish/"), {"_confirmed": "1"})

        code.refresh_from_db()
        assert response.status_code == HTTPStatus.NOT_FOUND
        assert code.published_at is None


class TestTheExpiry:
    def test_can_be_changed(self, staff: Client, reseller: Reseller) -> None:
        code = make_code(reseller)

        staff.post(path(reseller, f"codes/{code.pk}/expiry/"), {"expires_at": "2027-04-01T12:00"})

        code.refresh_from_db()
        assert code.expires_at == datetime(2027, 4, 1, 12, tzinfo=ZoneInfo("Europe/Berlin"))

    def test_of_the_default_code_is_refused(self, staff: Client, reseller: Reseller) -> None:
        code = make_code(reseller, "MAIN")
        ResellerModule.objects.update(default_code=code)

        text = refused(
            staff, path(reseller, f"codes/{code.pk}/expiry/"), expires_at="2027-04-01T12:00"
        )

        code.refresh_from_db()
        assert "MAIN is the default code" in text
        assert code.expires_at is None
