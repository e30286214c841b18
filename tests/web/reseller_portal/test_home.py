from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from common import clock
from customers.models import Customer
from resellers.models import Reseller
from tests.factories import make_customer, make_reseller
from tests.web.reseller_portal.pages import page, words_of

pytestmark = pytest.mark.django_db


class TestTheFirstPage:
    def test_counts_ones_customers_by_state(self, viewer: Client, meridian: Reseller) -> None:
        for state in (Customer.State.ACTIVE, Customer.State.ACTIVE, Customer.State.TERMINATED):
            make_customer(meridian.provider, meridian, state=state)
        make_customer(meridian.provider, make_reseller(meridian.provider))

        text = words_of(viewer, "/reseller/")

        assert "Active 2" in text
        assert "Terminated 1" in text
        assert "Customers with your codes 3" in text
        assert "/reseller/customers/?state=TERMINATED" in page(viewer, "/reseller/")

    def test_charts_who_came_in_which_month_of_the_providers_zone(
        self, viewer: Client, meridian: Reseller
    ) -> None:
        zone = ZoneInfo(meridian.provider.time_zone)
        now = clock.now().astimezone(zone)
        first = datetime(now.year, now.month, 1, tzinfo=zone)
        for created_at in (first, first, first.replace(year=now.year - 5)):
            make_customer(meridian.provider, meridian, created_at=created_at)

        text = page(viewer, "/reseller/")

        rows = text.partition("<tbody>")[2].partition("</tbody>")[0]
        assert f'<tr><td>{now:%b}</td><td class="number">2</td></tr>' in rows
        assert rows.count("<tr>") == 12
        assert rows.count('<td class="number">0</td>') == 11

    def test_says_what_will_be_there(self, viewer: Client) -> None:
        assert "No customers yet" in page(viewer, "/reseller/")
