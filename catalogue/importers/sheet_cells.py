"""The cells of a sheet as columns, some thousand rows at a time."""

from collections.abc import Iterator
from typing import IO

import polars as pl

from catalogue.importers.plain_elements import ATTRIBUTES, TEXT, plain_runs, unescaped
from catalogue.importers.refusals import MOST_COLUMNS
from catalogue.importers.shared_texts import SharedTexts
from catalogue.importers.sheet_xml import DateStyles, SheetReader, number_text, place_of
from catalogue.importers.texts import LINE, Row
from catalogue.importers.xml_parts import XmlReader

_CELL = (
    r'<c r="[A-Z]{1,3}[0-9]{1,8}"(?: s="[0-9]{1,6}")?(?: t="[a-zA-Z]{1,9}")?'
    rf"(?:/>|>(?:<f{ATTRIBUTES}(?:/>|>{TEXT}</f>))?"
    rf'(?:<v>{TEXT}</v>|<v/>|<is><t(?: xml:space="preserve")?(?:/>|>{TEXT}</t>)</is>)?</c>)'
)
_ROW = (
    rf'^(?:<row{ATTRIBUTES} ?/>)*<row r="[0-9]{{1,7}}"{ATTRIBUTES}>(?:{_CELL})*$'  # less `</row>`
)
_ROW_NUMBER = r'(?s)^.*<row r="([0-9]+)"'
_PARTS_OF_CELL = (
    r'^(?<letters>[A-Z]+)[0-9]+"(?: s="(?<style>[0-9]+)")?(?: t="(?<kind>[a-zA-Z]+)")?'
    r"(?:/>|>(?:<f[^>]*(?:/>|>[^<]*</f>))?"
    r"(?:<v>(?<value>[^<]*)|<is><t[^>]*>(?<inline>[^<]*))?)"
)
# Fifteen digits at most, without zeros that say nothing: what a spreadsheet shows is what it wrote.
_PLAIN_NUMBER = r"^-?(?:[1-9][0-9]{0,14}|0|(?:[1-9][0-9]{0,6}|0)\.[0-9]{0,7}[1-9])$"
_NUMBER, _SHARED, _BOOLEAN, _INLINE = "n", "s", "b", "inlineStr"


def sheet_blocks(part: IO[bytes], dates: DateStyles, shared: SharedTexts) -> Iterator[pl.DataFrame]:
    """The rows with cells: `line`, and by the place of its column the text of each, or null.

    :raises RateFileUnreadable: while iterating, the sheet is damaged or beyond the bounds.
    """
    reader = SheetReader(dates, shared)
    xml = XmlReader(start=reader.started, end=reader.ended)
    for run in plain_runs(part, xml, opening=b"<row ", closing=b"</row>", plain=_ROW):
        block = None
        if run is not None:
            block = _plain_block(run, dates, shared)
            if block is None:
                _read_by_xml(run, reader)
            else:
                count = int(run.str.count_matches("<row ", literal=True).sum())
                reader.skip(count, _line_numbers(run.tail(1))[0])
        if block is None:
            block = reader.taken()
        if block is not None and not block.is_empty():
            yield block


def block_rows(block: pl.DataFrame) -> Iterator[Row]:
    """The rows of a block one by one, each as far as it has cells."""
    places = [int(name) for name in block.columns if name != LINE]
    width = max(places, default=-1) + 1
    for number, *texts in block.select(LINE, *map(str, places)).iter_rows():
        cells: list[str | None] = [None] * width
        for place, text in zip(places, texts, strict=True):
            cells[place] = text
        while cells and cells[-1] is None:
            cells.pop()
        yield number, [cell or "" for cell in cells]


def _read_by_xml(run: pl.Series, reader: SheetReader) -> None:
    """Read rows one cell after the other, as what they hold asks for."""
    xml = XmlReader(start=reader.started, end=reader.ended)
    xml.feed(b"<sheetData>")
    for row in run:
        xml.feed(f"{row}</row>".encode())


def _line_numbers(run: pl.Series) -> pl.Series:
    return run.str.extract(_ROW_NUMBER).cast(pl.Int64)


