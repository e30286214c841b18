from decimal import Decimal

import pytest

from web.shared.charts import bar_chart, line_chart, ranking_chart, stacked_chart

SERIES = {"Usage": [Decimal("820.5"), None], "<b>Fees</b>": [Decimal(20), Decimal(30)]}


@pytest.mark.parametrize("draw", [bar_chart, line_chart, stacked_chart])
class TestAChart:
    def test_has_no_script_style_or_comment_in_it(self, draw) -> None:  # type: ignore[no-untyped-def]
        chart = draw("Revenue", ["May", "Jun"], SERIES, unit="EUR")

        for forbidden in ("<script", "<style", "style=", "<!--", "<defs", " id="):
            assert forbidden not in chart.svg

    def test_escapes_names_and_gives_values_to_the_pointer(self, draw) -> None:  # type: ignore[no-untyped-def]
        chart = draw("Revenue", ["May", "Jun"], SERIES, unit="EUR")

        assert "<b>" not in chart.svg
        assert "820.5</title>" in chart.svg
        assert 'role="img"' in chart.svg

    def test_stands_beside_its_exact_figures(self, draw) -> None:  # type: ignore[no-untyped-def]
        chart = draw("Revenue", ["May", "Jun"], SERIES, unit="EUR")

        assert chart.title == "Revenue (EUR)"
        assert chart.headings == ["", "Usage (EUR)", "<b>Fees</b> (EUR)"]
        assert chart.rows == [
            ["May", "820.5", "20"],
            ["Jun", "\N{EN DASH}", "30"],
        ]

    def test_is_empty_while_all_its_figures_are_nothing(self, draw) -> None:  # type: ignore[no-untyped-def]
        assert draw("Revenue", ["May", "Jun"], {"Usage": [Decimal(0), None]}).is_empty
        assert not draw("Revenue", ["May", "Jun"], SERIES).is_empty


class TestARankingChart:
    def test_has_its_figures_in_the_order_given(self) -> None:
        chart = ranking_chart("Sales", {"Rho": Decimal(30), "Sigma": Decimal(20)}, unit="EUR")

        assert chart.rows == [["Rho", "30"], ["Sigma", "20"]]
