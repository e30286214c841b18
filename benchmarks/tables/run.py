"""The measuring itself, once the settings name the engines."""

import argparse
import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.core.management import call_command
from django.db import connection

from catalogue.models import RateTable
from catalogue.rules.rate_edits import PriceChange, PriceEdit, RateEdit
from catalogue.selectors.rate_comparison import Comparison, TableAt
from catalogue.selectors.rate_edits import preview_edit
from catalogue.selectors.rates_at import rates_at
from catalogue.services.rate_edits import ask_for_rate_edit, make_rate_edit
from common.scope import Scope
from tests.factories import make_product, make_provider, make_rate_table

TIMES = 3
START = datetime(2026, 1, 1, tzinfo=UTC)
AT = datetime(2026, 10, 1, tzinfo=UTC)
RATES = """
    INSERT INTO catalogue_rate (provider_id, rate_table_id, prefix, destination, effective_from,
        rate, connection_fee, minimum, increment, grace, steps, attempt_fee, policy, tag,
        origin_prefix, status)
    SELECT %(provider)s, %(table)s, (1000000 + n * 7)::text, 'Destination ' || n %% 997,
        %(start)s, (100 + n * %(step)s %% 9973) / 100000.0, 0, 1, 1, 0, '', 0, 'regular', '', '',
        'active'
    FROM generate_series(1, %(count)s) AS n WHERE n %% %(every)s <> 0
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.rate_tables")
    parser.add_argument("folder")
    parser.add_argument("--prefixes", type=int, default=60_000)
    print(json.dumps(measured(parser.parse_args().prefixes), indent=2))


def measured(prefixes: int) -> dict[str, object]:
    """Two tables of almost as many prefixes, and a child of the first with every other one."""
    call_command("migrate", verbosity=0)
    voice = make_product(make_provider("bench"))
    left, right = make_rate_table(voice), make_rate_table(voice)
    child = make_rate_table(voice, parent=left)
    with connection.cursor() as cursor:
        for table, step, every in ((left, 31, prefixes + 1), (right, 37, 50), (child, 41, 2)):
            values: dict[str, Any] = {
                "provider": voice.provider_id,
                "table": table.pk,
                "start": START,
            }
            cursor.execute(RATES, {**values, "count": prefixes, "step": step, "every": every})
        cursor.execute("VACUUM ANALYZE catalogue_rate")
    scope = Scope.system(voice.provider_id)
    ids = list(left.rates.values_list("pk", flat=True))
    edit = RateEdit(effective_from=AT, price=PriceEdit(PriceChange.PERCENT, Decimal("2.5")))

    def compare(one: RateTable, other: RateTable) -> Callable[[], object]:
        sides = [TableAt(table, AT) for table in (one, other)]
        return lambda: Comparison(scope, *sides).page(limit=51)

    cases: dict[str, Callable[[], object]] = {
        "read_a_table": lambda: list(left.rates.values_list("prefix", "rate")),
        "compare_two_tables": compare(left, right),
        "compare_with_a_child": compare(left, child),
        "rates_at_an_instant": lambda: list(rates_at(scope, child, AT)[:51]),
        "review_of_an_edit": lambda: preview_edit(left, ids, edit),
    }
    found = {name: best(case) for name, case in cases.items()}
    asked = ask_for_rate_edit(table=left, rate_ids=ids, edit=edit, at=AT, actor_id=None)
    found["edit_of_all"] = best(lambda: make_rate_edit(edit_id=asked.pk, at=AT), times=1)
    return {
        "prefixes": prefixes,
        "load": os.getloadavg()[0],
        "cases": {
            name: {"milliseconds": round(taken), "ratio": round(taken / found["read_a_table"], 1)}
            for name, taken in found.items()
        },
    }


def best(case: Callable[[], object], times: int = TIMES) -> float:
    """Milliseconds of the fastest of some runs."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        case()
        taken.append((time.perf_counter() - started) * 1000)
    return min(taken)
