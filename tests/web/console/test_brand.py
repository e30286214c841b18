import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tenancy.models import BillerEntity, Provider
from tests.factories import make_provider
from tests.factories.pictures import make_picture
from tests.web.console.pages import as_role, page, refused

pytestmark = pytest.mark.django_db
BRAND = "/console/settings/brand/"


@pytest.fixture
def provider() -> Provider:
    return make_provider("aurora", name="Aurora Telecom")


@pytest.fixture
def client(provider: Provider) -> Client:
    return as_role(provider, "Admin")


def picture(name: str = "logo.png", content: bytes = b"") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content or make_picture(), "image/png")


class TestTheBrand:
    def test_is_shown_on_light_and_dark(self, client: Client, provider: Provider) -> None:
        BillerEntity.objects.filter(provider=provider).update(accent_colour="#0b6e4f")

        shown = page(client, BRAND)

        assert 'fill="#0b6e4f"' in shown
        assert 'fill="#151d30"' in shown
        assert "moved until it reads" in shown

    def test_is_changed_with_its_logo(self, client: Client, provider: Provider) -> None:
        client.post(f"{BRAND}edit/", {"accent_colour": "#0b6e4f", "logo": picture()})

        provider.refresh_from_db()
        assert BillerEntity.objects.get(provider=provider).accent_colour == "#0b6e4f"
        assert f"/brand/aurora/{provider.logo_sha256}.png" in page(client, BRAND)

    def test_loses_its_logo(self, client: Client, provider: Provider) -> None:
        first = page(client, f"{BRAND}edit/")
        client.post(f"{BRAND}edit/", {"accent_colour": "#0b6e4f", "logo": picture()})

        client.post(f"{BRAND}edit/", {"accent_colour": "#0b6e4f", "removes_logo": "on"})

        provider.refresh_from_db()
        assert provider.logo_sha256 == ""
        assert "Remove the logo" not in first

    def test_is_refused_a_colour_too_light_to_read(
        self, client: Client, provider: Provider
    ) -> None:
        said = refused(client, f"{BRAND}edit/", accent_colour="#ffd400")

        assert "has a contrast of 1.4" in said
        assert 'value="#ffd400"' in said
        assert BillerEntity.objects.get(provider=provider).accent_colour == "#1f4fd8"

    @pytest.mark.parametrize(
        ("content", "says"),
        [
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no PNG, JPEG or WebP"),
            pytest.param(bytes(3 * 1024 * 1024), "larger than 2 MB", id="3 MB"),
            (make_picture((10, 10)), "only 10 by 10 pixels"),
        ],
    )
    def test_is_refused_what_is_no_picture_whatever_it_is_called(
        self, client: Client, provider: Provider, content: bytes, says: str
    ) -> None:
        said = refused(
            client,
            f"{BRAND}edit/",
            accent_colour="#0b6e4f",
            logo=picture("logo.png", content),
        )

        assert says in said
        provider.refresh_from_db()
        assert provider.logo_sha256 == ""
        assert BillerEntity.objects.get(provider=provider).accent_colour == "#1f4fd8"
