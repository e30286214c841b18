from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from audit.models import Entry
from resellers.models import Reseller, ResellerCode
from resellers.services.codes import (
    CodePublished,
    CodeRefused,
    CodeTaken,
    DefaultCodeExpires,
    change_code_expiry,
    create_code,
    publish_code,
    reword_code,
)
from resellers.services.module import ModuleSettings, change_module
from tests.factories import make_code, make_provider, make_reseller
from tests.race import race
from tests.refusals import refused

AT = datetime(2026, 10, 1, 9, tzinfo=UTC)
LATER = AT + timedelta(days=30)

pytestmark = pytest.mark.django_db


def create(reseller: Reseller, code: str, **fields: Any) -> ResellerCode:
    return create_code(reseller=reseller, code=code, at=AT, actor_id=None, **fields)


def publish(code: ResellerCode) -> ResellerCode:
    return publish_code(code=code, at=AT, actor_id=None)


class TestCreateCode:
    def test_drafts_one_of_several(self) -> None:
        reseller = make_reseller(make_provider())

        code = create(reseller, "SPRING", campaign="Spring fair", expires_at=LATER)
        create(reseller, "AUTUMN")

        assert (code.published_at, code.campaign, code.expires_at) == (None, "Spring fair", LATER)
        assert reseller.codes.count() == 2

    def test_refuses_one_that_reads_the_same(self) -> None:
        provider = make_provider()
        meridian, zenith = make_reseller(provider), make_reseller(provider)
        create(meridian, "Spring")

        for reseller in (meridian, zenith):
            with refused(CodeTaken):
                create(reseller, "sPRING")

    def test_lets_another_provider_have_it(self) -> None:
        create(make_reseller(make_provider()), "SPRING")

        assert create(make_reseller(make_provider()), "SPRING").code == "SPRING"

    @pytest.mark.parametrize("text", ["", " ", "-A", "A B", "Ä", "A" * 41, "A\n"])
    def test_refuses_what_is_no_plain_text(self, text: str) -> None:
        reseller = make_reseller(make_provider())

        with refused(CodeRefused):
            create(reseller, text)


class TestPublishCode:
    def test_fixes_the_code_for_good(self) -> None:
        code = publish(create(make_reseller(make_provider()), "SPRING"))

        assert code.published_at == AT
        with refused(CodePublished):
            publish(code)
        with refused(CodePublished, "create another"):
            reword_code(code=code, text="SUMMER", at=AT, actor_id=None)
        with pytest.raises(IntegrityError, match="is fixed"), transaction.atomic():
            ResellerCode.objects.filter(pk=code.pk).update(code="SUMMER")
        with pytest.raises(IntegrityError, match="is fixed"), transaction.atomic():
            ResellerCode.objects.filter(pk=code.pk).delete()


class TestRewordCode:
    def test_changes_a_draft(self) -> None:
        code = create(make_reseller(make_provider()), "SPRING")

        reworded = reword_code(code=code, text="Spring", at=AT, actor_id=None)

        assert reworded.code == "Spring"
        entry = Entry.objects.get(action="reseller_code.reworded")
        assert (entry.before, entry.after) == ({"code": "SPRING"}, {"code": "Spring"})

    def test_refuses_what_another_code_reads(self) -> None:
        reseller = make_reseller(make_provider())
        code = create(reseller, "SPRING")
        create(reseller, "SUMMER")

        with refused(CodeTaken):
            reword_code(code=code, text="summer", at=AT, actor_id=None)


class TestChangeCodeExpiry:
    def test_is_possible_after_publishing(self) -> None:
        code = publish(create(make_reseller(make_provider()), "SPRING"))

        changed = change_code_expiry(code=code, expires_at=LATER, at=AT, actor_id=None)

        assert changed.expires_at == LATER

    def test_refuses_to_let_the_default_code_expire(self) -> None:
        provider = make_provider()
        code = make_code(make_reseller(provider))
        settings = ModuleSettings(is_enabled=True, default_code_id=code.pk)
        change_module(provider_id=provider.pk, settings=settings, at=AT, actor_id=None)

        with refused(DefaultCodeExpires):
            change_code_expiry(code=code, expires_at=LATER, at=AT, actor_id=None)


@pytest.mark.django_db(transaction=True)
class TestTheSameCodeAtOnce:
    def test_goes_to_one_of_two_resellers(self) -> None:
        provider = make_provider()
        meridian, zenith = make_reseller(provider), make_reseller(provider)

        outcomes = race(lambda: create(meridian, "SPRING"), lambda: create(zenith, "spring"))

        assert sorted(type(outcome).__name__ for outcome in outcomes) == [
            "CodeTaken",
            "ResellerCode",
        ]
        assert ResellerCode.objects.count() == 1
