import re
from http import HTTPStatus

import pytest
from django.test import Client

from cdr.models import Source
from resellers.models import Vendor
from tenancy.models import Provider
from tests.factories import (
    make_product,
    make_provider,
    make_rate_table,
    make_source,
    make_trunk,
    make_vendor,
)
from tests.web.account_centre.pages import words
from tests.web.console.pages import as_role, confirm, page, query_count, refused

pytestmark = pytest.mark.django_db
ROOT = "/console/usage/sources/"
NEW = {
    "name": "Berlin switch",
    "slug": "berlin",
    "format": "freeswitch-csv",
    "time_zone": "Europe/Berlin",
    "country_prefix": "49",
    "oldest_days": "400",
    "volume_rounding": "up",
    "payer_1": "ACCOUNT_CODE",
    "payer_2": "IP",
}


@pytest.fixture
def provider() -> Provider:
    return make_provider("aurora")


@pytest.fixture
def service(provider: Provider) -> Client:
    return as_role(provider, "Service")


@pytest.fixture
def vendor(provider: Provider) -> Vendor:
    return make_vendor(make_rate_table(make_product(provider)), name="Tailwind")


class TestTheSources:
    def test_are_the_providers(self, service: Client, provider: Provider) -> None:
        own = make_source(make_product(provider), name="Own switch")
        make_source(make_product(make_provider()), name="Elsewhere")

        text = page(service, ROOT)

        assert f'<a href="{ROOT}{own.pk}/">Own switch</a>' in text
        assert "Elsewhere" not in text

    def test_lead_nowhere_for_readers(self, provider: Provider) -> None:
        make_source(make_product(provider), name="Own switch")

        text = page(as_role(provider, "Read-only"), ROOT)

        assert "Own switch" in text
        assert f"{ROOT}new/" not in text
        assert f'<a href="{ROOT}' not in text.split('id="list"')[1]

    def test_are_filtered(self, service: Client, provider: Provider) -> None:
        make_source(make_product(provider), name="Live")
        make_source(make_product(provider), name="Retired", is_enabled=False)

        text = page(service, f"{ROOT}?enabled=false")

        assert "Retired" in text
        assert "Live" not in text

    def test_ask_the_database_as_often_for_many_as_for_one(
        self, service: Client, provider: Provider
    ) -> None:
        make_source(make_product(provider))
        few = query_count(service, ROOT)
        for _ in range(9):
            make_source(make_product(provider))

        assert query_count(service, ROOT) == few


class TestAdding:
    def test_keeps_its_trunks(self, service: Client, vendor: Vendor) -> None:
        product = vendor.rate_table.product

        response = service.post(
            f"{ROOT}new/",
            {
                **NEW,
                "product": product.pk,
                "default_vendor": vendor.pk,
                "trunks": "77 tailwind\r\n78  Tailwind [vip; a]\r\n",
                "tags": "wholesale",
            },
        )

        source = Source.objects.get()
        assert response["Location"] == ROOT
        assert (source.product, source.default_vendor) == (product, vendor)
        assert source.identified_by == ["ACCOUNT_CODE", "IP"]
        assert sorted(source.trunks.values_list("tech_prefix", "tags")) == [
            ("77", ""),
            ("78", "a,vip"),
        ]
        assert source.tags == "wholesale"

    @pytest.mark.parametrize(
        ("wrong", "message"),
        [
            ({"time_zone": "Atlantis"}, "is not a time zone"),
            ({"country_prefix": "+49"}, "digits only"),
            ({"trunks": "77 Nobody"}, "there is no vendor"),
            ({"trunks": "77 Tailwind\r\n77 Tailwind"}, "77 is there twice"),
            ({"trunks": "ab Tailwind"}, "is not a tech prefix"),
            ({"trunks": "77 Tailwind [two words]"}, "is not a tag"),
            ({"tags": "two words"}, "is not a tag"),
            ({"payer_2": "ACCOUNT_CODE"}, "named further up already"),
            ({"oldest_days": "0"}, "greater than or equal to 1"),
            ({"slug": "ber lin"}, "valid"),
        ],
    )
    def test_says_at_the_field_what_is_wrong(
        self, service: Client, vendor: Vendor, wrong: dict[str, str], message: str
    ) -> None:
        product = vendor.rate_table.product

        response = service.post(f"{ROOT}new/", {**NEW, "product": product.pk, **wrong})

        [(field, value)] = wrong.items()
        assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert message in response.context["form"].errors[field][0]
        assert value.splitlines()[0] in response.content.decode()
        assert not Source.objects.exists()

    def test_refuses_a_short_name_in_use(self, service: Client, vendor: Vendor) -> None:
        product = vendor.rate_table.product
        make_source(product, slug="berlin")

        text = refused(service, f"{ROOT}new/", **NEW, product=product.pk)

        assert "There is a source &#x27;berlin&#x27; already" in text
        assert Source.objects.count() == 1

    def test_is_not_for_readers(self, provider: Provider) -> None:
        response = as_role(provider, "Finance").post(f"{ROOT}new/", NEW)

        assert response.status_code == HTTPStatus.FORBIDDEN


class TestChanging:
    def test_starts_from_what_there_is(self, service: Client, vendor: Vendor) -> None:
        source = make_source(vendor.rate_table.product, vendor, name="Old name")
        trunk = make_trunk(source, vendor, "77")
        trunk.tags = "a,vip"
        trunk.save()

        text = page(service, f"{ROOT}{source.pk}/")
        service.post(
            f"{ROOT}{source.pk}/",
            {**NEW, "name": "New name", "product": source.product_id, "trunks": ""},
        )

        source.refresh_from_db()
        assert "77 Tailwind [a,vip]" in text
        assert (source.name, source.default_vendor) == ("New name", None)
        assert not source.trunks.exists()

    @pytest.mark.parametrize("tail", ["", "switch/"])
    def test_of_another_provider_is_not_found(self, service: Client, tail: str) -> None:
        foreign = make_source(make_product(make_provider()))

        assert service.get(f"{ROOT}{foreign.pk}/{tail}").status_code == HTTPStatus.NOT_FOUND


class TestSwitchingOff:
    def test_takes_it_out_of_the_upload_once_confirmed(
        self, service: Client, provider: Provider
    ) -> None:
        source = make_source(make_product(provider), name="Old switch")

        offered = page(service, "/console/usage/files/new/")
        asked = words(page(service, f"{ROOT}{source.pk}/switch/"))
        confirm(service, f"{ROOT}{source.pk}/switch/")

        source.refresh_from_db()
        assert "Old switch</option>" in offered
        assert "It takes no more files." in asked
        assert not source.is_enabled
        assert "Old switch</option>" not in page(service, "/console/usage/files/new/")

    def test_can_be_taken_back(self, service: Client, provider: Provider) -> None:
        source = make_source(make_product(provider), is_enabled=False)

        confirm(service, f"{ROOT}{source.pk}/switch/")

        source.refresh_from_db()
        assert source.is_enabled

    def test_sent_twice_is_not_taken_back(self, service: Client, provider: Provider) -> None:
        source = make_source(make_product(provider))
        address = f"{ROOT}{source.pk}/switch/"
        [stated] = re.findall(r'name="_stated" value="(.+?)"', page(service, address))

        confirm(service, address, _stated=stated)
        text = refused(service, address, _stated=stated, _confirmed="1")

        source.refresh_from_db()
        assert "This has changed since you saw it" in text
        assert not source.is_enabled
