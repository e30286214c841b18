import re
from datetime import UTC, datetime
from http import HTTPStatus

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.test import Client
from pytest_django import Settings

from audit.models import Entry
from tenancy.models import Invitation, Membership, Provider, Role, User
from tenancy.services.invitations import send_invitation
from tests.factories import make_provider, make_staff
from tests.web.console.pages import as_role, confirm, page, query_count, refused

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 2, 9, tzinfo=UTC)
PASSWORD = "correct horse battery"
USERS = "/console/settings/users/"
INVITE = f"{USERS}invite/"


@pytest.fixture
def provider() -> Provider:
    return make_provider("aurora", name="Aurora Telecom")


@pytest.fixture
def admin(provider: Provider) -> User:
    return make_staff(provider, email="ada@aurora.example", password="correct horse battery")


@pytest.fixture
def client(admin: User) -> Client:
    client = Client()
    client.force_login(admin)
    return client


def role_id(provider: Provider, name: str) -> int:
    return Role.objects.get(provider=provider, name=name).pk


def path_of(user: User, step: str = "") -> str:
    return f"{USERS}{Membership.objects.get(user=user).pk}/{step}"


class TestTheList:
    def test_shows_the_providers_own_staff_with_role_and_state(
        self, client: Client, provider: Provider
    ) -> None:
        make_staff(provider, "Finance", email="fay@aurora.example", is_active=False)
        make_staff(make_provider(), email="bo@borealis.example")

        shown = page(client, USERS)

        assert "ada@aurora.example" in shown
        assert "fay@aurora.example" in shown
        assert "Deactivated" in shown
        assert "bo@borealis.example" not in shown

    def test_is_filtered_and_taken_away_as_csv(self, client: Client, provider: Provider) -> None:
        fay = make_staff(provider, "Finance", email="fay@aurora.example")
        fay.set_unusable_password()
        fay.save()

        found = client.get(f"{USERS}?role={role_id(provider, 'Finance')}&format=csv")

        lines = found.content.decode().splitlines()
        assert lines[0].startswith("E-mail,Name,Role,State")
        assert [line.split(",")[0] for line in lines[1:]] == ["fay@aurora.example"]
        assert lines[1].split(",")[3] == "invited"

    def test_asks_the_database_as_often_for_many(self, client: Client, provider: Provider) -> None:
        few = query_count(client, USERS)
        for _ in range(8):
            make_staff(provider, "Finance")

        assert query_count(client, USERS) == few

    def test_has_no_buttons_for_who_may_not_change_anything(self, provider: Provider) -> None:
        assert "Invite user" not in page(as_role(provider, "Finance"), USERS)


class TestInviting:
    def test_adds_a_user_who_chooses_a_password_by_a_link_in_an_email(
        self, client: Client, provider: Provider
    ) -> None:
        sent = client.post(
            INVITE,
            {
                "email": "Fay@aurora.example",
                "name": "Fay",
                "role": role_id(provider, "Finance"),
            },
        )
        invitation = Invitation.objects.get()
        waiting = page(client, sent["Location"])
        send_invitation(invitation_id=invitation.pk, at=AT)

        membership = Membership.objects.get(user__email="fay@aurora.example")
        assert (membership.provider, membership.role.name) == (provider, "Finance")
        assert "mail on its way" in waiting
        assert "mail sent" in page(client, sent["Location"])
        [message] = mail.outbox
        assert message.to == ["fay@aurora.example"]
        self.choose_password(re.findall(r"(/password/reset/\S+)", str(message.body))[0])
        assert User.objects.get(pk=membership.user_id).check_password("a long enough one")

    def choose_password(self, link: str) -> None:
        stranger = Client()
        form = stranger.get(link, follow=True)
        there = form.redirect_chain[-1][0]
        passwords = {"password1": "a long enough one", "password2": "a long enough one"}
        assert stranger.post(there, passwords).status_code == HTTPStatus.FOUND
        assert "no longer works" in Client().get(link, follow=True).content.decode()

    def test_hands_the_link_over_where_no_mail_is_sent(
        self, client: Client, provider: Provider, settings: Settings
    ) -> None:
        settings.EMAIL_URL = ""

        sent = client.post(
            INVITE,
            {"email": "fay@aurora.example", "name": "", "role": role_id(provider, "Finance")},
        )

        shown = page(client, sent["Location"])
        link = re.findall(r"(/password/\S+)</code>", shown)[0]
        assert mail.outbox == []
        assert "link handed over" in page(client, sent["Location"].removesuffix("link/"))
        entry = Entry.objects.get(action="membership.invited_again")
        assert entry.actor == Membership.objects.get(user__email="ada@aurora.example").user
        assert as_role(provider, "Admin").get(sent["Location"]).status_code == 404
        self.choose_password(link)
        assert client.get(sent["Location"]).status_code == 404

    @pytest.mark.parametrize(
        ("email", "says"),
        [
            ("", "This field is required"),
            ("fay", "Enter a valid email address"),
            ("ADA@aurora.example", "one of your staff already"),
            ("bo@borealis.example", "Somebody signs in as bo@borealis.example already"),
        ],
    )
    def test_says_what_is_wrong_and_keeps_what_was_typed(
        self, client: Client, provider: Provider, email: str, says: str
    ) -> None:
        make_staff(make_provider(name="Borealis"), email="bo@borealis.example")

        said = refused(
            client, INVITE, email=email, name="Fay Finch", role=role_id(provider, "Finance")
        )

        assert says in said
        assert "Fay Finch" in said
        assert "Borealis" not in said
        assert Membership.objects.filter(provider=provider).count() == 1
        assert not Invitation.objects.exists()

    def test_knows_no_role_of_another_provider(self, client: Client) -> None:
        foreign = role_id(make_provider(), "Finance")

        refused(client, INVITE, email="fay@aurora.example", name="", role=foreign)

        assert not User.objects.filter(email="fay@aurora.example").exists()

    def test_refuses_a_role_that_holds_more_than_who_invites(self, provider: Provider) -> None:
        user = make_staff(provider, "Read-only")
        own = Role.objects.create(
            provider=provider, name="Door", permissions=["settings.list", "settings.write"]
        )
        Membership.objects.filter(user=user).update(role=own)
        client = Client()
        client.force_login(user)

        said = refused(
            client, INVITE, email="fay@aurora.example", name="", role=role_id(provider, "Admin")
        )

        assert "you do not hold" in said
        assert not User.objects.filter(email="fay@aurora.example").exists()


