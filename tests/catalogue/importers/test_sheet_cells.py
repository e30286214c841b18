"""Rows that are taken apart by an expression are those that an XML parser finds."""

from pathlib import Path
from tempfile import TemporaryDirectory
from xml.sax.saxutils import escape

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from catalogue.importers.refusals import RateFileUnreadable
from catalogue.importers.texts import Row
from catalogue.importers.workbooks import Workbook
from tests.factories.workbooks import raw_workbook

STYLES = b'<styleSheet><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>'
BY_XML = "<!-- whatever comes after a comment is read as XML -->"
TEXTS = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FFF), max_size=8).map(escape)
NUMBERS = st.one_of(
    st.integers(-(10**16), 10**16).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.decimals(-1000, 1000, places=6).map(str),
    st.sampled_from(["0", "-0", "007", "1E3", "1e-7", "46357.5", " 5", "x", "", "12.50", "1_0"]),
)


@st.composite
def cells(draw: st.DrawFn, reference: str) -> str:
    style = draw(st.sampled_from(["", ' s="0"', ' s="1"', ' s="7"']))
    formula = draw(st.sampled_from(["", "<f>A1+1</f>", '<f t="shared" si="0"/>']))
    kind, value = draw(
        st.one_of(
            st.tuples(st.sampled_from(["", ' t="n"']), NUMBERS.map("<v>{}</v>".format)),
            st.tuples(st.just(' t="s"'), st.integers(0, 3).map("<v>{}</v>".format)),
            st.tuples(st.just(' t="b"'), st.sampled_from(["<v>0</v>", "<v>1</v>"])),
            st.tuples(st.sampled_from([' t="str"', ' t="e"']), TEXTS.map("<v>{}</v>".format)),
            st.tuples(st.just(' t="inlineStr"'), TEXTS.map("<is><t>{}</t></is>".format)),
            st.tuples(
                st.just(' t="inlineStr"'),
                TEXTS.map('<is><t xml:space="preserve">{}</t></is>'.format),
            ),
            st.tuples(st.just(""), st.sampled_from(["", "<v/>", "<v></v>"])),
        )
    )
    return f'<c r="{reference}"{style}{kind}>{formula}{value}</c>'


@st.composite
def sheets(draw: st.DrawFn) -> str:
    rows = []
    for number in draw(st.lists(st.integers(1, 60), max_size=6, unique=True).map(sorted)):
        columns = draw(st.lists(st.sampled_from(["A", "B", "C", "AA", "IV"]), max_size=4))
        if draw(st.booleans()):
            columns = sorted(set(columns), key=lambda letters: (len(letters), letters))
        written = "".join(draw(cells(f"{letters}{number}")) for letters in columns)
        attributes = draw(st.sampled_from(["", ' spans="1:7"', ' ht="12.8" hidden="false"']))
        rows.append(f'<row r="{number}"{attributes}>{written}</row>')
        rows.append(draw(st.sampled_from(["", "", f'<row r="{number}"/>'])))
    return "".join(rows)


def read(content: bytes) -> list[Row] | str:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "sent.xlsx"
        path.write_bytes(content)
        with Workbook(path) as book:
            try:
                return list(book.rows("Rates"))
            except RateFileUnreadable as refusal:
                return str(refusal)


def shared(texts: list[str], before: str = "") -> bytes:
    items = "".join(f"<si><t>{text}</t></si>" for text in texts)
    return f'<?xml version="1.0" encoding="UTF-8"?><sst>{before}{items}</sst>'.encode()


@hypothesis_settings(max_examples=300)
@given(sheets(), st.lists(TEXTS, min_size=4, max_size=4))
def test_both_ways_come_to_the_same(rows: str, texts: list[str]) -> None:
    plain = {"xl/styles.xml": STYLES, "xl/sharedStrings.xml": shared(texts)}
    as_xml = {**plain, "xl/sharedStrings.xml": shared(texts, BY_XML)}

    assert read(raw_workbook(rows, parts=plain)) == read(raw_workbook(BY_XML + rows, parts=as_xml))


class TestRowsOfAPlainSheet:
    ROW = '<row r="{0}"><c r="A{0}" t="inlineStr"><is><t>{1}</t></is></c></row>'

    def test_are_found_before_and_after_one_that_is_written_otherwise(self) -> None:
        odd = '<row r="2"><c t="inlineStr"><is><r><t>4</t></r><r><t>9</t></r></is></c></row>'
        rows = self.ROW.format(1, "&lt;1&amp;lt;") + odd + self.ROW.format(3, "3")

        assert read(raw_workbook(rows)) == [(1, ["<1&lt;"]), (2, ["49"]), (3, ["3"])]

    def test_are_none_inside_a_comment(self) -> None:
        rows = self.ROW.format(1, "1") + f"<!-- {self.ROW.format(2, 'no')} -->"

        assert read(raw_workbook(rows)) == [(1, ["1"])]
        assert read(raw_workbook(rows, before=f"<!-- {self.ROW.format(1, 'no')} -->")) == [
            (1, ["1"])
        ]

    def test_are_refused_with_what_xml_does_not_hold(self) -> None:
        assert "damaged" in str(read(raw_workbook(self.ROW.format(1, "\x01"))))
        assert "damaged" in str(read(raw_workbook(self.ROW.format(1, "&nbsp;"))))
        assert "damaged" in str(read(raw_workbook(self.ROW.format(1, "1") + "</sheetData><x>")))

    def test_are_read_by_thousands_in_several_runs(self) -> None:
        count = 60_000
        rows = "".join(self.ROW.format(number, f"text {number}") for number in range(1, count + 1))

        found = read(raw_workbook(rows))

        assert len(found) == count
        assert found[-1] == (count, [f"text {count}"])
