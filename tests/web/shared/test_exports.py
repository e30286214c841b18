from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO

from openpyxl import load_workbook

from common.csv_files import Cell
from web.shared.exports import csv_response, xlsx_response

COLUMNS = ["Name", "Amount", "On", "At"]
ROWS: list[list[Cell]] = [
    ["=1+1", Decimal("0.10"), date(2026, 10, 1), datetime(2026, 10, 1, 9, 30, tzinfo=UTC)]
]


class TestCsvResponse:
    def test_is_exact_and_harmless(self) -> None:
        response = csv_response("x", COLUMNS, ROWS)

        assert response.content.decode() == (
            "Name,Amount,On,At\n'=1+1,0.10,2026-10-01,2026-10-01T09:30:00+00:00\n"
        )


class TestXlsxResponse:
    def test_keeps_numbers_and_dates_and_makes_no_formula_of_text(self) -> None:
        response = xlsx_response("x", COLUMNS, ROWS)

        sheet = load_workbook(BytesIO(response.content)).active
        assert sheet is not None
        name, amount, on, at = sheet[2]
        assert (name.value, name.data_type) == ("=1+1", "s")
        assert Decimal(str(amount.value)) == Decimal("0.10")
        assert on.value == datetime(2026, 10, 1)  # noqa: DTZ001 - a spreadsheet knows no zones
        assert at.value == datetime(2026, 10, 1, 9, 30)  # noqa: DTZ001
