from datetime import UTC, datetime

import pytest
from django.test import Client

from resellers.models import Reseller
from tests.factories import make_code, make_customer, make_reseller
from tests.web.reseller_portal.pages import page

pytestmark = pytest.mark.django_db


class TestTheListOfCodes:
    def test_has_ones_published_codes_with_their_links_and_customers(
        self, viewer: Client, meridian: Reseller
    ) -> None:
        make_code(meridian, "SPRING", expires_at=datetime(2026, 7, 1, tzinfo=UTC))
        make_code(meridian, "DRAFT", published_at=None)
        make_code(make_reseller(meridian.provider), "ZENITH")
        for _ in range(2):
            make_customer(meridian.provider, meridian)

        file = viewer.get("/reseller/codes/?format=csv").content.decode()

        lines = [line.split(",") for line in file.splitlines()[1:]]
        assert [(line[0], line[1], *line[3:]) for line in lines] == [
            (
                "MERIDIAN",
                "Autumn fair",
                "",
                "2",
                "http://testserver/sign-up/aurora/?code=MERIDIAN",
            ),
            (
                "SPRING",
                "",
                "2026-07-01T02:00:00+02:00",
                "0",
                "http://testserver/sign-up/aurora/?code=SPRING",
            ),
        ]

    def test_shows_the_link_to_copy(self, viewer: Client) -> None:
        text = page(viewer, "/reseller/codes/")

        assert "<code>http://testserver/sign-up/aurora/?code=MERIDIAN</code>" in text
