"""What is exported imports as the same table, however its prefixes are written."""

from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO, StringIO
from typing import Any

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from catalogue.models import Rate, RateTable
from catalogue.rules.rate_lines import COLUMNS, PrefixLayout
from catalogue.selectors.rate_exports import rate_lines
from common.csv_files import write_csv
from common.scope import Scope
from common.xlsx_files import write_xlsx
from tests.factories import make_product, make_provider, make_rate_table, make_time_profile
from tests.factories.rate_files import compare_rates, import_rates

AMOUNTS = st.decimals("-999999", "999999", places=8)
FEES = AMOUNTS.map(abs)
INSTANTS = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
# Cells are read without the blanks around them, and no line ends within.
TEXTS = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_categories=["Cc", "Zs"]),
    min_size=1,
    max_size=12,
)
KEPT = [
    *(name for name in COLUMNS if name != "time_profile"),
    "time_profile_id",
]


@st.composite
def rate_terms(draw: st.DrawFn) -> dict[str, Any]:
    start, end = sorted(draw(st.lists(INSTANTS, min_size=2, max_size=2, unique=True)))
    floor = draw(st.none() | FEES)
    return {
        "prefix": draw(st.text("0123456789", max_size=4)),
        "destination": draw(TEXTS | st.sampled_from(["=1+1", "'=x", "+49", "'tis", "a,b;c", '"'])),
        "effective_from": start,
        "effective_to": draw(st.sampled_from([None, end])),
        "rate": draw(AMOUNTS),
        "initial_rate": draw(st.none() | AMOUNTS),
        "connection_fee": draw(FEES),
        "minimum": draw(st.integers(1, 2**31 - 1)),
        "increment": draw(st.integers(1, 60)),
        "grace": draw(st.integers(0, 60)),
        "steps": draw(st.sampled_from(["", "0:0.60/60;60:0.30/1"])),
        "min_cost": floor,
        "max_cost": draw(st.sampled_from([None, floor])),
        "attempt_fee": draw(FEES),
        "policy": draw(st.sampled_from(["regular", "additive"])),
        "tag": draw(st.sampled_from(["", "vip", "-on.net_"])),
        "origin_prefix": draw(st.text("0123456789", max_size=3)),
        "min_digits": draw(st.none() | st.integers(0, 5)),
        "max_digits": draw(st.none() | st.integers(5, 30)),
        "status": draw(st.sampled_from(["active", "blocked", "stashed"])),
    }


@st.composite
def tables(draw: st.DrawFn) -> list[tuple[dict[str, Any], bool]]:
    """Rates for different calls or from different instants; beside them, stashed ones for the same
    calls from the same instant, also several, and alike.
    """
    rates = draw(
        st.lists(
            st.tuples(rate_terms(), st.booleans()),
            min_size=1,
            max_size=6,
            unique_by=lambda rate: (rate[0]["prefix"], rate[0]["effective_from"]),
        )
    )
    for terms, has_profile in draw(st.lists(st.sampled_from(rates), max_size=3)):
        rate = draw(st.sampled_from([terms["rate"], Decimal("0.01"), Decimal("0.02")]))
        rates.append(({**terms, "rate": rate, "status": "stashed"}, has_profile))
    return rates


def kept(table: RateTable) -> list[tuple[Any, ...]]:
    return sorted(Rate.objects.filter(rate_table=table).values_list(*KEPT), key=repr)


def exported(table: RateTable, layout: PrefixLayout) -> list[Any]:
    scope = Scope.system(table.provider_id)
    return list(rate_lines(scope, table, at=None, layout=layout))


class TestAnExport(TestCase):
    @hypothesis_settings(max_examples=25)
    @given(tables(), st.sampled_from(PrefixLayout))
    def test_imports_as_the_same_table(
        self, rates: list[tuple[dict[str, Any], bool]], layout: PrefixLayout
    ) -> None:
        table = self.table(rates)
        text = StringIO()
        write_csv(text, COLUMNS, exported(table, layout))

        again = compare_rates(table, text.getvalue())
        empty = make_rate_table(table.product, time_zone=table.time_zone)
        import_rates(empty, text.getvalue())

        assert again.counts == {"unchanged": len(rates)}
        assert kept(empty) == kept(table)

    def table(self, rates: list[tuple[dict[str, Any], bool]]) -> RateTable:
        provider = make_provider()
        profile = make_time_profile(provider, "Sat-Sun 00:00-24:00", weight=5)
        table = make_rate_table(make_product(provider))
        for terms, has_profile in rates:
            Rate.objects.create(
                provider=provider,
                rate_table=table,
                time_profile=profile if has_profile else None,
                **terms,
            )
        return table


def test_an_excel_file_imports_as_the_same_table(db: None) -> None:
    provider = make_provider()
    table = make_rate_table(make_product(provider))
    for number in range(3):
        Rate.objects.create(
            provider=provider,
            rate_table=table,
            prefix=f"4{number}",
            destination="=1+1",
            effective_from=datetime(2026, 1, 1, 12, 30, 15, 123456, tzinfo=UTC),
            rate=Decimal("0.00000001") * (number + 1),
            max_cost=Decimal("123456789.12345678"),
        )
    content = BytesIO()
    write_xlsx(content, "Rates", COLUMNS, exported(table, PrefixLayout.RANGES))
    empty = make_rate_table(table.product, time_zone=table.time_zone)

    import_rates(empty, content.getvalue(), name="rates.xlsx")

    assert kept(empty) == kept(table)