class TestInvitingAgain:
    def test_sends_another_link_and_is_recorded(
        self, client: Client, admin: User, provider: Provider
    ) -> None:
        client.post(
            INVITE,
            {"email": "fay@aurora.example", "name": "", "role": role_id(provider, "Finance")},
        )
        Invitation.objects.update(state="FAILED", error="Connection refused")
        invited = User.objects.get(email="fay@aurora.example")
        shown = page(client, path_of(invited))

        confirm(client, path_of(invited, "invite/"))

        assert "Connection refused" in shown
        assert Invitation.objects.filter(user=invited, state="QUEUED").count() == 1
        entry = Entry.objects.get(action="membership.invited_again")
        assert entry.object_id == str(Membership.objects.get(user=invited).pk)
        assert entry.actor == admin

    def test_waits_after_thirty_in_an_hour(self, client: Client, provider: Provider) -> None:
        for _ in range(30):
            client.post(INVITE, {})

        sent = {"email": "fay@aurora.example", "role": role_id(provider, "Finance")}
        answer = client.post(INVITE, sent)

        assert answer.status_code == HTTPStatus.TOO_MANY_REQUESTS
        assert not User.objects.filter(email="fay@aurora.example").exists()

    def test_is_refused_for_who_has_a_password(self, client: Client, admin: User) -> None:
        said = refused(client, path_of(admin, "invite/"), _confirmed="1")

        assert "needs no invitation" in said
        assert not Invitation.objects.exists()


class TestTheRole:
    def test_is_changed(self, client: Client, provider: Provider) -> None:
        user = make_staff(provider, "Finance")

        client.post(path_of(user, "role/"), {"role": role_id(provider, "Read-only")})

        assert Membership.objects.get(user=user).role.name == "Read-only"
        assert "Read-only" in page(client, path_of(user))

    def test_of_oneself_stays(self, client: Client, admin: User, provider: Provider) -> None:
        said = refused(client, path_of(admin, "role/"), role=role_id(provider, "Read-only"))

        assert "for another administrator to change" in said
        assert Membership.objects.get(user=admin).role.name == "Admin"

    def test_of_another_provider_is_none(self, client: Client, provider: Provider) -> None:
        user = make_staff(provider, "Finance")

        refused(client, path_of(user, "role/"), role=role_id(make_provider(), "Read-only"))

        assert Membership.objects.get(user=user).role.name == "Finance"

    def test_of_somebody_elses_staff_is_not_found(self, client: Client, provider: Provider) -> None:
        user = make_staff(make_provider(), "Finance")

        posted = client.post(path_of(user, "role/"), {"role": role_id(provider, "Read-only")})

        assert posted.status_code == 404
        assert Membership.objects.get(user=user).role.name == "Finance"


