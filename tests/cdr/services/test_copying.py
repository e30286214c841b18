"""COPY gives back what was put in, in text and in binary."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import numpy as np
import polars as pl
import pytest
from django.db import DataError, connection, transaction
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from cdr.rules.instants import from_microseconds, to_microseconds
from cdr.services.binary_rows import Binary, Column, encode_rows
from cdr.services.copying import copy_binary, days
from common.copying import Pieces, amounts, copy_encoded, copy_rows, timestamps

COSTS = st.integers(-(10**18) + 1, 10**18 - 1)
INSTANTS = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1))  # noqa: DTZ001


def copied(table: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} ORDER BY 1")
        rows: list[tuple[object, ...]] = cursor.fetchall()
    return rows


def create(columns: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE copied ({columns}) ON COMMIT DROP")


class TestCopyBinary(TestCase):
    @given(st.lists(st.tuples(COSTS, INSTANTS), min_size=1))
    def test_keeps_every_amount_and_instant(self, rows: list[tuple[int, datetime]]) -> None:
        instants = [instant.replace(tzinfo=UTC) for _, instant in rows]
        create("place bigint, amount numeric(18, 8), at timestamptz, kind smallint")
        columns = {
            "place": Column(Binary.BIGINT, np.arange(len(rows))),
            "amount": Column(Binary.AMOUNT, np.array([cost for cost, _ in rows])),
            "at": Column(Binary.TIMESTAMPTZ, np.array([to_microseconds(i) for i in instants])),
            "kind": Column(Binary.SMALLINT, 7),
        }

        copy_binary("copied", columns, len(rows))

        assert copied("copied") == [
            (place, Decimal(cost).scaleb(-8), instant, 7)
            for place, ((cost, _), instant) in enumerate(zip(rows, instants, strict=True))
        ]
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE copied")

    def test_keeps_each_of_many_rows(self) -> None:
        count = 10_001
        create("place bigint, amount numeric(18, 8), at timestamptz, kind smallint")
        places = np.arange(count)
        columns = {
            "place": Column(Binary.BIGINT, places),
            "amount": Column(Binary.AMOUNT, (places - 5_000) * 98_765_432_109_876),
            "at": Column(Binary.TIMESTAMPTZ, places * 1_000_003),
            "kind": Column(Binary.SMALLINT, 7),
        }

        copy_binary("copied", columns, count)

        assert copied("copied") == [
            (
                place,
                Decimal((place - 5_000) * 98_765_432_109_876).scaleb(-8),
                from_microseconds(place * 1_000_003),
                7,
            )
            for place in range(count)
        ]


TEXTS = st.none() | st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=200)
SUMS = st.integers(1 - 10**24, 10**24 - 1)
IDS = st.none() | st.integers(-(2**63), 2**63 - 1)


class TestEncodeRows(TestCase):
    @given(st.lists(st.tuples(TEXTS, TEXTS, IDS, st.uuids()), min_size=1))
    @example([("x" * 127, "ü" * 64, 1, UUID(int=0)), ("", None, None, UUID(int=1))])
    @example([("x" * 128, "", None, UUID(int=2**128 - 1))])
    def test_keeps_texts_and_nulls_whatever_their_lengths(
        self, rows: list[tuple[str | None, str | None, int | None, UUID]]
    ) -> None:
        create("place int, note text NOT NULL, other text NOT NULL, party bigint, key uuid")
        notes, others, parties, keys = zip(*rows, strict=True)
        columns = {
            "party": Column(Binary.NULLABLE_BIGINT, pl.Series(parties, dtype=pl.Int64)),
            "note": Column(Binary.TEXT, pl.Series(notes, dtype=pl.String)),
            "key": Column(Binary.UUID, pl.Series([key.hex for key in keys])),
            "other": Column(Binary.TEXT, pl.Series(others, dtype=pl.String)),
            "place": Column(Binary.INTEGER, np.arange(len(rows))),
        }

        names, encoded = encode_rows(columns, len(rows))
        copy_encoded("copied", names, "FORMAT binary", Pieces(encoded))

        assert copied("copied") == [
            (place, note or "", other or "", party, key)
            for place, (note, other, party, key) in enumerate(rows)
        ]
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE copied")

    @given(st.lists(st.tuples(SUMS, st.dates()), min_size=1))
    @example([(10**24 - 1, date(1, 1, 1)), (1 - 10**24, date(9999, 12, 31)), (0, date(2000, 1, 1))])
    def test_keeps_every_sum_and_day(self, rows: list[tuple[int, date]]) -> None:
        create("place int, amount numeric(24, 8), day date")
        sums, dates = zip(*rows, strict=True)
        columns = {
            "place": Column(Binary.INTEGER, np.arange(len(rows))),
            "amount": Column(Binary.SUM, pl.Series(sums, dtype=pl.Int128)),
            "day": Column(Binary.DATE, pl.Series(dates, dtype=pl.Date)),
        }

        names, encoded = encode_rows(columns, len(rows))
        copy_encoded("copied", names, "FORMAT binary", Pieces(encoded))

        assert copied("copied") == [
            (place, Decimal(cost).scaleb(-8), day) for place, (cost, day) in enumerate(rows)
        ]
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE copied")

    def test_refuses_sums_that_have_no_room(self) -> None:
        column = Column(Binary.SUM, pl.Series([1, -(10**24)], dtype=pl.Int128))

        _, encoded = encode_rows({"amount": column}, 2)

        with pytest.raises(OverflowError):
            list(encoded)

    def test_keeps_each_of_many_rows(self) -> None:
        create("place bigint, note text, long text, empty text, party bigint, nobody bigint")
        places = range(10_001)
        texts = [f"{place}" for place in places]
        parties = [place if place % 3 else None for place in places]
        columns = {
            "place": Column(Binary.BIGINT, np.arange(len(places))),
            "note": Column(Binary.TEXT, pl.Series(texts)),
            "long": Column(Binary.TEXT, pl.Series([text * 40 for text in texts])),
            "empty": Column(Binary.TEXT, pl.Series([""] * len(places))),
            "party": Column(Binary.NULLABLE_BIGINT, pl.Series(parties)),
            "nobody": Column(Binary.NULLABLE_BIGINT, pl.Series([None] * len(places))),
        }

        copy_binary("copied", columns, len(places))

        assert copied("copied") == [
            (place, text, text * 40, "", party, None)
            for place, text, party in zip(places, texts, parties, strict=True)
        ]


@pytest.mark.django_db
class TestPieces:
    def test_end_the_copy_by_what_keeps_one_from_being_made(self) -> None:
        create("place text")
        pieces = iter([b"1\n", b"2\n"])

        def broken() -> Iterator[bytes]:
            yield from pieces
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError), transaction.atomic():
            copy_encoded("copied", ["place"], "FORMAT text", Pieces(broken()))

        assert copied("copied") == []

    def test_leave_faults_of_the_rows_to_the_database(self) -> None:
        create("place int")

        with pytest.raises(DataError, match="invalid input syntax"), transaction.atomic():
            copy_encoded("copied", ["place"], "FORMAT text", Pieces(iter([b"one\n"])))


@pytest.mark.django_db
class TestCopyRows:
    def test_keeps_texts_apart_from_nulls(self) -> None:
        create("id bigint, note text NOT NULL, other bigint")
        notes = ["", "\\N", "NULL", 'a "quoted" one', "two\nlines", "\\.", "ünïcode, too"]
        rows = pl.DataFrame(
            {"id": range(len(notes)), "note": notes, "other": [None, *range(1, len(notes))]}
        )

        copy_rows("copied", rows, texts=["note"])

        assert copied("copied") == [
            (place, note, place or None) for place, note in enumerate(notes)
        ]

    def test_sends_nothing_for_nothing(self) -> None:
        copy_rows("no_such_table", pl.DataFrame({"id": []}), texts=())
        copy_binary("no_such_table", {}, 0)


class TestAmounts:
    @given(st.lists(st.integers(-(10**23), 10**23), min_size=1))
    def test_are_exact(self, costs: list[int]) -> None:
        frame = pl.DataFrame({"cost": pl.Series(costs, dtype=pl.Int128)})

        text = frame.select(amounts("cost")).write_csv(include_header=False)

        assert [Decimal(line) for line in text.split()] == [Decimal(c).scaleb(-8) for c in costs]


class TestInstants:
    def test_are_written_in_utc_and_dated_in_the_zone(self) -> None:
        late = to_microseconds(datetime(2026, 10, 31, 23, 30, 0, 5, tzinfo=UTC))
        series = pl.Series([late, None, late], dtype=pl.Int64)

        assert timestamps(series).to_list() == [
            "2026-10-31 23:30:00.000005+00",
            None,
            "2026-10-31 23:30:00.000005+00",
        ]
        assert days(series, "Europe/Berlin").to_list() == [
            date(2026, 11, 1),
            None,
            date(2026, 11, 1),
        ]
