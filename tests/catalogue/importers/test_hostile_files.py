"""Files that are built to exhaust or deceive their reader are refused, with a reason."""

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_LZMA, ZipFile

import pytest

from catalogue.importers.proposals import propose_layout
from catalogue.importers.rate_files import first_rows, is_workbook, read_cells, sheet_names
from catalogue.importers.refusals import MOST_SHARED_TEXTS, RateFileUnreadable
from catalogue.importers.workbooks import Workbook
from catalogue.rules.rate_layouts import Layout
from tests.factories.workbooks import raw_workbook, workbook

LAYOUT = Layout(columns={"prefix": "prefix", "rate": "rate"})
HEADER = (
    '<row r="1"><c r="A1" t="inlineStr"><is><t>prefix</t></is></c>'
    '<c r="B1" t="inlineStr"><is><t>rate</t></is></c></row>'
)
DATES = b'<styleSheet><cellXfs><xf numFmtId="14"/></cellXfs></styleSheet>'
MOST_MORE_BYTES = 200 * 1024**2
MIB = 1024**2

Keep = Callable[[bytes], Path]


@pytest.fixture
def keep(tmp_path: Path) -> Keep:
    def keep_content(content: bytes) -> Path:
        path = tmp_path / "sent"
        path.write_bytes(content)
        return path

    return keep_content