class TestRemovingALostSecondFactor:
    @pytest.fixture
    def user(self, provider: Provider) -> User:
        user = make_staff(provider, "Finance", email="fay@aurora.example", password=PASSWORD)
        Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={"secret": "x"})
        Authenticator.objects.create(
            user=user, type=Authenticator.Type.RECOVERY_CODES, data={"seed": "x"}
        )
        return user

    def test_lets_them_in_by_the_password_alone_and_is_recorded(
        self, client: Client, admin: User, user: User
    ) -> None:
        sign_in = {"login": user.email, "password": PASSWORD}
        assert Client().post("/sign-in/", sign_in)["Location"] == "/sign-in/code/"

        assert path_of(user, "second-factor/") in page(client, path_of(user))
        confirm(client, path_of(user, "second-factor/"))

        assert Client().post("/sign-in/", sign_in)["Location"] == "/"
        assert not Authenticator.objects.exists()
        [entry] = Entry.objects.filter(action="membership.second_factor_removed")
        assert (entry.actor, entry.before) == (admin, {"second_factor": "totp"})

    def test_signs_them_out(self, client: Client, user: User) -> None:
        Authenticator.objects.all().delete()
        theirs = Client()
        theirs.post("/sign-in/", {"login": user.email, "password": PASSWORD})
        assert theirs.get("/console/").status_code == HTTPStatus.OK
        Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={"secret": "x"})

        confirm(client, path_of(user, "second-factor/"))

        assert theirs.get("/console/")["Location"].startswith("/sign-in/")

    def test_is_neither_offered_nor_done_where_there_is_none(
        self, client: Client, provider: Provider
    ) -> None:
        user = make_staff(provider, "Finance")

        said = refused(client, path_of(user, "second-factor/"), _confirmed="1")

        assert "has no second factor" in said
        assert path_of(user, "second-factor/") not in page(client, path_of(user))

    def test_of_somebody_elses_staff_is_not_found(self, client: Client) -> None:
        user = make_staff(make_provider(), "Finance")

        posted = client.post(path_of(user, "second-factor/"), {"_confirmed": "1"})

        assert posted.status_code == 404

    def test_is_for_another_to_do(self, client: Client, admin: User) -> None:
        Authenticator.objects.create(user=admin, type=Authenticator.Type.TOTP, data={})

        said = refused(client, path_of(admin, "second-factor/"), _confirmed="1")

        assert "for another administrator to change" in said
        assert Authenticator.objects.filter(user=admin).exists()


class TestDeactivating:
    def test_ends_their_sessions_at_once_and_lets_them_in_no_more(
        self, client: Client, provider: Provider
    ) -> None:
        sign_in = {"login": "fay@aurora.example", "password": "correct horse battery"}
        user = make_staff(provider, "Finance", email=sign_in["login"], password=sign_in["password"])
        theirs = Client()
        theirs.post("/sign-in/", sign_in)
        assert theirs.get("/console/").status_code == HTTPStatus.OK

        confirm(client, path_of(user, "deactivate/"))

        tried = Client()
        tried.post("/sign-in/", sign_in)
        assert theirs.get("/console/")["Location"].startswith("/sign-in/")
        assert tried.get("/console/")["Location"].startswith("/sign-in/")

    def test_ends_sessions_for_good(self, client: Client, provider: Provider) -> None:
        sign_in = {"login": "fay@aurora.example", "password": "correct horse battery"}
        user = make_staff(provider, "Finance", email=sign_in["login"], password=sign_in["password"])
        theirs = Client()
        theirs.post("/sign-in/", sign_in)
        theirs.get("/console/")

        confirm(client, path_of(user, "deactivate/"))
        confirm(client, path_of(user, "reactivate/"))

        assert theirs.get("/console/")["Location"].startswith("/sign-in/")

    def test_asks_first(self, client: Client, provider: Provider) -> None:
        user = make_staff(provider, "Finance")

        client.post(path_of(user, "deactivate/"))

        assert User.objects.get(pk=user.pk).is_active

    def test_is_refused_for_oneself(self, client: Client, admin: User) -> None:
        said = refused(client, path_of(admin, "deactivate/"), _confirmed="1")

        assert "for another administrator to change" in said
        assert User.objects.get(pk=admin.pk).is_active

    def test_of_somebody_elses_staff_is_not_found(self, client: Client) -> None:
        user = make_staff(make_provider(), "Finance")

        posted = client.post(path_of(user, "deactivate/"), {"_confirmed": "1"})

        assert posted.status_code == 404
        assert User.objects.get(pk=user.pk).is_active

    def test_is_taken_back(self, client: Client, provider: Provider) -> None:
        user = make_staff(provider, "Finance", is_active=False)

        confirm(client, path_of(user, "reactivate/"))

        assert User.objects.get(pk=user.pk).is_active
