import csv
import io
from http import HTTPStatus

import pytest
from django.test import Client

from audit.models import Entry
from resellers.models import Reseller, ResellerCode, ResellerModule
from tenancy.models import Provider
from tests.factories import make_code, make_customer, make_provider, make_reseller, make_staff
from tests.web.console.pages import as_role, confirm, page, query_count, refused

pytestmark = pytest.mark.django_db
NEW = {
    "organisation": "Rho Partners",
    "first_name": "Rita",
    "last_name": "Rho",
    "email": "rita@rho.example",
    "currency": "EUR",
}


@pytest.fixture
def provider() -> Provider:
    return make_provider("aurora")


@pytest.fixture
def staff(client: Client, provider: Provider) -> Client:
    client.force_login(make_staff(provider))
    return client


def path(reseller: Reseller, rest: str = "") -> str:
    return f"/console/resellers/{reseller.pk}/{rest}"


class TestTheList:
    def test_shows_the_providers_resellers_with_codes_and_customers(
        self, staff: Client, provider: Provider
    ) -> None:
        reseller = make_reseller(provider, organisation="Rho", number=7)
        make_code(reseller, "RHO1")
        make_code(reseller, "RHO2")
        make_customer(provider, reseller)
        make_reseller(make_provider(), organisation="Somebody Else")

        response = staff.get("/console/resellers/?format=csv")

        rows = list(csv.DictReader(io.StringIO(response.content.decode())))
        assert [
            (row["Number"], row["Name"], row["Codes"], row["Customers"], row["State"])
            for row in rows
        ] == [("7", "Rho", "RHO1, RHO2", "1", "Active")]

    def test_finds_by_name_code_and_state(self, staff: Client, provider: Provider) -> None:
        make_code(make_reseller(provider, organisation="Rho"), "SPRING")
        make_reseller(provider, organisation="Sigma", state=Reseller.State.DISABLED)

        by_code = page(staff, "/console/resellers/?q=spring")
        by_state = page(staff, "/console/resellers/?state=DISABLED")

        assert "Rho" in by_code
        assert "Sigma" not in by_code
        assert "Rho" not in by_state
        assert "Sigma" in by_state

    def test_is_sorted_by_customers_when_asked(self, staff: Client, provider: Provider) -> None:
        make_reseller(provider, organisation="Few", number=1)
        make_customer(provider, make_reseller(provider, organisation="Many", number=2))

        text = page(staff, "/console/resellers/?sort=-customer_count")

        assert text.index("Many") < text.index("Few")

    def test_asks_the_database_as_often_for_many_as_for_one(
        self, staff: Client, provider: Provider
    ) -> None:
        top = make_reseller(provider)
        few = query_count(staff, "/console/resellers/")
        for _ in range(20):
            make_code(make_reseller(provider, top))

        assert query_count(staff, "/console/resellers/") == few

    def test_offers_the_first_step_where_there_are_none(self, staff: Client) -> None:
        text = page(staff, "/console/resellers/")

        assert "No resellers yet" in text
        assert text.count('href="/console/resellers/new/"') == 2

    def test_takes_no_post(self, staff: Client) -> None:
        assert staff.post("/console/resellers/").status_code == HTTPStatus.METHOD_NOT_ALLOWED


class TestTheTree:
    def test_shows_who_stands_below_whom(self, staff: Client, provider: Provider) -> None:
        top = make_reseller(provider, organisation="Top")
        make_reseller(provider, make_reseller(provider, top, organisation="Middle"))

        text = page(staff, "/console/resellers/tree/")

        assert text.count('<ul class="tree">') == 3
        assert text.index("Top") < text.index("Middle")


class TestTheModuleSwitchedOff:
    PATHS = ["", "tree/", "new/", "{}/", "{}/codes/", "{}/billing-mode/", "{}/disable/"]

    @pytest.mark.parametrize("rest", PATHS)
    def test_takes_the_pages_away(self, staff: Client, provider: Provider, rest: str) -> None:
        reseller = make_reseller(provider)
        ResellerModule.objects.update(is_enabled=False)

        response = staff.get(f"/console/resellers/{rest.format(reseller.pk)}")

        assert response.status_code == HTTPStatus.NOT_FOUND

    def test_takes_the_menu_away_and_nothing_else(self, staff: Client) -> None:
        before = page(staff, "/console/")
        ResellerModule.objects.update(is_enabled=False)

        after = page(staff, "/console/")

        assert 'href="/console/resellers/"' in before
        assert 'href="/console/resellers/"' not in after
        assert 'href="/console/customers/"' in after


class TestAddingAReseller:
    def test_puts_it_below_its_parent(self, staff: Client, provider: Provider) -> None:
        parent = make_reseller(provider)

        response = staff.post("/console/resellers/new/", {**NEW, "parent": parent.pk})

        reseller = Reseller.objects.exclude(pk=parent.pk).get()
        assert response.headers["Location"] == path(reseller)
        assert (reseller.organisation, reseller.parent) == ("Rho Partners", parent)
        assert reseller.number == parent.number + 1

    @pytest.mark.parametrize(
        ("wrong", "message"),
        [
            ({"email": "rita"}, "Enter a valid email address."),
            ({"organisation": ""}, "This field is required."),
            ({"currency": "E1"}, "three letters"),
            ({"parent": "0"}, "Select a valid choice."),
        ],
    )
    def test_with_bad_input_keeps_what_was_typed_and_writes_nothing(
        self, staff: Client, wrong: dict[str, str], message: str
    ) -> None:
        text = refused(staff, "/console/resellers/new/", **NEW | {"phone": "0301234"} | wrong)

        [field] = wrong
        assert message in text
        assert f'id="id_{field}_error"' in text
        assert 'value="0301234"' in text
        assert not Reseller.objects.exists()

    def test_does_not_take_a_parent_of_another_provider(self, staff: Client) -> None:
        foreign = make_reseller(make_provider())

        text = refused(staff, "/console/resellers/new/", **NEW, parent=foreign.pk)

        assert 'id="id_parent_error"' in text
        assert Reseller.objects.get() == foreign

    def test_is_refused_to_a_role_without_the_permission(self, provider: Provider) -> None:
        response = as_role(provider, "Finance").post("/console/resellers/new/", NEW)

        assert response.status_code == HTTPStatus.FORBIDDEN
        assert not Reseller.objects.exists()


