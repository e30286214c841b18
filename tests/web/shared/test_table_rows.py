"""Rows of tables as HTML."""

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from django.test import RequestFactory
from django.utils.html import format_html
from django.utils.safestring import SafeString

from customers.models import Customer
from web.shared.tables import Column, NumberColumn, Table
from web.shared.writing import NONE


class LoudColumn(Column):
    def render(self, record: Any, table: Table) -> SafeString:
        return format_html("<b>{}{}</b>", record.name, table.mark)


class Rows(Table):
    mark = "!"

    name = Column("Name & more")
    count = NumberColumn("Count", accessor="inner__count")
    loud = LoudColumn("Loud", accessor="name")
    shout = Column("Shout", accessor="name")

    def render_shout(self, value: str) -> str:
        return value.upper()


class Plain(Table):
    name = Column("Name")


class States(Table):
    state = Column("State")
    who = Column("Who", accessor="reseller__organisation", default="nobody")


def body_of(table: type[Table], *records: Any) -> str:
    request: Any = RequestFactory().get("/")
    request.scope = None
    return str(table(list(records), request=request).body)


def row(name: Any, **inner: Any) -> SimpleNamespace:
    return SimpleNamespace(name=name, inner=SimpleNamespace(**inner))


class TestARow:
    def test_has_a_cell_of_each_column_under_its_heading(self) -> None:
        assert body_of(Rows, row("Ann", count=1200)) == (
            '<tr><td data-label="Name &amp; more">Ann</td>'
            '<td data-label="Count" class="number">1,200</td>'
            '<td data-label="Loud"><b>Ann!</b></td>'
            '<td data-label="Shout">ANN</td></tr>\n'
        )

    def test_escapes_what_is_no_markup(self) -> None:
        shown = body_of(Rows, row("<i>&", count=1))

        assert '<td data-label="Name &amp; more">&lt;i&gt;&amp;</td>' in shown
        assert "<b>&lt;i&gt;&amp;!</b>" in shown
        assert '<td data-label="Shout">&lt;I&gt;&amp;</td>' in shown

    def test_marks_what_is_not_there(self) -> None:
        shown = body_of(Rows, row(None))

        assert f'<td data-label="Name &amp; more" data-none>{NONE}</td>' in shown
        assert f'<td data-label="Count" data-none class="number">{NONE}</td>' in shown

    def test_writes_numbers_as_templates_do(self) -> None:
        shown = body_of(Plain, row(Decimal("1.50")))

        assert shown == '<tr><td data-label="Name">1.50</td></tr>\n'

    def test_says_a_choice_in_words_and_the_default_of_a_column(self) -> None:
        assert body_of(States, Customer(state=Customer.State.ACTIVE)) == (
            '<tr><td data-label="State">Active</td><td data-label="Who">nobody</td></tr>\n'
        )

    def test_follows_the_order_of_the_records(self) -> None:
        first, second = body_of(Rows, row("Ann", count=1), row("Bea", count=2)).splitlines()

        assert "Ann" in first
        assert "Bea" in second
