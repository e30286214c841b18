import csv
import io
from datetime import timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from audit.models import Entry
from catalogue.models import Rate, RateFileTemplate, RateImport, RateTable
from cdr.services.rate_undoing import undo_rate_import
from tenancy.models import Provider
from tests.factories import (
    LONG_AGO,
    make_product,
    make_provider,
    make_rate,
    make_rate_table,
    make_staff,
    make_time_profile,
)
from tests.factories.rate_files import AT, compare_rates, import_rates, work

pytestmark = pytest.mark.django_db
FILE = "prefix,rate,destination\n49,0.06,Destination 49\n1,0.01,America\n"
SAID = {
    "column_0": "prefix",
    "column_1": "rate",
    "column_2": "destination",
    "date_format": "YYYY-MM-DD",
    "duplicates": "latest",
    "errors": "abort",
    "unchanged": "skip",
    "absent": "keep",
    "default_effective_from": "2026-10-01T00:00",
}


@pytest.fixture
def provider() -> Provider:
    return make_provider("aurora")


@pytest.fixture
def staff(client: Client, provider: Provider) -> Client:
    client.force_login(make_staff(provider))
    return client


@pytest.fixture
def table(provider: Provider) -> RateTable:
    return make_rate_table(make_product(provider), {"49": "0.05"}, name="Retail")


def page(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == HTTPStatus.OK
    return response.content.decode()


def as_role(provider: Provider, role: str) -> Client:
    client = Client()
    client.force_login(make_staff(provider, role))
    return client


def upload(client: Client, table: RateTable, content: bytes, name: str = "rates.csv") -> Any:
    file = SimpleUploadedFile(name, content)
    return client.post(f"/console/rate-tables/{table.pk}/import/", {"file": file})


def url(rate_import: RateImport, rest: str = "") -> str:
    return f"/console/rate-imports/{rate_import.pk}/{rest}"


def sent(client: Client, table: RateTable, text: str = FILE, **said: Any) -> RateImport:
    """A file on its way: uploaded, its columns named as they seem to be, and compared."""
    columns_url = upload(client, table, text.encode()).headers["Location"]
    rate_import = RateImport.objects.latest("pk")
    response = client.post(columns_url, SAID | said)
    assert response.headers["Location"] == url(rate_import)
    return work(rate_import)


def rows(client: Client, rate_import: RateImport, query: str = "") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(page(client, f"{url(rate_import)}?format=csv{query}"))))


class TestAFile:
    def test_leads_to_what_its_columns_mean(self, staff: Client, table: RateTable) -> None:
        response = upload(staff, table, FILE.encode())

        rate_import = RateImport.objects.get()
        assert response.headers["Location"] == url(rate_import, "columns/")
        assert (rate_import.name, rate_import.state) == ("rates.csv", "RECEIVED")
        assert Rate.objects.count() == 1

    @pytest.mark.parametrize(
        ("content", "name", "message"),
        [
            (b"", "rates.csv", "The file is empty."),
            (b" \n \n", "rates.csv", "The file is empty."),
            (FILE.encode(), "rates.pdf", "Send a file that ends in .csv"),
            (FILE.encode(), "rates.xlsx", "named as a workbook and is none"),
            (b"PK\x03\x04 nothing", "rates.xlsx", "is no workbook"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "rates.xls", "locked with a password"),
            (b"prefix,rate\n4\x009,0.1\n", "rates.csv", "neither text nor a workbook"),
        ],
    )
    def test_is_refused_at_its_field(
        self, staff: Client, table: RateTable, content: bytes, name: str, message: str
    ) -> None:
        response = upload(staff, table, content, name)

        assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert message in response.content.decode()
        assert not RateImport.objects.exists()

    def test_is_for_those_who_may_change_rates(self, provider: Provider, table: RateTable) -> None:
        response = upload(as_role(provider, "Finance"), table, FILE.encode())

        assert response.status_code == HTTPStatus.FORBIDDEN

    def test_is_given_back_as_it_was_sent(self, staff: Client, table: RateTable) -> None:
        response = staff.get(url(sent(staff, table), "file/"))

        assert response.content == FILE.encode()
        assert response.headers["Content-Disposition"] == 'attachment; filename="rates.csv"'