@contextmanager
def within_memory() -> Iterator[None]:
    """What runs inside asks for no more than `MOST_MORE_BYTES` of address space."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limits = resource.getrlimit(resource.RLIMIT_AS)
    most = pages * resource.getpagesize() + MOST_MORE_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)


def read(path: Path) -> None:
    read_cells(path, LAYOUT, on_rows=lambda _: None)


def looked_at_and_read(path: Path) -> None:
    propose_layout(path, {})
    read(path)


def cell(reference: str, value: str) -> str:
    return f'<c r="{reference}"><v>{value}</v></c>'


class TestATextIsRefused:
    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"", "is empty"),
            (b"\xef\xbb\xbf", "no rows"),
            (b"prefix,rate\n", "no rows"),
            (b"prefix,rate\n49,1\n4\x009,1\n", "NUL"),
            (b"prefix,rate\n49,1\n\xff\xfe,1\n", "is not UTF-8"),
            (b'prefix,rate\n"49,1\n', "is not CSV"),
            (b'prefix,rate\n49,"1"2\n', "is not CSV"),
            (b"other,rate\n49,1\n", "no column 'prefix'"),
            (b"prefix,rate\n49," + b"1" * 200_000 + b"\n", "is not CSV"),
        ],
    )
    def test_with_a_reason(self, keep: Keep, content: bytes, reason: str) -> None:
        path = keep(content)

        with pytest.raises(RateFileUnreadable, match=reason):
            looked_at_and_read(path)

    def test_of_one_line_of_100_mb(self, keep: Keep) -> None:
        path = keep(b"1" * (100 * MIB))

        with within_memory(), pytest.raises(RateFileUnreadable, match="characters"):
            read(path)

    def test_of_ten_million_columns(self, keep: Keep) -> None:
        path = keep(b"prefix,rate" + b"," * 10_000_000 + b"\n49,1\n")

        with within_memory(), pytest.raises(RateFileUnreadable, match="characters"):
            read(path)

    def test_of_more_columns_than_any_rate_has(self, keep: Keep) -> None:
        with pytest.raises(RateFileUnreadable, match="1,002 columns"):
            read(keep(b"prefix,rate" + b"," * 1000 + b"\n49,1\n"))

    def test_of_more_lines_than_are_taken(self, keep: Keep) -> None:
        with pytest.raises(RateFileUnreadable, match="more than 1,000,000 rates"):
            read(keep(b"prefix,rate\n" + b"4,1\n" * 1_000_001))

    def test_whose_bytes_are_nothing(self, keep: Keep) -> None:
        with pytest.raises(RateFileUnreadable, match="neither text nor a workbook"):
            propose_layout(keep(bytes(range(256)) * 10), {})


def _without_bytes(value: object) -> str | None:
    """What names a case: the bytes of a workbook hold the time when it was made."""
    return "file" if isinstance(value, bytes) else None


class TestAWorkbookIsRefused:
    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"PK\x03\x04 and nothing else", "is no workbook"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 old or locked", "password"),
            (workbook({"Rates": [["prefix", "rate"], [49, 1]]})[:-60], "is no workbook"),
            (raw_workbook("<row><c><v>"), "damaged"),
            (raw_workbook('<row r="1"><c r="A1" t="s"><v>7</v></c></row>'), "not there"),
            (raw_workbook('<row r="1"><c r="A1" t="s"><v>x</v></c></row>'), "has no number"),
            (raw_workbook(f'<row r="1">{cell("ZZZZ1", "1")}</row>'), "a cell is at"),
            (raw_workbook(f'<row r="1">{cell("XFD1", "1")}</row>'), "column 16,384"),
            (raw_workbook("<a>" * 100), "nested too deeply"),
            (
                raw_workbook(f'<row r="1"><c r="A1"><v>{"1" * 200_000}</v></c></row>'),
                "far too much",
            ),
            (raw_workbook("", before='<?xml version="1.0" encoding="gbk"?>'), "damaged"),
            (raw_workbook("", before='<?xml version="1.0" encoding="none"?>'), "damaged"),
            (raw_workbook(f'<row r="{"9" * 5000}"/>'), "has a row 999,999,999,999"),
            (raw_workbook(f'<row r="1"><c r="A1" s="{"9" * 5000}"/></row>'), "damaged"),
            (
                raw_workbook(
                    f'{HEADER}<row r="2"><c r="A2" s="0"><v>2958465.9999999</v></c></row>',
                    parts={"xl/styles.xml": DATES},
                ),
                "damaged",
            ),
        ],
        ids=_without_bytes,
    )
    def test_with_a_reason(self, keep: Keep, content: bytes, reason: str) -> None:
        with pytest.raises(RateFileUnreadable, match=reason):
            read(keep(content))

    def test_that_is_a_zip_of_something_else(self, keep: Keep, tmp_path: Path) -> None:
        content = raw_workbook("").replace(b"xl/workbook.xml", b"xl/workbooc.xml")

        with pytest.raises(RateFileUnreadable, match="lacks its part"):
            read(keep(content))

    def test_that_unpacks_to_gigabytes(self, keep: Keep) -> None:
        zeros = b"0" * (200 * MIB)
        parts = {f"xl/media/{number}.bin": zeros for number in range(6)}
        path = keep(raw_workbook("", parts=parts))
        assert path.stat().st_size < 2 * MIB

        with within_memory(), pytest.raises(RateFileUnreadable, match="unpacks to"):
            read(path)

    @pytest.mark.parametrize(
        "document_type",
        [
            '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
            '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
            "<!DOCTYPE x>",
        ],
    )
    def test_that_declares_entities(self, keep: Keep, document_type: str) -> None:
        rows = '<row r="1"><c r="A1" t="inlineStr"><is><t>1</t></is></c></row>'

        with pytest.raises(RateFileUnreadable, match="declares XML entities"):
            read(keep(raw_workbook(rows, before=document_type)))

    def test_whose_styles_would_fill_the_memory(self, keep: Keep) -> None:
        styles = b"<styleSheet><cellXfs>" + b"<xf/>" * 4_000_000 + b"</cellXfs></styleSheet>"
        path = keep(raw_workbook("", parts={"xl/styles.xml": styles}))

        with pytest.raises(RateFileUnreadable, match="far too large"):
            sheet_names(path)

    def test_that_is_packed_to_take_memory(self, keep: Keep) -> None:
        content = BytesIO(raw_workbook(""))
        with ZipFile(content, "a") as book:
            book.writestr("xl/styles.xml", DATES, compress_type=ZIP_LZMA)

        with pytest.raises(RateFileUnreadable, match="packed as no spreadsheet"):
            sheet_names(keep(content.getvalue()))

    def test_whose_sheet_has_an_endless_name(self, keep: Keep) -> None:
        content = BytesIO()
        with ZipFile(BytesIO(raw_workbook(""))) as book, ZipFile(content, "w") as named:
            for part in book.namelist():
                longer = book.read(part).replace(b'name="Rates"', b'name="%s"' % (b"R" * 101))
                named.writestr(part, longer)

        with pytest.raises(RateFileUnreadable, match="name of a sheet"):
            sheet_names(keep(content.getvalue()))

    def test_that_holds_millions_of_texts(self, keep: Keep) -> None:
        texts = b"<sst>" + b"<si><t>x</t></si>" * (MOST_SHARED_TEXTS + 1) + b"</sst>"
        rows = f'<row r="1"><c r="A1" t="s"><v>{MOST_SHARED_TEXTS}</v></c></row>'

        with pytest.raises(RateFileUnreadable, match="far more texts"):
            read(keep(raw_workbook(rows, parts={"xl/sharedStrings.xml": texts})))

    def test_whose_tag_never_ends(self, keep: Keep) -> None:
        rows = f'<row r="1" x="{"1" * (20 * MIB)}"></row>'

        with within_memory(), pytest.raises(RateFileUnreadable, match="endless tag"):
            read(keep(raw_workbook(rows)))

    def test_that_is_locked_part_by_part(self, keep: Keep) -> None:
        content = bytearray(raw_workbook(""))
        content[content.rindex(b"PK\x01\x02") + 8] |= 1

        with pytest.raises(RateFileUnreadable, match="password"):
            read(keep(bytes(content)))

    def test_of_more_rows_than_are_taken(self, keep: Keep) -> None:
        with pytest.raises(RateFileUnreadable, match="more than 1,000,000 rates"):
            read(keep(raw_workbook(HEADER + "<row/>" * 1_000_001)))


class TestAWorkbook:
    def test_of_two_far_cells_takes_no_rectangle(self, keep: Keep) -> None:
        rows = f'{HEADER}<row r="1048576">{cell("IV1048576", "1")}</row>'

        with within_memory():
            found = list(Workbook(keep(raw_workbook(rows))).rows("Rates"))

        assert found[-1] == (1_048_576, [""] * 255 + ["1"])

    def test_gives_the_values_of_formulas_and_runs_none(self, keep: Keep) -> None:
        rows = (
            f'{HEADER}<row r="2"><c r="A2"><f>40+9</f><v>49</v></c>'
            '<c r="B2" t="str"><f>HYPERLINK("http://x")</f><v>0.5</v></c></row>'
            '<row r="3"><c r="A3"><f>1+1</f></c><c r="B3"><v>1</v></c></row>'
        )

        cells = read_cells(keep(raw_workbook(rows)), LAYOUT, on_rows=lambda _: None)

        assert cells.select("line", "prefix", "rate").rows() == [(2, "49", "0.5"), (3, "", "1")]

    def test_is_known_by_what_it_holds(self, keep: Keep) -> None:
        assert is_workbook(keep(workbook({"Rates": [["prefix", "rate"]]})))
        assert not is_workbook(keep(b"prefix,rate\n"))

    def test_keeps_the_digits_that_a_spreadsheet_shows(self, keep: Keep) -> None:
        numbers = (0.0125, 0.1 + 0.2, 1234.5678, 1e-8, 441234567890123, -0.6, 0)
        content = workbook({"Rates": [["prefix", "rate"], *([number] for number in numbers)]})

        rows = first_rows(keep(content), Layout(columns={}), 10)

        assert [cells[0] for _, cells in rows[1:]] == [
            *("0.0125", "0.3", "1234.5678", "0.00000001", "441234567890123", "-0.6", "0"),
        ]

    def test_gives_dates_as_such(self, keep: Keep) -> None:
        instant = datetime(2026, 10, 31, 13, 5)  # noqa: DTZ001 - spreadsheets know no zones
        content = workbook({"Rates": [[instant, "49"]]})

        rows = first_rows(keep(content), Layout(columns={}), 1)

        assert rows == [(1, ["2026-10-31T13:05:00", "49"])]

    def test_is_read_sheet_by_sheet(self, keep: Keep) -> None:
        path = keep(
            workbook(
                {
                    "A": [["prefix", "rate"], ["1", 1]],
                    "B": [["rate", "prefix"], [2, "2"]],
                    "Notes": [["Hello"]],
                }
            )
        )
        two = Layout(columns=LAYOUT.columns, sheets=("A", "B"))

        cells = read_cells(path, two, on_rows=lambda _: None)

        assert cells.rows() == [("A", 2, "1", "1"), ("B", 2, "2", "2")]
        with pytest.raises(RateFileUnreadable, match="Sheet Notes has no column 'prefix'"):
            read(path)
