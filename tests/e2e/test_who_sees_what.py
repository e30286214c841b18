"""Walls: a reseller sees exactly its customers, a provider's staff nothing of another's."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from customers.models import Customer
from resellers.models import Reseller
from tenancy.models import Provider
from tests.e2e.test_every_page import PAGES, needs
from tests.e2e.visits import Visit
from tests.e2e.world import make_aurora, trade
from tests.factories import (
    make_customer,
    make_provider,
    make_reseller,
    make_reseller_user,
    make_staff,
)
from tests.web.matrix import address

pytestmark = pytest.mark.django_db(transaction=True)
Visits = Callable[..., Visit]
NOT_FOUND, NOT_ALLOWED = 404, 405


def names_in_list(page: Page) -> set[str]:
    return set(page.locator("#list tbody tr td:nth-child(2)").all_inner_texts())


class TestAReseller:
    @pytest.fixture
    def resellers(self) -> dict[str, Reseller]:
        """Two of Aurora's, and one of Borealis's."""
        aurora = make_provider("aurora", name="Aurora Telecom")
        borealis = make_provider("borealis", name="Borealis Cloud")
        return {
            "meridian": make_reseller(aurora, organisation="Meridian Partners"),
            "halo": make_reseller(aurora, organisation="Halo Sales"),
            "boreal": make_reseller(borealis, organisation="Boreal Friends"),
        }

    @pytest.fixture
    def customers(self, resellers: dict[str, Reseller]) -> dict[str, Customer]:
        aurora, borealis = resellers["meridian"].provider, resellers["boreal"].provider
        owners: dict[str, tuple[Provider, Reseller | None]] = {
            "Nordwind": (aurora, resellers["meridian"]),
            "Hafen Kontor": (aurora, resellers["meridian"]),
            "Atelier Blau": (aurora, resellers["halo"]),
            "Direct Line": (aurora, None),
            "Polar Freight": (borealis, resellers["boreal"]),
        }
        return {
            name: make_customer(provider, reseller, organisation=name)
            for name, (provider, reseller) in owners.items()
        }

    @pytest.mark.parametrize(
        ("who", "own"),
        [
            ("meridian", {"Nordwind", "Hafen Kontor"}),
            ("halo", {"Atelier Blau"}),
            ("boreal", {"Polar Freight"}),
        ],
    )
    def test_sees_exactly_its_customers(
        self,
        visit: Visits,
        resellers: dict[str, Reseller],
        customers: dict[str, Customer],
        who: str,
        own: set[str],
    ) -> None:
        page = visit(make_reseller_user(resellers[who])).open("/reseller/customers/")

        listed = page.locator("#list tbody").inner_text()
        opened = {
            name: page.request.get(f"/reseller/customers/{customer.pk}/").status
            for name, customer in customers.items()
        }
        csv = page.request.get("/reseller/customers/?format=csv").text()

        assert {name for name in customers if name in listed} == own
        assert {name for name, status in opened.items() if status == 200} == own
        assert set(opened.values()) == {200, NOT_FOUND}
        assert {name for name in customers if name in csv} == own

    def test_changes_nothing_whatever_it_sends(
        self, visit: Visits, resellers: dict[str, Reseller], customers: dict[str, Customer]
    ) -> None:
        page = visit(make_reseller_user(resellers["meridian"])).open("/reseller/")
        nordwind = customers["Nordwind"]
        [token] = [each["value"] for each in page.context.cookies() if each["name"] == "csrftoken"]

        answers = [
            page.request.post(
                path, form={"organisation": "Mine now"}, headers={"X-CSRFToken": token}
            ).status
            for path in ("/reseller/", f"/reseller/customers/{nordwind.pk}/")
        ]

        assert answers == [NOT_ALLOWED, NOT_ALLOWED]
        nordwind.refresh_from_db()
        assert nordwind.organisation == "Nordwind"


class TestStaffOfAProvider:
    def test_see_nothing_of_another_on_any_list(self, visit: Visits) -> None:
        trade(make_aurora())
        borealis = make_provider("borealis", name="Borealis Cloud")
        make_customer(borealis, make_reseller(borealis), organisation="Polar Freight")
        window = visit(make_staff(borealis))
        lists = [name for name in PAGES if name.startswith("console_") and not needs(name)]

        seen = {}
        for name in lists:
            path = address(name, PAGES[name], borealis)
            answer = window.page.request.get(path)
            if "content-disposition" in answer.headers:
                seen[name] = answer.text()
            else:
                seen[name] = window.open(path).locator("body").inner_text()

        assert len(lists) > 20
        for name, text in seen.items():
            for word in ("Aurora", "Meridian", "Solstice", "Nordwind", "Hafen", "TRF-"):
                assert word not in text, f"{word} on {name}"
        assert "Polar Freight" in seen["console_customers"]

    def test_find_no_row_of_another(self, visit: Visits) -> None:
        borealis = make_provider("borealis", name="Borealis Cloud")
        page = visit(make_staff(borealis)).open("/console/")
        of_rows = [
            name
            for name, page in PAGES.items()
            if name.startswith("console_")
            and needs(name)
            and page.answers.get("other provider", NOT_FOUND) == NOT_FOUND
            and page.answers["signed in"] != NOT_ALLOWED
        ]

        answers = {}
        for name in of_rows:
            path = address(name, PAGES[name], make_provider())
            answers[name] = page.request.get(path).status

        assert len(of_rows) > 50
        assert {name: status for name, status in answers.items() if status != NOT_FOUND} == {}
        page.goto(path)
        expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()