class TestItsColumns:
    def test_are_named_by_their_headings_and_shown(self, staff: Client, table: RateTable) -> None:
        text = "Rates of June\n\nDial Code;Zone;Price/min (EUR);Valid from;Interval\n"
        text += "49;Deutschland ü;0,0125;31.12.2026;60/30\n"
        columns_url = upload(staff, table, text.encode("cp1252")).headers["Location"]

        response = staff.get(columns_url)

        form = response.context["form"]
        assert [form.initial[f"column_{place}"] for place in range(5)] == [
            "prefix",
            "destination",
            "rate",
            "effective_from",
            "increments",
        ]
        assert (form.initial["date_format"], form.initial["decimal_comma"]) == ("DD.MM.YYYY", True)
        assert "Deutschland ü" in response.content.decode()
        reading = response.context["reading"]
        assert [reading[name].value() for name in ("encoding", "delimiter", "header_line")] == [
            "cp1252",
            ";",
            3,
        ]

    def test_are_read_again_as_the_address_says(self, staff: Client, table: RateTable) -> None:
        columns_url = upload(staff, table, b"49;0.06\n1;0.01\n").headers["Location"]

        text = page(staff, f"{columns_url}?delimiter=%3B&header_line=0")

        assert "Column 2" in text
        assert "0.06, 0.01" in text

    def test_are_compared_when_somebody_said_what_they_mean(
        self, staff: Client, table: RateTable
    ) -> None:
        rate_import = sent(staff, table)

        assert rate_import.state == "COMPARED"
        assert rate_import.counts == {"increased": 1, "new": 1}

    @pytest.mark.parametrize(
        ("said", "message"),
        [
            ({"column_0": ""}, "Say which column has the prefixes."),
            ({"column_1": ""}, "Say which column has the rates."),
            ({"column_1": "prefix"}, "&#x27;prefix&#x27; is that already."),
            ({"default_effective_from": ""}, "No column says it"),
            ({"default_minimum": "much"}, "&#x27;much&#x27; is not a whole number."),
            ({"absent": "close", "close_at": ""}, "Say when the rates end"),
        ],
    )
    def test_are_refused_where_they_make_no_rate(
        self, staff: Client, table: RateTable, said: dict[str, str], message: str
    ) -> None:
        columns_url = upload(staff, table, FILE.encode()).headers["Location"]

        response = staff.post(columns_url, SAID | said)

        assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert message in response.content.decode()
        assert RateImport.objects.get().state == "RECEIVED"

    def test_take_defaults_for_what_the_file_does_not_have(
        self, staff: Client, provider: Provider, table: RateTable
    ) -> None:
        profile = make_time_profile(provider, "Sat-Sun 00:00-24:00")

        rate_import = sent(
            staff, table, default_minimum="60", default_time_profile=profile.name, default_tag="vip"
        )

        row = rate_import.rows.get(prefix="1")
        assert (row.minimum, row.time_profile_id, row.tag) == (60, profile.pk, "vip")

    def test_are_kept_as_a_template_for_the_next_file(
        self, staff: Client, table: RateTable
    ) -> None:
        text = FILE.replace("destination", "Where to").replace("prefix", "Ziel")
        sent(staff, table, text, save_as="Vendor", unchanged="keep")
        template = RateFileTemplate.objects.get()
        columns_url = upload(staff, table, text.encode()).headers["Location"]

        form = staff.get(f"{columns_url}?template={template.pk}").context["form"]

        assert form.initial["column_0"] == "prefix"
        assert form.initial["column_2"] == "destination"
        assert form.initial["unchanged"] == "keep"
        assert "Vendor" in page(staff, "/console/rate-file-templates/")

    def test_of_another_provider_are_not_there(self, staff: Client) -> None:
        other = make_rate_table(make_product(make_provider()))
        compared = compare_rates(other, FILE)

        for rest in ("", "columns/", "progress/", "confirm/", "discard/", "undo/", "file/"):
            assert staff.get(url(compared, rest)).status_code == HTTPStatus.NOT_FOUND


