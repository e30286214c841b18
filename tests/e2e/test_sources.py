"""Sources in the console: columns of somebody's own CSV, named while a sample is looked at."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from cdr.models import Source
from tests.e2e.steps import press
from tests.e2e.visits import Visit
from tests.e2e.world import make_colleague
from tests.factories import make_product, make_provider, make_source

pytestmark = pytest.mark.django_db(transaction=True)
Visits = Callable[..., Visit]
SAMPLE = "Datum;Von;Nach;Dauer\n01.10.2026 10:00:05;+4930123456;00442071234567;60,4\nsoon;1;2;3\n"
COLUMNS = {"started_at": "Datum", "caller_number": "Von", "destination_number": "Nach"}


@pytest.fixture
def source() -> Source:
    return make_source(make_product(make_provider()), format="mapped-csv", name="Old PBX")


class TestColumnsOfOtherCsv:
    def test_are_tried_while_they_are_typed(self, visit: Visits, source: Source) -> None:
        window = visit(make_colleague(source.provider, "Service"))
        page = window.open(f"/console/usage/sources/{source.pk}/columns/")

        page.get_by_label("Lines to try").fill(SAMPLE)
        expect(page.get_by_text("Fill in the fields above")).to_be_visible()
        page.locator("#id_separator").select_option(";")
        page.locator("#id_time_format").select_option("31.10.2026 23:59:59")
        page.locator("#id_decimal_sign").select_option(",")
        for name, column in COLUMNS.items():
            page.locator(f"#id_{name}").fill(column)
        expect(page.get_by_text("Name the volume's column")).to_be_visible()
        page.locator("#id_volume").fill("Dauer")
        expect(page.get_by_text("442071234567", exact=True)).to_be_visible()
        expect(page.get_by_text('column Datum "soon" is not a time')).to_be_visible()
        window.look("console-source-columns-tried")
        page.get_by_role("button", name="Save the columns").click()

        expect(page.get_by_text("The columns of Old PBX are known now")).to_be_visible()
        source.refresh_from_db()
        assert source.column_mapping is not None
        assert source.column_mapping.columns["volume"] == "Dauer"

    def test_are_tried_without_a_script_by_a_button(self, visit: Visits, source: Source) -> None:
        window = visit(make_colleague(source.provider, "Service"), java_script_enabled=False)
        page = window.open(f"/console/usage/sources/{source.pk}/columns/")

        page.get_by_label("Lines to try").fill(SAMPLE)
        page.locator("#id_separator").select_option(";")
        page.locator("#id_time_format").select_option("31.10.2026 23:59:59")
        page.locator("#id_decimal_sign").select_option(",")
        for name, column in {**COLUMNS, "volume": "Dauer"}.items():
            page.locator(f"#id_{name}").fill(column)
        press(page, "Try the lines")

        expect(page.get_by_text("442071234567", exact=True)).to_be_visible()
        assert page.locator("#id_volume").input_value() == "Dauer"
        source.refresh_from_db()
        assert source.mapping is None

    def test_look_finished(self, visit: Visits, source: Source) -> None:
        window = visit(make_colleague(source.provider, "Service"))
        root = f"/console/usage/sources/{source.pk}/"

        window.look_at(root, "console-source-edit")
        window.look_at(f"{root}columns/", "console-source-columns")
        window.look_at(f"{root}try/", "console-source-try")
