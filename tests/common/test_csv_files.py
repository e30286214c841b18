import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from common.csv_files import Cell, write_csv


def written(*rows: tuple[Cell, ...]) -> str:
    stream = io.StringIO()
    write_csv(stream, ["name", "amount"], rows)
    return stream.getvalue()


class TestWriteCsv:
    def test_writes_a_heading_and_the_rows(self) -> None:
        assert written(("Elbe", Decimal("1.50")), ("Spree, Havel", 2)) == (
            'name,amount\nElbe,1.50\n"Spree, Havel",2\n'
        )

    def test_writes_decimals_in_full_dates_as_iso_and_none_as_nothing(self) -> None:
        assert written((Decimal("1E+3"), Decimal("-0.00000001"))).endswith("1000,-0.00000001\n")
        assert written((date(2026, 10, 1), None)).endswith("2026-10-01,\n")
        assert written((datetime(2026, 10, 1, tzinfo=UTC), None)).endswith("T00:00:00+00:00,\n")

    @pytest.mark.parametrize("text", ["=1+1", "+49 30", "-5", "@SUM(A1)", "\t=1", "＝1"])  # noqa: RUF001
    def test_takes_the_sting_out_of_formulas(self, text: str) -> None:
        assert written((text, 1)) == f"name,amount\n'{text},1\n"

    def test_leaves_negative_numbers_alone(self) -> None:
        assert written((Decimal(-5), -5)) == "name,amount\n-5,-5\n"
