from datetime import UTC, datetime

import pytest

from audit.models import Entry
from billing.services.providers import TimeZoneFixed, change_provider
from tenancy.models import Provider
from tenancy.services.providers import ProviderRefused
from tests.factories import make_customer, make_provider, make_staff
from tests.factories.billing import make_charge

AT = datetime(2026, 11, 2, 9, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider() -> Provider:
    return make_provider(name="Aurora", currency="EUR", time_zone="Europe/Berlin")


def change(provider: Provider, **changes: str) -> Provider:
    values = {"name": "Aurora", "currency": "EUR", "time_zone": "Europe/Berlin"}
    actor_id = make_staff(provider).pk
    return change_provider(provider_id=provider.pk, **values | changes, at=AT, actor_id=actor_id)


class TestChangeProvider:
    def test_changes_name_currency_and_time_zone_and_records_what_it_changed(
        self, provider: Provider
    ) -> None:
        for _ in range(2):
            change(provider, name="Aurora Telecom", time_zone="America/New_York")

        provider.refresh_from_db()
        assert (provider.name, provider.currency, provider.time_zone) == (
            "Aurora Telecom",
            "EUR",
            "America/New_York",
        )
        entry = Entry.objects.get(action="provider.changed")
        assert entry.at == AT
        assert entry.before == {"name": "Aurora", "time_zone": "Europe/Berlin"}
        assert entry.after == {"name": "Aurora Telecom", "time_zone": "America/New_York"}

    def test_keeps_the_time_zone_once_anything_was_charged_and_changes_the_rest(
        self, provider: Provider
    ) -> None:
        make_charge(make_customer(provider), "5")

        with pytest.raises(TimeZoneFixed, match="It stays Europe/Berlin"):
            change(provider, name="Other", time_zone="America/New_York")
        change(provider, currency="USD")

        provider.refresh_from_db()
        assert (provider.name, provider.currency, provider.time_zone) == (
            "Aurora",
            "USD",
            "Europe/Berlin",
        )

    def test_minds_no_bills_of_another_provider(self, provider: Provider) -> None:
        make_charge(make_customer(make_provider()), "5")

        assert change(provider, time_zone="UTC").time_zone == "UTC"

    @pytest.mark.parametrize(
        "changes", [{"name": ""}, {"name": "x" * 201}, {"currency": "EURO"}, {"time_zone": "Mars"}]
    )
    def test_refuses_what_is_none(self, provider: Provider, changes: dict[str, str]) -> None:
        with pytest.raises(ProviderRefused):
            change(provider, **changes)

        assert Provider.objects.get(pk=provider.pk).name == "Aurora"
        assert not Entry.objects.filter(action="provider.changed").exists()
