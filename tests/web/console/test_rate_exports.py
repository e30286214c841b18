import csv
from datetime import timedelta
from http import HTTPStatus
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from catalogue.models import RateExport, RateImport, RateTable
from catalogue.services.rate_exports import sweep_rate_exports, write_rate_export
from common import clock
from tenancy.models import Provider
from tests.factories import make_product, make_provider, make_rate_table, make_staff
from tests.factories.rate_files import compare_rates

pytestmark = pytest.mark.django_db
WANTED = {"format": "csv", "prefix_layout": "rows", "in_force_at": ""}


@pytest.fixture
def provider() -> Provider:
    return make_provider()


@pytest.fixture
def reader(client: Client, provider: Provider) -> Client:
    """Who may read rate tables may take them away."""
    client.force_login(make_staff(provider, "Read-only"))
    return client


@pytest.fixture
def table(provider: Provider) -> RateTable:
    return make_rate_table(make_product(provider), {"49": "0.05"}, name="Retail")


def url(table: RateTable) -> str:
    return f"/console/rate-tables/{table.pk}/export/"


class TestAllRowsOfAnImport:
    FILE = "prefix,rate,destination\n49,0.06,Germany\n1,x,=America\n33,0.02,France\n"

    @pytest.fixture
    def imported(self, table: RateTable, settings: Any, tmp_path: Path) -> RateImport:
        settings.RATE_FILES_DIR = tmp_path
        return compare_rates(table, self.FILE)

    def test_are_written_into_a_file(self, reader: Client, imported: RateImport) -> None:
        at = f"/console/rate-imports/{imported.pk}/"
        assert f"{at}rows/" in reader.get(at).content.decode()

        shown = reader.post(f"{at}rows/", {"format": "csv"}).headers["Location"]
        write_rate_export(export_id=RateExport.objects.get().pk, at=clock.now())

        assert "The file is ready" in reader.get(shown).content.decode()
        lines = list(csv.DictReader(StringIO(reader.get(f"{shown}file/").content.decode())))
        asked = ("line", "class", "rate_before", "rate", "prefix", "destination", "wrong_field")
        assert [tuple(line[name] for name in asked) for line in lines] == [
            ("2", "increased", "0.05", "0.06", "49", "Germany", ""),
            ("3", "error", "", "", "1", "'=America", "rate"),
            ("4", "new", "", "0.02", "33", "France", ""),
        ]
        assert lines[0]["effective_from"] == "2026-06-01T02:00:00+02:00"

    def test_are_no_export_of_the_table(
        self, reader: Client, table: RateTable, imported: RateImport
    ) -> None:
        reader.post(f"/console/rate-imports/{imported.pk}/rows/", {"format": "xlsx"})

        assert "/console/rate-tables/exports/" not in reader.get(url(table)).content.decode()


class TestAnExport:
    def test_is_written_in_the_background_and_taken_away(
        self, reader: Client, table: RateTable
    ) -> None:
        shown = reader.post(url(table), WANTED).headers["Location"]
        export = RateExport.objects.get()
        assert "Writing the file" in reader.get(shown).content.decode()
        assert reader.get(f"{shown}file/").status_code == HTTPStatus.NOT_FOUND

        write_rate_export(export_id=export.pk, at=clock.now())
        part = reader.get(shown, headers={"HX-Request": "true"}).content.decode()
        response = reader.get(f"{shown}file/")

        assert "hx-get" not in part
        assert f"{shown}file/" in part
        assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert response.content.startswith(b"prefix,destination,effective_from,")
        assert response.content.count(b"\n") == 2

    def test_is_listed_where_the_next_is_asked_for(self, reader: Client, table: RateTable) -> None:
        shown = reader.post(url(table), WANTED).headers["Location"]

        assert f'href="{shown}"' in reader.get(url(table)).content.decode()

    def test_is_gone_after_a_week(self, reader: Client, table: RateTable) -> None:
        shown = reader.post(url(table), WANTED).headers["Location"]
        export = RateExport.objects.get()
        write_rate_export(export_id=export.pk, at=clock.now() - timedelta(days=8))
        sweep_rate_exports(at=clock.now())

        assert "The file is gone" in reader.get(shown).content.decode()
        assert reader.get(f"{shown}file/").status_code == HTTPStatus.NOT_FOUND

    def test_is_nobody_elses(self, reader: Client, table: RateTable) -> None:
        shown = reader.post(url(table), WANTED).headers["Location"]
        write_rate_export(export_id=RateExport.objects.get().pk, at=clock.now())
        other = Client()
        other.force_login(make_staff(make_provider()))

        for address in (url(table), shown, f"{shown}file/"):
            assert other.get(address).status_code == HTTPStatus.NOT_FOUND

    def test_says_what_it_cannot_write(self, reader: Client, table: RateTable) -> None:
        response = reader.post(url(table), {**WANTED, "format": "pdf"})

        assert list(response.context["form"].errors) == ["format"]
        assert not RateExport.objects.exists()