class TestADryRun:
    def test_says_what_every_row_does(self, staff: Client, table: RateTable) -> None:
        rate_import = sent(staff, table)

        text = page(staff, url(rate_import))

        assert "Import the rates" in text
        assert [
            (row["Line"], row["Class"], row["Prefix"], row["Rate before"], row["Rate"])
            for row in rows(staff, rate_import)
        ] == [
            ("2", "Increased", "49", "0.05000000", "0.06000000"),
            ("3", "New", "1", "", "0.01000000"),
        ]

    def test_is_filtered_by_class(self, staff: Client, table: RateTable) -> None:
        rate_import = sent(staff, table)

        found = rows(staff, rate_import, "&row_class=new")

        assert [row["Prefix"] for row in found] == ["1"]

    def test_gives_texts_that_are_no_formulas(self, staff: Client, table: RateTable) -> None:
        rate_import = sent(staff, table, "prefix,rate,destination\n7,1,=1+1\n")

        assert [row["Destination"] for row in rows(staff, rate_import)] == ["'=1+1"]

    def test_shows_that_it_is_being_made(self, staff: Client, table: RateTable) -> None:
        columns_url = upload(staff, table, FILE.encode()).headers["Location"]
        staff.post(columns_url, SAID)
        rate_import = RateImport.objects.get()

        assert "Reading and comparing" in page(staff, url(rate_import))
        assert "HX-Refresh" not in staff.get(url(rate_import, "progress/")).headers
        work(rate_import)
        assert staff.get(url(rate_import, "progress/")).headers["HX-Refresh"] == "true"


class TestAnImport:
    def test_states_what_it_writes_and_is_made_when_agreed_to(
        self, staff: Client, table: RateTable
    ) -> None:
        rate_import = sent(staff, table)

        review = page(staff, url(rate_import, "confirm/"))
        staff.post(url(rate_import, "confirm/"), {"_confirmed": "1"})
        done = work(rate_import)

        assert "increased" in review
        assert done.state == "DONE"
        rates = Rate.objects.exclude(effective_from=LONG_AGO).order_by("prefix")
        assert list(rates.values_list("prefix", "rate")) == [
            ("1", Decimal("0.01")),
            ("49", Decimal("0.06")),
        ]
        assert Entry.objects.filter(action="rate_import.confirmed").count() == 1

    def test_of_a_file_with_a_wrong_row_is_refused(self, staff: Client, table: RateTable) -> None:
        rate_import = sent(staff, table, f"{FILE}7,much,Russia\n")

        response = staff.post(url(rate_import, "confirm/"), {"_confirmed": "1"})

        assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert "1 rows are wrong" in response.content.decode()
        assert "rate: &#x27;much&#x27; is not a number" in page(staff, url(rate_import))

    def test_is_refused_when_the_table_has_changed_since(
        self, staff: Client, table: RateTable
    ) -> None:
        rate_import = sent(staff, table)
        make_rate(table, "44")

        response = staff.post(url(rate_import, "confirm/"), {"_confirmed": "1"})

        assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert "compare it again" in response.content.decode()

    def test_is_thrown_away(self, staff: Client, table: RateTable) -> None:
        rate_import = sent(staff, table)

        staff.post(url(rate_import, "discard/"), {"_confirmed": "1"})

        rate_import.refresh_from_db()
        assert rate_import.state == "DISCARDED"
        assert "Import the rates" not in page(staff, url(rate_import))

    def test_is_taken_back(self, staff: Client, table: RateTable) -> None:
        before = list(Rate.objects.values_list())
        rate_import = import_rates(table, FILE)

        staff.post(url(rate_import, "undo/"), {"_confirmed": "1"})
        undo_rate_import(import_id=rate_import.pk, at=AT)

        assert list(Rate.objects.values_list()) == before
        assert "Undone" in page(staff, url(rate_import))

    def test_with_past_dates_offers_to_rate_again(self, staff: Client, table: RateTable) -> None:
        past = import_rates(table, FILE, at=AT + timedelta(days=1))

        text = page(staff, url(past))

        assert "2 begin or end in the past" in text
        assert f"rate_table={table.pk}" in text
        assert "No call is concerned" in page(staff, url(past, "affected/"))

    def test_is_in_the_history_of_its_table(self, staff: Client, table: RateTable) -> None:
        import_rates(table, FILE)

        text = page(staff, f"/console/rate-tables/{table.pk}/imports/")

        assert "rates.csv" in text
        assert "Imported" in text
