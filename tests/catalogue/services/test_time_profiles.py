from datetime import UTC, datetime
from typing import Any

import pytest

from audit.models import Entry
from catalogue.models import RateTable, TimeProfile
from catalogue.services.time_profiles import (
    TimeProfileNameTaken,
    TimeProfileRefused,
    TimeProfileUsed,
    change_time_profile,
    create_time_profile,
    delete_time_profile,
)
from tenancy.models import Provider
from tests.factories import make_product, make_provider, make_rate, make_rate_table

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 10, 10, 12, tzinfo=UTC)
PEAK = "Mon-Fri 08:00-20:00"


@pytest.fixture
def provider() -> Provider:
    return make_provider()


def create(provider: Provider, **fields: Any) -> TimeProfile:
    values = {"name": "Peak", "ranges": PEAK, "weight": 0, **fields}
    return create_time_profile(provider_id=provider.pk, **values, at=NOON, actor_id=None)


def change(profile: TimeProfile, **fields: Any) -> TimeProfile:
    values = {"name": profile.name, "ranges": profile.ranges, "weight": profile.weight, **fields}
    return change_time_profile(profile=profile, **values, at=NOON, actor_id=None)


def used(profile: TimeProfile) -> RateTable:
    table = make_rate_table(make_product(profile.provider), {"49": {"time_profile": profile}})
    table.refresh_from_db()
    return table


class TestCreatingAProfile:
    def test_keeps_the_hours_in_one_way_to_write_them(self, provider: Provider) -> None:
        create(make_provider())

        profile = create(provider, ranges="Tue,Mon 8:00-20:00", weight=5)

        assert (profile.ranges, profile.weight) == ("Mon-Tue 08:00-20:00", 5)
        assert Entry.objects.get(provider_id=provider.pk).after == {
            "name": "Peak",
            "ranges": "Mon-Tue 08:00-20:00",
            "weight": "5",
        }

    @pytest.mark.parametrize(
        "wrong",
        [
            {"ranges": ""},
            {"ranges": "Mon 20:00-08:00"},
            {"ranges": f"{PEAK} @20"},
            {"name": ""},
            {"name": "x" * 101},
            {"weight": -1},
            {"weight": 2**31},
        ],
    )
    def test_refuses_what_is_none(self, provider: Provider, wrong: dict[str, Any]) -> None:
        with pytest.raises(TimeProfileRefused):
            create(provider, **wrong)

        assert not TimeProfile.objects.exists()

    def test_refuses_a_name_in_use(self, provider: Provider) -> None:
        create(provider)

        with pytest.raises(TimeProfileNameTaken):
            create(provider, name="PEAK")


class TestChangingAProfile:
    def test_makes_a_new_revision_of_the_tables_that_use_it(self, provider: Provider) -> None:
        profile = create(provider)
        table, other = used(profile), used(create(provider, name="Night"))

        change(profile, ranges="Sat 08:00-20:00")

        revisions = dict(RateTable.objects.values_list("pk", "revision"))
        assert revisions == {table.pk: table.revision + 1, other.pk: other.revision}
        assert Entry.objects.get(action="time_profile.changed").before == {"ranges": PEAK}

    def test_changes_no_table_with_the_name_alone(self, provider: Provider) -> None:
        profile = create(provider)
        table = used(profile)

        assert change(profile, name="Busy hours").name == "Busy hours"
        assert RateTable.objects.get().revision == table.revision

    def test_records_nothing_without_a_change(self, provider: Provider) -> None:
        change(create(provider), ranges="Mon,Tue,Wed,Thu,Fri 08:00-20:00")

        assert not Entry.objects.filter(action="time_profile.changed").exists()

    def test_refuses_the_name_of_another(self, provider: Provider) -> None:
        create(provider)
        night = create(provider, name="Night")

        with pytest.raises(TimeProfileNameTaken):
            change(night, name="peak")

        night.refresh_from_db()
        assert night.name == "Night"


class TestDeletingAProfile:
    def test_removes_one_that_no_rate_is_for(self, provider: Provider) -> None:
        delete_time_profile(profile=create(provider), at=NOON, actor_id=None)

        assert not TimeProfile.objects.exists()
        assert Entry.objects.filter(action="time_profile.deleted").count() == 1

    def test_refuses_one_that_is_used(self, provider: Provider) -> None:
        profile = create(provider)
        make_rate(used(profile), "44", time_profile=profile)

        with pytest.raises(TimeProfileUsed, match="2 rates are for Peak"):
            delete_time_profile(profile=profile, at=NOON, actor_id=None)

        assert TimeProfile.objects.exists()
