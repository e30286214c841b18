from http import HTTPStatus
from typing import Any

import pytest
from django.test import Client

from catalogue.models import TimeProfile
from tenancy.models import Provider
from tests.factories import (
    make_product,
    make_provider,
    make_rate_table,
    make_staff,
    make_time_profile,
)

pytestmark = pytest.mark.django_db
PROFILES = "/console/time-profiles/"
PEAK = {
    "name": "Peak",
    "weight": "0",
    "weekdays_1": ["Mon", "Tue", "Wed"],
    "days_1": "",
    "from_1": "8:00",
    "to_1": "20:00",
}
HOLIDAYS = {"days_2": "12-25, 2026-04-06", "from_2": "", "to_2": ""}


@pytest.fixture
def provider() -> Provider:
    return make_provider()


@pytest.fixture
def staff(client: Client, provider: Provider) -> Client:
    client.force_login(make_staff(provider))
    return client


def errors(response: Any) -> dict[str, Any]:
    assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    return dict(response.context["form"].errors)


class TestAddingAProfile:
    def test_takes_rows_of_days_and_hours(self, staff: Client) -> None:
        response = staff.post(f"{PROFILES}new/", PEAK | HOLIDAYS | {"from_3": "", "to_3": ""})

        profile = TimeProfile.objects.get()
        assert response.headers["Location"] == f"{PROFILES}{profile.pk}/"
        assert profile.ranges == ("Mon-Wed 08:00-20:00;12-25,2026-04-06 00:00-24:00")

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"from_1": "25:00"}, "from_1"),
            ({"from_1": "8"}, "from_1"),
            ({"to_1": "24:01"}, "to_1"),
            ({"to_1": "08:00"}, "to_1"),
            ({"days_1": "12-32"}, "days_1"),
            ({"days_1": "Christmas"}, "days_1"),
            ({"days_1": "Mon"}, "days_1"),
            ({"weekdays_1": ["Mon", "Dienstag"]}, "weekdays_1"),
            ({"weekdays_1": []}, "days_1"),
            ({"weekdays_1": [], "from_1": "", "to_1": ""}, "weekdays_1"),
            ({"weight": "-1"}, "weight"),
            ({"name": ""}, "name"),
        ],
    )
    def test_says_at_the_field_what_is_wrong(
        self, staff: Client, wrong: dict[str, Any], field: str
    ) -> None:
        response = staff.post(f"{PROFILES}new/", PEAK | wrong)

        assert field in errors(response)
        assert not TimeProfile.objects.exists()

    def test_keeps_a_name_that_is_taken(self, staff: Client) -> None:
        staff.post(f"{PROFILES}new/", PEAK)

        assert "There is a time profile" in errors(staff.post(f"{PROFILES}new/", PEAK))["name"][0]


class TestTheProfile:
    def test_shows_its_week_and_who_uses_it(self, staff: Client, provider: Provider) -> None:
        profile = make_time_profile(provider, "Mon-Fri 08:30-20:00;12-25 00:00-24:00", weight=20)
        make_rate_table(make_product(provider), {"49": {"time_profile": profile}}, name="Retail")

        text = staff.get(f"{PROFILES}{profile.pk}/").content.decode()

        # 84 for the label; 30 x 8.5 and 30 x 11.5 wide: 720 for 24 hours
        assert text.count('x="339.0" y="') == 5
        assert text.count('width="345.0"') == 5
        assert "<title>25 Dec 00:00 to 24:00</title>" in text
        assert "Retail</a></dt><dd>1 rate</dd>" in text
        assert f"{PROFILES}{profile.pk}/delete/" not in text


class TestChangingAProfile:
    def test_shows_what_there_is_with_rows_to_spare(
        self, staff: Client, provider: Provider
    ) -> None:
        profile = make_time_profile(provider, "Mon-Fri 08:00-20:00;12-25 00:00-24:00", weight=3)

        form = staff.get(f"{PROFILES}{profile.pk}/change/").context["form"]

        assert len(form.rows) == 5
        assert form.initial["weekdays_1"] == ["Mon", "Tue", "Wed", "Thu", "Fri"]
        assert (form.initial["days_2"], form.initial["to_2"]) == ("12-25", "24:00")

    def test_is_done_at_once_while_no_rate_is_for_it(
        self, staff: Client, provider: Provider
    ) -> None:
        profile = make_time_profile(provider, "Sat 00:00-24:00")

        staff.post(f"{PROFILES}{profile.pk}/change/", PEAK)

        assert TimeProfile.objects.get().ranges == "Mon-Wed 08:00-20:00"

    def test_names_the_tables_that_it_changes_first(
        self, staff: Client, provider: Provider
    ) -> None:
        profile = make_time_profile(provider, "Sat 00:00-24:00")
        make_rate_table(make_product(provider), {"49": {"time_profile": profile}}, name="Retail")
        url = f"{PROFILES}{profile.pk}/change/"

        text = staff.post(url, PEAK).content.decode()

        assert "Retail" in text
        assert 'name="weekdays_1" value="Tue"' in text
        assert TimeProfile.objects.get().ranges == "Sat 00:00-24:00"
        staff.post(url, PEAK | {"_confirmed": "1"})
        assert TimeProfile.objects.get().ranges == "Mon-Wed 08:00-20:00"


class TestDeletingAProfile:
    def test_asks_first(self, staff: Client, provider: Provider) -> None:
        profile = make_time_profile(provider, "Sat 00:00-24:00")

        staff.get(f"{PROFILES}{profile.pk}/delete/")
        assert TimeProfile.objects.exists()
        staff.post(f"{PROFILES}{profile.pk}/delete/", {"_confirmed": "1"})
        assert not TimeProfile.objects.exists()

    def test_refuses_one_that_is_used(self, staff: Client, provider: Provider) -> None:
        profile = make_time_profile(provider, "Sat 00:00-24:00")
        make_rate_table(make_product(provider), {"49": {"time_profile": profile}})

        response = staff.post(f"{PROFILES}{profile.pk}/delete/", {"_confirmed": "1"})

        assert "1 rates are for" in response.content.decode()
        assert TimeProfile.objects.exists()