def _plain_block(run: pl.Series, dates: DateStyles, shared: SharedTexts) -> pl.DataFrame | None:
    """The cells of plain rows; None where what they hold is not as plain as how it is written."""
    parts = run.str.split('<c r="')
    texts = pl.DataFrame({"row": pl.int_range(len(run), eager=True), "parts": parts.list.slice(1)})
    texts = texts.explode("parts", empty_as_null=True).drop_nulls()
    cells = texts.select("row", pl.col("parts").str.extract_groups(_PARTS_OF_CELL)).unnest("parts")
    written = pl.when(pl.col("kind") == _INLINE).then(pl.coalesce("value", "inline"))
    cells = cells.with_columns(
        kind=pl.col("kind").fill_null(_NUMBER), value=written.otherwise("value")
    ).filter(pl.col("value") != "")
    if cells.is_empty():
        return pl.DataFrame(schema={LINE: pl.Int64})
    places = {letters: place_of(letters) for letters in cells["letters"].unique()}
    if max(places.values(), default=0) >= MOST_COLUMNS:
        return None
    cells = cells.with_columns(
        place=pl.col("letters").replace_strict(places, return_dtype=pl.Int32)
    )
    is_in_order = pl.col("place").diff() > 0
    if not cells.select((is_in_order | (pl.col("row").diff() > 0)).all()).item():
        return None
    found = _texts_of(cells, dates, shared)
    if found is None:
        return None
    return _wide(_line_numbers(run), cells.select("row", "place", text=found))


def _texts_of(cells: pl.DataFrame, dates: DateStyles, shared: SharedTexts) -> pl.Series | None:
    """What each cell shows; None where only the XML reader can tell what is wrong."""
    is_shared = pl.col("kind") == _SHARED
    numbers = cells.select(pl.when(is_shared).then("value")).to_series()
    if not numbers.str.contains(r"^[0-9]{1,9}$").all():
        return None
    try:
        written = _numbers(cells, dates)
    except (ValueError, OverflowError):
        return None
    is_true = pl.when(pl.col("value") == "1").then(pl.lit("TRUE")).otherwise(pl.lit("FALSE"))
    return (
        cells.with_columns(
            value=unescaped(cells["value"]),
            written=written,
            shared=shared.at(numbers.cast(pl.Int64)),
        )
        .select(
            pl.when(is_shared)
            .then("shared")
            .when(pl.col("kind") == _NUMBER)
            .then("written")
            .when(pl.col("kind") == _BOOLEAN)
            .then(is_true)
            .otherwise("value")
        )
        .to_series()
    )


def _numbers(cells: pl.DataFrame, dates: DateStyles) -> pl.Series:
    """Numbers as a spreadsheet shows them; most are written so. Texts stay as they are."""
    styles = [str(number) for number in dates.numbers]
    is_number = pl.col("kind") == _NUMBER
    of_numbers = cells.select(
        "value",
        is_date=is_number & pl.col("style").fill_null("0").is_in(styles),
        is_odd=is_number & ~pl.col("value").str.contains(_PLAIN_NUMBER),
    )
    is_odd = pl.col("is_date") | pl.col("is_odd")
    odd = of_numbers.filter(is_odd).select("value", "is_date").unique()
    if odd.is_empty():
        return cells["value"]
    texts = [number_text(value, dates, is_date=is_date) for value, is_date in odd.iter_rows()]
    odd = odd.with_columns(text=pl.Series(texts, dtype=pl.String), is_odd=True)
    joined = of_numbers.with_columns(is_odd=is_odd).join(
        odd, on=["value", "is_date", "is_odd"], how="left", maintain_order="left"
    )
    return joined.select(pl.coalesce("text", "value")).to_series()


def _wide(lines: pl.Series, cells: pl.DataFrame) -> pl.DataFrame:
    """A column for each place; rows without any cell are left out."""
    rows = cells.select("row").unique(maintain_order=True)
    columns = {LINE: lines.gather(rows["row"])}
    parts = cells.partition_by("place", as_dict=True, include_key=False)
    for (place,), part in parts.items():
        is_full = len(part) == len(rows)
        found = part if is_full else rows.join(part, on="row", how="left", maintain_order="left")
        columns[str(place)] = found["text"]
    return pl.DataFrame(columns)
