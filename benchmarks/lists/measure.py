"""How long each list takes: as it opens, on its second page, sorted, filtered and searched."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.test import Client
from django.test.utils import setup_test_environment, teardown_test_environment
from django.urls import reverse
from django_tables2 import A

from tests.web.list_pages import ListPage

WARM_UP = 3
# A day in the last month of calls, the text of no row, and the number of a customer or file.
DAY, NOTHING, NUMBER = "2026-10-15", "zzzz", "17"


@dataclass(frozen=True)
class Measured:
    """The slowest of a list's addresses; milliseconds from request to response.

    `rows` are those of its first page: a list of none says little of how fast it is.
    """

    rows: int
    addresses: int
    opens_p50: float
    opens_p95: float
    slowest: str
    p50: float
    p95: float


def measure(
    client: Client, page: ListPage, arguments: Mapping[str, object], requests: int
) -> Measured:
    """Ask for every address of a list so many times, after a few to warm up."""
    path = reverse(page.name, kwargs={name: arguments[name] for name in page.arguments})
    shown = _shown(client, path)
    queries = ["", *_queries(shown)]
    times = {query: _times(client, path + query, requests) for query in queries}
    slowest = max(times, key=lambda query: _p95(times[query]))
    return Measured(
        len(shown["page"].rows),
        len(queries),
        *_figures(times[""]),
        slowest,
        *_figures(times[slowest]),
    )


def _figures(times: list[float]) -> tuple[float, float]:
    return round(times[len(times) // 2], 1), round(_p95(times), 1)


def _p95(times: list[float]) -> float:
    return times[int(len(times) * 0.95)]


def _times(client: Client, address: str, requests: int) -> list[float]:
    times = []
    for _ in range(WARM_UP + requests):
        clock = time.perf_counter()
        response = client.get(address)
        times.append((time.perf_counter() - clock) * 1000)
        assert response.status_code == HTTPStatus.OK, f"{address}: {response.status_code}"
    return sorted(times[WARM_UP:])


def _shown(client: Client, path: str) -> Any:
    """What the templates of a list are given."""
    setup_test_environment()
    try:
        return client.get(path).context
    finally:
        teardown_test_environment()


def _queries(shown: Any) -> Iterator[str]:
    """What a list can be asked for, by what it shows and offers; nothing of one without rows."""
    page, table, filters = shown["page"], shown["table"], shown["filters"]
    if not page.rows:
        return
    asked = [("after", page.after)] if page.after else []
    asked += [("sort", sign + name) for name in type(table).sorts() for sign in ("", "-")]
    if filters is not None:
        for name, field in filters.form.fields.items():
            values = _searched(filters, page.rows) if name == "q" else _values(field)
            asked += [(name, value) for value in values]
    yield from (f"?{urlencode([pair])}" for pair in asked)


def _searched(filters: object, rows: list[object]) -> Iterator[str]:
    """What the last row shown is found by, and what none is."""
    for lookup in filters.searches:  # type: ignore[attr-defined]
        value = A(lookup.rpartition("__")[0]).resolve(rows[-1], quiet=True)
        yield from str(value or "").split()[:1]
    yield NOTHING


def _values(field: forms.Field) -> list[str]:
    match field:
        case forms.ChoiceField():
            choices = [str(value) for value, _ in getattr(field, "choices", ()) if str(value)]
            # The first and the last of another list's rows, all of a few words.
            is_of_rows = isinstance(field, forms.ModelChoiceField)
            return choices[:: max(len(choices) - 1, 1)] if is_of_rows else choices
        case forms.DateTimeField():
            return [f"{DAY}T12:00"]
        case forms.DateField():
            return [DAY]
        case forms.DecimalField():
            return [NUMBER]
        case _:
            return [NOTHING[0], "49", NOTHING]