class TestEditingAReseller:
    def test_replaces_its_details(self, staff: Client, provider: Provider) -> None:
        reseller = make_reseller(provider)

        response = staff.post(path(reseller, "edit/"), NEW)

        reseller.refresh_from_db()
        assert response.status_code == HTTPStatus.FOUND
        assert (reseller.organisation, reseller.email) == ("Rho Partners", "rita@rho.example")

    def test_of_another_provider_does_not_exist(self, staff: Client) -> None:
        foreign = make_reseller(make_provider(), organisation="Foreign")

        response = staff.post(path(foreign, "edit/"), NEW)

        foreign.refresh_from_db()
        assert response.status_code == HTTPStatus.NOT_FOUND
        assert foreign.organisation == "Foreign"


class TestMovingAReseller:
    def test_says_first_who_moves_along(self, staff: Client, provider: Provider) -> None:
        old, new = make_reseller(provider, organisation="Old"), make_reseller(provider)
        reseller = make_reseller(provider, old)
        make_reseller(provider, reseller)

        response = staff.post(path(reseller, "move/"), {"parent": new.pk})

        text = response.content.decode()
        reseller.refresh_from_db()
        assert "Resellers that move along" in text
        assert "Old" in text
        assert reseller.parent == old

    def test_happens_when_that_is_confirmed(self, staff: Client, provider: Provider) -> None:
        new = make_reseller(provider)
        reseller = make_reseller(provider, make_reseller(provider))

        confirm(staff, path(reseller, "move/"), parent=new.pk)

        reseller.refresh_from_db()
        assert reseller.parent == new
        assert Entry.objects.filter(action="reseller.moved").count() == 1

    def test_never_goes_below_itself(self, staff: Client, provider: Provider) -> None:
        reseller = make_reseller(provider)
        below = make_reseller(provider, reseller)

        text = refused(staff, path(reseller, "move/"), parent=below.pk, _confirmed="1")

        reseller.refresh_from_db()
        assert 'id="id_parent_error"' in text
        assert reseller.parent is None


class TestDisablingAReseller:
    def test_says_first_what_it_means(self, staff: Client, provider: Provider) -> None:
        reseller = make_reseller(provider)
        make_code(reseller, "RHO1")
        make_customer(provider, reseller)

        text = page(staff, path(reseller, "disable/"))

        assert "keep its tag, are served and are billed" in text
        assert "RHO1" in text
        assert "stops, as set" in text

    def test_happens_when_that_is_confirmed(self, staff: Client, provider: Provider) -> None:
        reseller = make_reseller(provider)

        assert confirm(staff, path(reseller, "disable/")) == path(reseller)

        reseller.refresh_from_db()
        assert reseller.state == Reseller.State.DISABLED

    def test_is_undone_by_enabling(self, staff: Client, provider: Provider) -> None:
        reseller = make_reseller(provider, state=Reseller.State.DISABLED)

        confirm(staff, path(reseller, "enable/"))

        reseller.refresh_from_db()
        assert reseller.state == Reseller.State.ACTIVE


class TestDisablingTheOwnerOfTheDefaultCode:
    @pytest.fixture
    def owner(self, provider: Provider) -> Reseller:
        owner = make_reseller(provider)
        ResellerModule.objects.update(default_code=make_code(owner, "MAIN"))
        return owner

    @pytest.fixture
    def other(self, provider: Provider) -> ResellerCode:
        return make_code(make_reseller(provider), "OTHER")

    def test_asks_for_another_first(
        self, staff: Client, owner: Reseller, other: ResellerCode
    ) -> None:
        form = page(staff, path(owner, "disable/"))
        review = staff.post(path(owner, "disable/"), {"default_code": other.pk})

        owner.refresh_from_db()
        assert "First choose another one" in form.replace("\n", " ")
        assert "MAIN now, OTHER then" in review.content.decode()
        assert owner.state == Reseller.State.ACTIVE

    def test_replaces_it_and_disables_together(
        self, staff: Client, owner: Reseller, other: ResellerCode
    ) -> None:
        confirm(staff, path(owner, "disable/"), default_code=other.pk)

        owner.refresh_from_db()
        assert owner.state == Reseller.State.DISABLED
        assert ResellerModule.objects.get().default_code == other

    def test_is_refused_to_who_may_not_change_settings(
        self, provider: Provider, owner: Reseller
    ) -> None:
        client = as_role(provider, "Accounts & Orders")

        text = refused(client, path(owner, "disable/"), _confirmed="1")

        owner.refresh_from_db()
        assert "MAIN" in text
        assert "choose another first" in text
        assert owner.state == Reseller.State.ACTIVE
