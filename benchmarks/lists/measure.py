"""How long each list takes: as it opens, on its second page, sorted, filtered and searched."""

import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db import connection
from django.test import Client
from django.test.utils import setup_test_environment, teardown_test_environment
from django.urls import reverse
from django_tables2 import A

from tests.web.list_pages import ListPage

WARM_UP, PROBES = 2, 3
# A day in the last month of calls, the text of no row, and the number of a customer or file.
DAY, NOTHING, NUMBER = "2026-10-15", "zzzz", "17"


@dataclass(frozen=True)
class Measured:
    """A list as it opens and the slowest of its addresses; milliseconds from request to response.

    `rows` are those of its first page: a list of none says little of how fast it is. `cpu` are
    the milliseconds that a request kept a processor busy, here and in its database connection:
    what remains of its time where nothing else runs, and so by what the slowest is known.
    """

    rows: int
    addresses: int
    opens_p50: float
    opens_p95: float
    opens_cpu: float
    slowest: str
    p50: float
    p95: float
    cpu: float


@dataclass(frozen=True)
class _Times:
    """Sorted milliseconds of the requests to an address, and what each kept busy on average."""

    sorted: list[float]
    cpu: float

    @property
    def p50(self) -> float:
        return self.sorted[len(self.sorted) // 2]

    @property
    def p95(self) -> float:
        return self.sorted[int(len(self.sorted) * 0.95)]


def measure(
    client: Client, page: ListPage, arguments: Mapping[str, object], requests: int
) -> Measured:
    """Ask for every address of a list a few times, as it opens and for the slowest so many."""
    path = reverse(page.name, kwargs={name: arguments[name] for name in page.arguments})
    shown = _shown(client, path)
    queries = ["", *_queries(shown)]
    probed = {query: _times(client, path + query, PROBES) for query in queries}
    slowest = max(probed, key=lambda query: probed[query].cpu)
    opening, worst = (_times(client, path + query, requests) for query in ("", slowest))
    return Measured(
        rows=len(shown["page"].rows),
        addresses=len(queries),
        opens_p50=round(opening.p50, 1),
        opens_p95=round(opening.p95, 1),
        opens_cpu=round(opening.cpu, 1),
        slowest=slowest,
        p50=round(worst.p50, 1),
        p95=round(worst.p95, 1),
        cpu=round(worst.cpu, 1),
    )


def _times(client: Client, address: str, requests: int) -> _Times:
    for _ in range(WARM_UP):
        response = client.get(address)
        assert response.status_code == HTTPStatus.OK, f"{address}: {response.status_code}"
    times, busy = [], busy_milliseconds()
    for _ in range(requests):
        clock = time.perf_counter()
        client.get(address)
        times.append((time.perf_counter() - clock) * 1000)
    return _Times(sorted(times), (busy_milliseconds() - busy) / requests)


def busy_milliseconds() -> float:
    """Processor time of this process and of the one that serves its database connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [backend] = cursor.fetchone()
    # proc(5): user and system time in ticks, counted from behind the command's name.
    fields = Path(f"/proc/{backend}/stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    return (time.process_time() + ticks / os.sysconf("SC_CLK_TCK")) * 1000


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
