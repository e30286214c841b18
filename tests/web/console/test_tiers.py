"""Usage that tiers price, on the pages of the console."""

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from catalogue.models import Catalogue, CatalogueItem, Product
from cdr.models import TierTotal, Xdr
from common.clock import now
from tests.factories import make_customer
from tests.factories.cdr import import_lines
from tests.factories.rerating import measure
from tests.factories.tiers import Metered, make_metered, usage
from tests.web.console.pages import as_role, page, refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def metered() -> Metered:
    return make_metered()


@pytest.fixture
def staff(metered: Metered) -> Client:
    return as_role(metered.provider, "Admin")


class TestTheXdr:
    def test_tells_both_totals_the_tier_and_the_sum(self, staff: Client, metered: Metered) -> None:
        import_lines(metered.source, [usage(60_000), usage(60_000)])
        last = Xdr.objects.order_by("-id")[0]

        text = page(staff, reverse("console_xdr", kwargs={"xdr_key": last.pk}))

        assert "tiers of Storage, subscription" in text
        assert "<dt>Month before</dt><dd>60 GB</dd>" in text
        assert "<dt>Month with it</dt><dd>120 GB</dd>" in text
        assert "beyond 100 GB: 0.05 a GB" in text
        assert "11 - 6 = 5" in text

    def test_is_explained_by_the_command_too(
        self, metered: Metered, capsys: pytest.CaptureFixture[str]
    ) -> None:
        import_lines(metered.source, [usage(60_000)])
        xdr = Xdr.objects.get()
        name = reverse("console_xdr", kwargs={"xdr_key": xdr.pk}).rstrip("/").rsplit("/", 1)[1]

        call_command("explain_xdr", name, "--provider", metered.provider.slug)

        told = capsys.readouterr().out
        assert "by the tiers of subscription" in told
        assert "the month with it: 60 GB: 60 x 0.1 = 6" in told
        assert "comes to the stored 6 EUR" in told


class TestADryRun:
    def test_of_a_month_that_is_not_all_there_says_so_and_is_not_to_be_applied(
        self, staff: Client, metered: Metered
    ) -> None:
        import_lines(metered.source, [usage(60_000), usage(60_000)])
        metered.carla.identifiers.update(customer=make_customer(metered.provider))
        whole = measure(metered.provider)
        TierTotal.objects.update(volume=130_000)
        refused_one = measure(metered.provider)

        text = page(staff, reverse("console_rerating", kwargs={"rerating_id": refused_one.pk}))

        assert "It cannot be applied: 2 xDRs at tiers are of months that are not all there" in text
        apply_url = reverse("console_rerating_apply", kwargs={"rerating_id": refused_one.pk})
        assert apply_url not in text
        other = page(staff, reverse("console_rerating", kwargs={"rerating_id": whole.pk}))
        assert "It cannot be applied" not in other
        assert "1 customer with allowances or tiers" in other


class TestTheUsageOfACustomer:
    def test_shows_the_total_and_the_tier_reached(self, staff: Client, metered: Metered) -> None:
        import_lines(metered.source, [usage(120_000)])

        text = page(staff, f"/console/customers/{metered.carla.pk}/usage/?month=2026-10")

        assert "Metered products" in text
        assert "120 GB" in text
        assert "beyond 100 GB: 0.05 a GB" in text
        assert '11.00 <span class="currency">EUR</span>' in text

    def test_shows_no_total_of_a_month_without_usage(self, staff: Client, metered: Metered) -> None:
        import_lines(metered.source, [usage(120_000)])

        text = page(staff, f"/console/customers/{metered.carla.pk}/usage/?month=2026-09")

        assert "Metered products" not in text


class TestTheSubscriptions:
    def test_show_the_tiers(self, staff: Client, metered: Metered) -> None:
        text = page(staff, f"/console/customers/{metered.carla.pk}/subscriptions/")

        assert "up to 100 GB: " in text
        assert "beyond 100 GB: " in text


@pytest.fixture
def catalogue(metered: Metered) -> Catalogue:
    return Catalogue.objects.create(provider=metered.provider, name="Other", created_at=now())


@pytest.fixture
def storage(metered: Metered) -> Product:
    return metered.product


def path(catalogue: Catalogue, rest: str = "") -> str:
    return f"/console/catalogues/{catalogue.pk}/{rest}"


def tiered(storage: Product, **changes: object) -> dict[str, object]:
    sold = {"product": storage.pk, "currency": "EUR", "is_available": "on"}
    tiers = {"tier_model": "GRADUATED", "tiers": "0:0.10\r\n100:0.05+2"}
    return {**sold, "price": "", "price_period": "", **tiers, **changes}


class TestTheDraft:
    def test_are_added_and_shown(
        self, staff: Client, catalogue: Catalogue, storage: Product
    ) -> None:
        staff.post(path(catalogue, "items/new/"), tiered(storage))

        item = CatalogueItem.objects.get()
        assert (item.tier_model, item.tiers, item.price) == ("GRADUATED", "0:0.1;100:0.05+2", None)
        text = page(staff, path(catalogue))
        assert "up to 100 GB: " in text
        assert "beyond 100 GB: " in text

    def test_are_changed_from_what_is_stored(
        self, staff: Client, catalogue: Catalogue, storage: Product
    ) -> None:
        staff.post(path(catalogue, "items/new/"), tiered(storage))
        item = CatalogueItem.objects.get()
        url = path(catalogue, f"items/{item.pk}/")

        assert "0:0.1\n100:0.05+2" in page(staff, url)
        changes = {"tier_model": "PACKAGE", "tiers": "0:5", "package_units": "100"}
        staff.post(url, tiered(storage, **changes))

        item.refresh_from_db()
        assert (item.tier_model, item.tiers, item.package_units) == ("PACKAGE", "0:5", 100)

    @pytest.mark.parametrize(
        ("tiers", "message"),
        [
            ("1:0.10", "begins at 0"),
            ("0:0.10\nten:5", "Line 2, &#x27;ten:5&#x27;, is not understood"),
            ("", "1 to 50 tiers"),
        ],
    )
    def test_that_are_none_are_told_at_the_field(
        self, staff: Client, catalogue: Catalogue, storage: Product, tiers: str, message: str
    ) -> None:
        text = refused(staff, path(catalogue, "items/new/"), **tiered(storage, tiers=tiers))

        assert message in text
        assert 'id="id_tiers_error"' in text
        assert not CatalogueItem.objects.exists()

    def test_are_multiplied_with_the_prices(
        self, staff: Client, catalogue: Catalogue, storage: Product
    ) -> None:
        staff.post(path(catalogue, "items/new/"), tiered(storage))

        reviewed = staff.post(path(catalogue, "multiply/"), {"factor": "2"}).content.decode()

        assert "0.2 a GB; beyond 100 GB 0.1 a GB and 4" in reviewed

    def test_show_in_what_publishing_changes(
        self, staff: Client, catalogue: Catalogue, storage: Product
    ) -> None:
        staff.post(path(catalogue, "items/new/"), tiered(storage))

        reviewed = staff.post(path(catalogue, "publish/"), {"effective_at": ""}).content.decode()

        assert "graduated tiers 0:0.1;100:0.05+2" in reviewed
