from http import HTTPStatus
from io import BytesIO

import pytest
from django.test import Client

from cdr.models import Source
from tenancy.models import Provider
from tests.cdr.importers.samples import SAMPLES
from tests.factories import make_product, make_provider, make_source
from tests.web.account_centre.pages import words
from tests.web.console.pages import as_role, page

pytestmark = pytest.mark.django_db
ROOT = "/console/usage/sources/"
HEADER = "Datum;Von;Nach;Dauer"
GOOD = "01.10.2026 10:00:05;+4930123456;0044 20 7123 4567;60,4"
BAD = "yesterday;+4930123456;00442071234567;1"
MAPPED = {
    "separator": ";",
    "has_header": "on",
    "time_format": "31.10.2026 23:59:59",
    "volume_unit": "seconds",
    "decimal_sign": ",",
    "started_at": "Datum",
    "caller_number": "Von",
    "destination_number": "Nach",
    "volume": "Dauer",
}
STORED = {
    "columns": {
        "started_at": "Datum",
        "volume": "Dauer",
        "destination_number": "Nach",
        "caller_number": "Von",
    },
    "has_header": True,
    "separator": ";",
    "time_format": "31.10.2026 23:59:59",
    "volume_unit": "seconds",
    "decimal_sign": ",",
}


@pytest.fixture
def provider() -> Provider:
    return make_provider()


@pytest.fixture
def service(provider: Provider) -> Client:
    return as_role(provider, "Service")


@pytest.fixture
def source(provider: Provider) -> Source:
    return make_source(make_product(provider), format="mapped-csv", name="Old PBX")


def columns(source: Source) -> str:
    return f"{ROOT}{source.pk}/columns/"


class TestMapping:
    def test_is_saved_and_shown_again(self, service: Client, source: Source) -> None:
        response = service.post(columns(source), MAPPED)

        source.refresh_from_db()
        assert response["Location"] == ROOT
        assert source.mapping == STORED
        assert 'value="Datum"' in page(service, columns(source))

    def test_is_tried_without_being_saved(self, service: Client, source: Source) -> None:
        sample = "\n".join([HEADER, GOOD, BAD])

        response = service.post(columns(source), {**MAPPED, "sample": sample, "_back": "1"})

        text = words(response.content.decode())
        source.refresh_from_db()
        assert response.status_code == HTTPStatus.OK
        assert source.mapping is None
        assert "2026-10-01 10:00:05 CEST 61 +4930123456 0044 20 7123 4567 442071234567" in text
        assert 'column Datum "yesterday" is not a time like 31.10.2026 23:59:59' in text
        assert 'value="Dauer"' in response.content.decode()

    def test_shows_a_sent_file_in_the_box(self, service: Client, source: Source) -> None:
        file = BytesIO(f"{HEADER}\n{GOOD}\n".encode())
        file.name = "calls.csv"

        response = service.post(columns(source), {**MAPPED, "sample_file": file, "_back": "1"})

        text = response.content.decode()
        assert GOOD in text.split("<textarea")[1].split("</textarea>")[0]
        assert "442071234567" in text

    @pytest.mark.parametrize(
        ("wrong", "field", "message"),
        [
            ({"started_at": ""}, "started_at", "required"),
            ({"volume": ""}, "volume", "Name the volume"),
            ({"has_header": "", "volume": "4th"}, "volume", "from 1 to 1000"),
            ({"has_header": "", "volume": "0"}, "volume", "from 1 to 1000"),
            ({"separator": ",", "decimal_sign": ","}, "decimal_sign", "decimal sign"),
            ({"time_format": "soon"}, "time_format", "valid choice"),
            ({"caller_number": "x" * 101}, "caller_number", "at most 100"),
        ],
    )
    def test_says_at_the_field_what_is_wrong(
        self, service: Client, source: Source, wrong: dict[str, str], field: str, message: str
    ) -> None:
        response = service.post(columns(source), {**MAPPED, **wrong})

        source.refresh_from_db()
        assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert message in response.context["form"].errors[field][0]
        assert source.mapping is None

    def test_is_of_sources_without_a_format_only(self, service: Client, provider: Provider) -> None:
        other = make_source(make_product(provider))

        assert service.get(columns(other)).status_code == HTTPStatus.NOT_FOUND

    def test_of_another_provider_is_not_found(self, service: Client) -> None:
        foreign = make_source(make_product(make_provider()), format="mapped-csv")

        assert service.post(columns(foreign), MAPPED).status_code == HTTPStatus.NOT_FOUND
        foreign.refresh_from_db()
        assert foreign.mapping is None

    def test_is_not_for_readers(self, provider: Provider, source: Source) -> None:
        response = as_role(provider, "Finance").post(columns(source), MAPPED)

        assert response.status_code == HTTPStatus.FORBIDDEN


class TestThePreview:
    def test_answers_while_columns_are_typed(self, service: Client, source: Source) -> None:
        sent = {**MAPPED, "sample": f"{HEADER}\n{GOOD}"}

        response = service.post(f"{columns(source)}preview/", sent)

        text = response.content.decode()
        assert text.lstrip().startswith('<section id="sample"')
        assert "442071234567" in text

    @pytest.mark.parametrize(
        ("wrong", "message"),
        [
            ({"started_at": ""}, "Fill in the fields above"),
            ({"volume": ""}, "Name the volume"),
            ({"volume": "Sekunden"}, "its header has no column Sekunden"),
        ],
    )
    def test_says_why_nothing_can_be_read_yet(
        self, service: Client, source: Source, wrong: dict[str, str], message: str
    ) -> None:
        sent = {**MAPPED, "sample": f"{HEADER}\n{GOOD}", **wrong}

        response = service.post(f"{columns(source)}preview/", sent)

        assert message in response.content.decode()

    def test_takes_only_posts(self, service: Client, source: Source) -> None:
        response = service.get(f"{columns(source)}preview/")

        assert response.status_code == HTTPStatus.METHOD_NOT_ALLOWED


class TestTrying:
    @pytest.mark.parametrize("format_", sorted(set(SAMPLES) - {"mapped-csv"}))
    def test_reads_lines_of_every_format(
        self, service: Client, provider: Provider, format_: str
    ) -> None:
        source = make_source(make_product(provider), format=format_)

        response = service.post(f"{ROOT}{source.pk}/try/", {"sample": SAMPLES[format_].read_text()})

        text = response.content.decode()
        assert "0 would wait in suspense" in words(text).replace("Not read 0", "0")
        assert "44207" in text

    def test_says_what_is_wrong_with_a_line(self, service: Client, provider: Provider) -> None:
        source = make_source(make_product(provider))

        response = service.post(f"{ROOT}{source.pk}/try/", {"sample": '"half a line'})

        assert "the quotes are not balanced" in response.content.decode()

    def test_asks_for_columns_first(self, service: Client, source: Source) -> None:
        response = service.post(f"{ROOT}{source.pk}/try/", {"sample": GOOD})

        assert "does not say yet which column is what" in response.content.decode()

    def test_of_another_provider_is_not_found(self, service: Client) -> None:
        foreign = make_source(make_product(make_provider()))

        assert service.get(f"{ROOT}{foreign.pk}/try/").status_code == HTTPStatus.NOT_FOUND
