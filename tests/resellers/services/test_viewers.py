from datetime import UTC, datetime

import pytest

from audit.models import Entry
from common.scope import Scope
from resellers.selectors import viewers
from resellers.services.viewers import add_reseller_user
from tenancy.services.people import EmailRefused, EmailTaken, PasswordRefused
from tests.factories import make_provider, make_reseller, make_user
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
