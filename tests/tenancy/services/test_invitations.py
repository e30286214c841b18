import re
from datetime import UTC, datetime, timedelta

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.core.mail import EmailMessage
from django.test import Client
from pytest_django import Settings

from common.tries import MOST_TRIES
from tenancy import row_security, tasks
from tenancy.models import Invitation, Provider, User
from tenancy.services.invitations import (
    NobodyCanBeInvited,
    NotInvited,
    invite_again,
    invite_user,
    queue_unsent,
    send_invitation,
)
from tenancy.services.people import EmailTaken, create_user, release_user
from tests.factories import make_provider, make_user
from tests.factories.tries import fail
from tests.factories.tries import refused as out_of_order
from tests.mail_server import mail_server
from tests.refusals import refused

AT = datetime(2026, 10, 1, 9, tzinfo=UTC)
PASSWORD = "correct horse battery"

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider() -> Provider:
    return make_provider("aurora", name="Aurora Telecom")


def invite(provider: Provider, email: str = "nora@nord.example") -> User:
    return invite_user(
        provider_id=provider.pk, email=email, name="Nora", inviter="Nord", at=AT, actor_id=None
    )


class TestInviteUser:
    def test_mails_a_link_that_lets_them_choose_a_password(
        self, provider: Provider, client: Client, mailoutbox: list[EmailMessage]
    ) -> None:
        user = invite(provider)

        assert send_invitation(invitation_id=Invitation.objects.get().pk, at=AT)

        (message,) = mailoutbox
        assert (message.to, message.subject) == (
            ["nora@nord.example"],
            "Your sign-in at Aurora Telecom",
        )
        assert "Nord invites you to sign in at Aurora Telecom as nora@nord.example" in message.body
        assert "within 3 days" in message.body
        link = re.findall(r"http://127\.0\.0\.1:8000(\S+)", str(message.body))[0]
        form = client.get(link, follow=True)
        passwords = {"password1": PASSWORD, "password2": PASSWORD}
        client.post(form.request["PATH_INFO"], passwords)
        user.refresh_from_db()
        assert user.check_password(PASSWORD)

    def test_sends_each_once(self, provider: Provider, mailoutbox: list[EmailMessage]) -> None:
        invite(provider)
        invitation = Invitation.objects.get()

        sent = [send_invitation(invitation_id=invitation.pk, at=AT) for _ in range(2)]

        assert sent == [True, False]
        assert len(mailoutbox) == 1

    def test_refuses_who_signs_in_elsewhere(self, provider: Provider) -> None:
        make_user(email="nora@nord.example")

        with refused(EmailTaken):
            invite(provider, "NORA@nord.example")

        assert not Invitation.objects.exists()

    def test_refuses_where_no_mail_is_sent(self, provider: Provider, settings: Settings) -> None:
        settings.EMAIL_URL = ""

        with refused(NobodyCanBeInvited):
            invite(provider)

        assert not User.objects.exists()

    def test_works_for_the_web_role(self, provider: Provider) -> None:
        with (
            row_security.web_role(),
            row_security.acting_for(provider_id=provider.pk, user_id=None),
        ):
            invite(provider)

        assert Invitation.objects.get().user.email == "nora@nord.example"


class TestAFailure:
    def test_is_kept_and_another_can_be_asked_for(
        self, provider: Provider, settings: Settings
    ) -> None:
        user = invite(provider)
        first = Invitation.objects.get()
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST = "127.0.0.1"

        with mail_server(refuses=True) as server:
            settings.EMAIL_PORT = server.port
            assert not send_invitation(invitation_id=first.pk, at=AT)
        again = invite_again(provider_id=provider.pk, user=user, at=AT, actor_id=None)
        with mail_server() as server:
            settings.EMAIL_PORT = server.port
            assert send_invitation(invitation_id=again.pk, at=AT)

        first.refresh_from_db()
        assert first.state == "FAILED"
        assert "no such mailbox" in first.error
        assert [recipients for recipients, _ in server.received] == [["nora@nord.example"]]


class TestAnInvitationThatAlwaysFails:
    def test_is_given_up_after_five_tries_and_another_can_be_asked_for(
        self, provider: Provider, mailoutbox: list[EmailMessage]
    ) -> None:
        user = invite(provider)
        first = Invitation.objects.get()

        with out_of_order("UPDATE", "tenancy_invitation", when="NEW.state = 'SENT'"):
            fail(Invitation, lambda: tasks.send_invitation(invitation_id=first.pk))
        swept = queue_unsent(at=AT + timedelta(days=1))
        mailoutbox.clear()
        again = invite_again(provider_id=provider.pk, user=user, at=AT, actor_id=None)
        was_sent = tasks.send_invitation(invitation_id=again.pk)

        first.refresh_from_db()
        assert (first.state, first.try_count, first.sent_at) == ("FAILED", MOST_TRIES, None)
        assert first.error == "It was tried five times. InternalError: out of order"
        assert (swept, was_sent, len(mailoutbox)) == (0, True, 1)


class TestInviteAgain:
    def test_leaves_one_that_is_on_its_way(self, provider: Provider) -> None:
        user = invite(provider)

        invite_again(provider_id=provider.pk, user=user, at=AT, actor_id=None)

        assert Invitation.objects.count() == 1

    def test_refuses_who_has_signed_in(self, provider: Provider) -> None:
        user = invite(provider)
        user.last_login = AT

        with refused(NotInvited):
            invite_again(provider_id=provider.pk, user=user, at=AT, actor_id=None)

    def test_refuses_who_was_never_invited(self, provider: Provider) -> None:
        user = make_user()

        with refused(NotInvited):
            invite_again(provider_id=provider.pk, user=user, at=AT, actor_id=None)


class TestTheSweep:
    def test_finds_what_was_lost_and_leaves_what_is_fresh(self, provider: Provider) -> None:
        invite(provider)

        assert queue_unsent(at=AT + timedelta(minutes=4)) == 0
        assert queue_unsent(at=AT + timedelta(minutes=6)) == 1


class TestReleaseUser:
    def test_takes_the_sign_in_and_frees_the_address(self, provider: Provider) -> None:
        user = create_user(email="nora@nord.example", name="Nora", password=PASSWORD, at=AT)
        EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
        Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={})

        release_user(user_id=user.pk, at=AT)

        user.refresh_from_db()
        assert (user.is_active, user.left_at, user.has_usable_password()) == (False, AT, False)
        assert not EmailAddress.objects.exists()
        assert not Authenticator.objects.exists()

    def test_takes_back_an_invitation_that_is_on_its_way(
        self, provider: Provider, mailoutbox: list[EmailMessage]
    ) -> None:
        user = invite(provider)
        invitation = Invitation.objects.get()

        release_user(user_id=user.pk, at=AT)

        assert not send_invitation(invitation_id=invitation.pk, at=AT)
        assert mailoutbox == []

    def test_lets_the_same_person_be_taken_in_again(self, provider: Provider) -> None:
        user = invite(provider)
        release_user(user_id=user.pk, at=AT)

        again = invite_user(
            provider_id=provider.pk,
            email="Nora@nord.example",
            name="Nora Neu",
            inviter="Sued",
            at=AT + timedelta(days=1),
            actor_id=None,
        )

        assert again.pk == user.pk
        user.refresh_from_db()
        assert (user.is_active, user.left_at, user.name) == (True, None, "Nora Neu")
        assert not user.has_usable_password()
