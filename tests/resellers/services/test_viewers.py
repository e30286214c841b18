from datetime import UTC, datetime

import pytest

from audit.models import Entry
from common.scope import Scope
from resellers.selectors import viewers
from resellers.services.viewers import (
    add_reseller_user,
    invite_reseller_user,
    invite_reseller_user_again,
    remove_reseller_user,
)
from tenancy.models import Invitation
from tenancy.services.people import EmailRefused, EmailTaken, PasswordRefused
from tests.factories import make_provider, make_reseller, make_staff, make_user
from tests.refusals import refused

AT = datetime(2026, 10, 1, 9, tzinfo=UTC)

pytestmark = pytest.mark.django_db


class TestAddResellerUser:
    def test_lets_several_people_look(self) -> None:
        provider = make_provider()
        reseller = make_reseller(provider)

        for email, password in [("mia@meridian.example", "correct horse"), ("max@a.example", None)]:
            add_reseller_user(
                reseller=reseller, email=email, password=password, at=AT, actor_id=None
            )

        seen = viewers(Scope.system(provider.pk), reseller)
        assert [(row.user.email, row.user.has_usable_password()) for row in seen] == [
            ("max@a.example", False),
            ("mia@meridian.example", True),
        ]
        entry = Entry.objects.filter(action="reseller_user.added").order_by("pk")[0]
        assert entry.after == {"email": "mia@meridian.example", "reseller": str(reseller.number)}

    def test_refuses_an_address_that_signs_in_already(self) -> None:
        reseller = make_reseller(make_provider())
        make_user(email="mia@meridian.example")

        with refused(EmailTaken):
            add_reseller_user(reseller=reseller, email="Mia@meridian.example", at=AT, actor_id=None)

    def test_refuses_a_bad_address_or_password(self) -> None:
        reseller = make_reseller(make_provider())

        with refused(EmailRefused):
            add_reseller_user(reseller=reseller, email="mia", at=AT, actor_id=None)
        with refused(PasswordRefused):
            add_reseller_user(
                reseller=reseller, email="mia@a.example", password="short", at=AT, actor_id=None
            )


class TestInviteResellerUser:
    def test_has_a_mail_sent_in_the_providers_name_and_again_on_wish(self) -> None:
        provider = make_provider(name="Aurora")
        staff = make_staff(provider)

        viewer = invite_reseller_user(
            reseller=make_reseller(provider),
            email="mia@meridian.example",
            name="Mia",
            at=AT,
            actor_id=staff.pk,
        )
        Invitation.objects.update(state="SENT", sent_at=AT)
        invite_reseller_user_again(viewer=viewer, at=AT, actor_id=staff.pk)

        rows = Invitation.objects.order_by("pk")
        assert [(row.user, row.inviter, row.state) for row in rows] == [
            (viewer.user, "Aurora", "SENT"),
            (viewer.user, "Aurora", "QUEUED"),
        ]


class TestRemoveResellerUser:
    def test_ends_their_sign_in(self) -> None:
        provider = make_provider()
        reseller = make_reseller(provider)
        viewer = add_reseller_user(
            reseller=reseller, email="mia@meridian.example", at=AT, actor_id=None
        )

        remove_reseller_user(viewer=viewer, at=AT, actor_id=make_staff(provider).pk)

        viewer.user.refresh_from_db()
        assert not viewer.user.is_active
        assert not viewers(Scope.system(provider.pk), reseller).exists()
        entry = Entry.objects.get(action="reseller_user.removed")
        assert entry.before == {"email": "mia@meridian.example", "reseller": str(reseller.number)}
