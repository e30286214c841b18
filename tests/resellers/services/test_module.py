from datetime import UTC, datetime, timedelta

import pytest

from audit.models import Entry
from common.scope import Scope
from resellers.models import Reseller, ResellerModule
from resellers.selectors import default_code, module
from resellers.services.module import DefaultCodeRefused, ModuleSettings, change_module
from tenancy.models import Provider
from tests.factories import make_code, make_provider, make_reseller
from tests.refusals import refused

AT = datetime(2026, 10, 1, 9, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def change(provider: Provider, settings: ModuleSettings) -> ResellerModule:
    return change_module(provider_id=provider.pk, settings=settings, at=AT, actor_id=None)


class TestChangeModule:
    def test_switches_it_and_names_a_default_code(self) -> None:
        provider = make_provider()
        code = make_code(make_reseller(provider))
        scope = Scope.system(provider.pk)

        change(provider, ModuleSettings(is_enabled=True, default_code_id=code.pk))
        assert default_code(scope) == code

        change(provider, ModuleSettings(is_enabled=False, default_code_id=code.pk))
        assert default_code(scope) is None
        assert not module(scope).is_enabled

    def test_makes_the_settings_of_a_provider_that_has_none(self) -> None:
        provider = make_provider()
        ResellerModule.objects.filter(provider=provider).delete()
        assert not module(Scope.system(provider.pk)).is_enabled

        change(provider, ModuleSettings(is_enabled=True, commission_after_disabling=True))

        stored = ResellerModule.objects.get(provider=provider)
        assert (stored.is_enabled, stored.commission_after_disabling) == (True, True)

    def test_records_what_changed(self) -> None:
        provider = make_provider()

        for _ in range(2):
            change(provider, ModuleSettings(is_enabled=False))

        entry = Entry.objects.get(action="reseller_module.changed")
        assert (entry.before, entry.after) == ({"is_enabled": "True"}, {"is_enabled": "False"})

    def test_refuses_a_default_that_not_every_sign_up_could_use(self) -> None:
        provider = make_provider()
        active = make_reseller(provider)
        disabled = make_reseller(provider, state=Reseller.State.DISABLED)
        foreign = make_reseller(make_provider())
        codes = {
            "no such code": make_code(foreign),
            "disabled": make_code(disabled),
            "draft": make_code(active, published_at=None),
            "expires": make_code(active, expires_at=AT + timedelta(days=900)),
        }

        for why, code in codes.items():
            with refused(DefaultCodeRefused, why):
                change(provider, ModuleSettings(is_enabled=True, default_code_id=code.pk))
