import pytest
from django.test import Client

from resellers.models import Reseller, ResellerUser
from tenancy.models import Invitation, Provider, User
from tests.factories import (
    LONG_AGO,
    make_provider,
    make_reseller,
    make_reseller_user,
    make_staff,
)
from tests.web.console.pages import confirm, page, refused

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


def path(reseller: Reseller, rest: str) -> str:
    return f"/console/resellers/{reseller.pk}/{rest}"


class TestTheUsers:
    def test_are_invited_by_e_mail(self, staff: Client, reseller: Reseller) -> None:
        staff.post(
            path(reseller, "users/new/"), {"email": "vera@rho.example", "name": "Vera Viewer"}
        )

        viewer = ResellerUser.objects.get()
        assert (viewer.reseller, viewer.user.email) == (reseller, "vera@rho.example")
        assert Invitation.objects.get().user == viewer.user
        text = page(staff, path(reseller, "users/"))
        assert "vera@rho.example" in text
        assert "Invite again" in text

    def test_are_invited_again_until_they_have_been_there(
        self, staff: Client, reseller: Reseller
    ) -> None:
        new = {"email": "vera@rho.example", "name": "Vera Viewer"}
        staff.post(path(reseller, "users/new/"), new)
        Invitation.objects.update(state="SENT", sent_at=LONG_AGO)
        viewer = ResellerUser.objects.get()

        confirm(staff, path(reseller, f"users/{viewer.pk}/again/"))
        User.objects.filter(pk=viewer.user_id).update(last_login=LONG_AGO)
        text = refused(staff, path(reseller, f"users/{viewer.pk}/again/"), _confirmed="1")

        assert "has signed in already" in text
        assert Invitation.objects.count() == 2

    def test_can_look_no_more_once_removed(self, staff: Client, reseller: Reseller) -> None:
        user = make_reseller_user(reseller)
        theirs = Client()
        theirs.force_login(user)

        confirm(staff, path(reseller, f"users/{user.reseller_user.pk}/remove/"))

        assert theirs.get("/reseller/").status_code == 302
        assert not ResellerUser.objects.exists()

    def test_of_another_reseller_are_not_found(self, staff: Client, reseller: Reseller) -> None:
        other = make_reseller_user(make_reseller(reseller.provider)).reseller_user

        answer = staff.post(path(reseller, f"users/{other.pk}/remove/"), {"_confirmed": "1"})

        assert answer.status_code == 404
        assert ResellerUser.objects.exists()

    @pytest.mark.parametrize("email", ["vera", "taken@rho.example"])
    def test_need_an_address_of_their_own(
        self, staff: Client, provider: Provider, reseller: Reseller, email: str
    ) -> None:
        make_staff(provider, email="taken@rho.example")

        text = refused(staff, path(reseller, "users/new/"), email=email, name="Vera Viewer")

        assert 'id="id_email_error"' in text
        assert 'value="Vera Viewer"' in text
        assert not ResellerUser.objects.exists()
