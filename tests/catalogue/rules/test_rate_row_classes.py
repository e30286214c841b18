"""Classes of rows, worked out on columns and by a plain reference."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from catalogue.importers.rate_values import RATE_SCHEMA
from catalogue.rules.rate_layouts import Absent, Duplicates, ImportOptions, Unchanged
from catalogue.rules.rate_row_classes import compare

DAY = 86_400_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CLOSE_DAY = 5
DEFAULTS: Mapping[str, Any] = {
    "destination": "Somewhere",
    "connection_fee": 0,
    "minimum": 1,
    "increment": 1,
    "grace": 0,
    "steps": "",
    "attempt_fee": 0,
    "policy": "regular",
    "tag": "",
    "origin_prefix": "",
}


@dataclass(frozen=True)
class Plain:
    """A rate in days; `number` is its row, `id` its row in the table."""

    prefix: str
    start: int
    end: int | None
    rate: int
    minimum: int
    tag: str
    number: int = 0
    id: int = 0
    is_wrong: bool = False

    @property
    def key(self) -> tuple[str, str]:
        return self.prefix, self.tag

    @property
    def terms(self) -> tuple[int, int]:
        return self.rate, self.minimum

    @property
    def columns(self) -> dict[str, Any]:
        return {
            **dict.fromkeys(RATE_SCHEMA),
            **DEFAULTS,
            "prefix": self.prefix,
            "effective_from": self.start * DAY,
            "effective_to": None if self.end is None else self.end * DAY,
            "rate": self.rate,
            "minimum": self.minimum,
            "tag": self.tag,
            "status": "active",
        }


@dataclass(frozen=True)
class Found:
    row_class: str
    action: str
    before: int | None
    target: int | None


def rates_of(prefixes: str, starts: int) -> st.SearchStrategy[Plain]:
    return st.builds(
        lambda prefix, start, length, rate, minimum, tag: Plain(
            prefix, start, None if length is None else start + length, rate, minimum, tag
        ),
        st.sampled_from(prefixes),
        st.integers(0, starts),
        st.none() | st.integers(1, 5),
        st.integers(-1, 2),
        st.integers(1, 2),
        st.sampled_from(["", "vip"]),
    )


STORED = st.lists(
    rates_of("123", 9), max_size=8, unique_by=lambda rate: (rate.key, rate.start)
).map(lambda rates: [replace(rate, id=number) for number, rate in enumerate(rates, start=101)])
ROWS = st.lists(
    st.tuples(rates_of("12", 9), st.booleans() | st.just(value=False)), min_size=1, max_size=8
).map(
    lambda rows: [
        replace(rate, number=number, is_wrong=is_wrong)
        for number, (rate, is_wrong) in enumerate(rows, start=1)
    ]
)
OPTIONS = st.builds(
    ImportOptions,
    duplicates=st.sampled_from(Duplicates),
    unchanged=st.sampled_from(Unchanged),
    absent=st.sampled_from(Absent),
    close_at=st.just(EPOCH + timedelta(days=CLOSE_DAY)),
)


def in_force(rates: list[Plain], day: float) -> Plain | None:
    """The rate used at an instant: begun, not ended, and without an end not followed either."""
    begun = [rate for rate in rates if rate.start <= day]
    lasting = [
        rate
        for rate in begun
        if (rate.end is None and rate.start == max(each.start for each in begun))
        or (rate.end is not None and rate.end > day)
    ]
    return max(lasting, key=lambda rate: rate.start, default=None)


def reference(
    rows: list[Plain], stored: list[Plain], options: ImportOptions
) -> tuple[dict[int, Found], dict[int, str]]:
    """What each row does, and what becomes of each stored rate that is absent."""
    right = [row for row in rows if not row.is_wrong]
    alike = {
        row.number: [o for o in right if (o.key, o.start) == (row.key, row.start)] for row in right
    }
    wrong = {row.number for row in rows if row.is_wrong}
    counting: list[Plain] = []
    for row in right:
        same = alike[row.number]
        if options.duplicates is Duplicates.REFUSE:
            if len(same) > 1:
                wrong.add(row.number)
                continue
        elif row != same[0 if options.duplicates is Duplicates.FIRST else -1]:
            continue
        counting.append(row)
    found = {
        row.number: Found("error" if row.number in wrong else "duplicate", "", None, None)
        for row in rows
    }
    for row in counting:
        found[row.number] = classify(row, counting, stored, options)
    return found, absent_of(rows, wrong, counting, stored, options)


def classify(
    row: Plain, counting: list[Plain], stored: list[Plain], options: ImportOptions
) -> Found:
    own = [rate for rate in stored if rate.key == row.key]
    target = next((rate for rate in own if rate.start == row.start), None)
    starts = {each.start for each in counting if each.key == row.key}
    others = [rate for rate in own if rate.start not in starts]
    others += [each for each in counting if each.key == row.key]
    before = target
    if before is None:
        before = in_force(others, row.start - 0.001)
        if before is not None and before.end is not None and before.end <= row.start:
            before = None
    row_class = class_of(row, before, is_same_start=target is not None)
    writes = row_class in ("new", "increased", "decreased", "changed") or (
        row_class == "unchanged" and options.unchanged is Unchanged.KEEP and target is None
    )
    action = ("insert" if target is None else "replace") if writes else ""
    return Found(row_class, action, before.rate if before else None, target.id if target else None)


def class_of(row: Plain, before: Plain | None, *, is_same_start: bool) -> str:
    if before is None:
        return "new"
    if row.rate != before.rate:
        return "increased" if row.rate > before.rate else "decreased"
    same_end = row.end == before.end or (row.end is None and not is_same_start)
    return "unchanged" if row.terms == before.terms and same_end else "changed"


def absent_of(
    rows: list[Plain],
    wrong: set[int],
    counting: list[Plain],
    stored: list[Plain],
    options: ImportOptions,
) -> dict[int, str]:
    if options.absent is Absent.KEEP:
        return {}
    keys = {row.key for row in counting}
    doubtful = {row.prefix for row in rows if row.number in wrong}
    actions: dict[int, str] = {}
    for rate in stored:
        if rate.key in keys or rate.prefix in doubtful:
            continue
        of_key = [each for each in stored if each.key == rate.key]
        stays = [
            each
            for each in of_key
            if each.start < CLOSE_DAY
            or (each.start == CLOSE_DAY and options.absent is Absent.CLOSE)
        ]
        last = max((each.start for each in stays), default=None)
        lasts = rate.start == last if rate.end is None else rate.end > CLOSE_DAY
        if rate.start < CLOSE_DAY and lasts:
            actions[rate.id] = "close"
        elif rate.start >= CLOSE_DAY and options.absent is Absent.CLOSE_AND_STASH:
            actions[rate.id] = "stash"
    return actions


def on_columns(
    rows: list[Plain], stored: list[Plain], options: ImportOptions
) -> tuple[dict[int, Found], dict[int, str]]:
    of_file = pl.DataFrame(
        [
            {
                "number": row.number,
                "sheet": "",
                "line": row.number + 1,
                **row.columns,
                "wrong_field": "rate" if row.is_wrong else None,
                "error": "wrong" if row.is_wrong else None,
            }
            for row in rows
        ],
        schema={
            "number": pl.Int64,
            "sheet": pl.String,
            "line": pl.Int64,
            **RATE_SCHEMA,
            "wrong_field": pl.String,
            "error": pl.String,
        },
    )
    of_table = pl.DataFrame(
        [{"id": rate.id, **rate.columns} for rate in stored], schema={"id": pl.Int64, **RATE_SCHEMA}
    )
    compared = pl.concat(list(compare(of_file, of_table, options))).sort("number")
    assert compared["number"].is_unique().all()
    found: dict[int, Found] = {}
    absent: dict[int, str] = {}
    for row in compared.iter_rows(named=True):
        if row["line"] is None:
            absent[row["target_id"]] = row["action"]
        else:
            found[row["number"]] = Found(
                row["row_class"], row["action"], row["before_rate"], row["target_id"]
            )
    return found, absent


class TestTheClassesOfRows:
    @given(ROWS, STORED, OPTIONS)
    def test_are_those_of_a_plain_reference(
        self, rows: list[Plain], stored: list[Plain], options: ImportOptions
    ) -> None:
        assert on_columns(rows, stored, options) == reference(rows, stored, options)

    @given(ROWS, STORED, st.randoms())
    def test_do_not_depend_on_the_order_of_stored_rates(
        self, rows: list[Plain], stored: list[Plain], random: Any
    ) -> None:
        shuffled = random.sample(stored, len(stored))

        assert on_columns(rows, stored, ImportOptions()) == on_columns(
            rows, shuffled, ImportOptions()
        )

    def test_are_found_where_rates_lie_within_each_other(self) -> None:
        """The one that ends goes on when the shorter one within it has ended."""
        stored = [
            Plain("1", 0, 9, 1, 1, "", id=101),
            Plain("1", 2, 4, 2, 1, "", id=102),
        ]

        found, _ = on_columns([Plain("1", 5, None, 3, 1, "", number=1)], stored, ImportOptions())

        assert found[1] == Found("increased", "insert", 1, None)
