from datetime import UTC, datetime, timedelta

import pytest

from audit.selectors import entries_about
from audit.services import record
from common.scope import Scope
from resellers.models import Reseller, ResellerCode
from tests.factories import make_code, make_provider, make_reseller

pytestmark = pytest.mark.django_db
AT = datetime(2026, 10, 1, tzinfo=UTC)


def record_change(row: Reseller | ResellerCode, action: str, minutes: int = 0) -> None:
    at = AT + timedelta(minutes=minutes)
    record(provider_id=row.provider_id, action=action, changed=row, at=at, actor_id=None)


class TestEntriesAbout:
    def test_are_those_of_the_rows_the_latest_first(self) -> None:
        provider = make_provider()
        reseller, other = make_reseller(provider), make_reseller(provider)
        code = make_code(reseller)
        record_change(reseller, "reseller.created")
        record_change(code, "reseller_code.created", minutes=1)
        record_change(other, "reseller.created", minutes=2)

        found = entries_about(
            Scope.system(provider.pk), {Reseller: [reseller.pk], ResellerCode: [code.pk]}
        )

        assert [entry.action for entry in found] == ["reseller_code.created", "reseller.created"]

    def test_are_never_another_providers(self) -> None:
        reseller = make_reseller(make_provider())
        record_change(reseller, "reseller.created")

        found = entries_about(Scope.system(make_provider().pk), {Reseller: [reseller.pk]})

        assert list(found) == []
