"""What is locked is locked in one order by everybody, or two workers could wait crosswise."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cdr.models import Leg
from tests.cdr.worlds import make_world
from tests.factories import make_billing_mode, make_identifier
from tests.factories.allowances import give_minutes
from tests.factories.cdr import CALL_AT, IMPORT_AT, Call, import_lines
from tests.factories.mending import try_again
from tests.factories.tiers import make_metered, usage

pytestmark = pytest.mark.django_db

TABLES = ("cdr_mending", "cdr_allowancecounter", "cdr_tiertotal")
"""Those of a mending: its own row first, by which a transaction of it is known."""


def locked(statements: list[str], tables: Sequence[str] = TABLES) -> list[str]:
    """The tables whose rows the statements lock or make, in order, each once in a row.

    What is locked is written later, in any order.
    """
    found = [
        table
        for sql in statements
        for table in tables
        if f'"{table}"' in sql or f" {table}" in sql
        if "FOR NO KEY UPDATE" in sql or sql.lstrip().startswith("INSERT")
    ]
    return [each for at, each in enumerate(found) if at == 0 or found[at - 1] != each]


def test_trying_again_locks_allowances_before_totals_once_in_a_transaction() -> None:
    """Lines that came too early, and xDRs of a customer unknown then, of the same chunk."""
    metered = make_metered()
    give_minutes(metered.carla, metered.product, 1_000)
    early = usage(60_000, at=IMPORT_AT + timedelta(days=2))
    import_lines(metered.source, [early, usage(60_000, account="late", at=CALL_AT)])
    make_identifier(metered.carla, "late")

    with CaptureQueriesContext(connection) as context:
        retried = try_again(metered.provider, at=IMPORT_AT + timedelta(days=3))

    order = " ".join(locked([query["sql"] for query in context]))
    transactions = [part.split() for part in order.split("cdr_mending")]
    assert (retried.freed, retried.waiting) == (2, 0)
    assert [part for part in transactions if part] == [
        ["cdr_allowancecounter", "cdr_tiertotal"],
        ["cdr_allowancecounter", "cdr_tiertotal"],
    ]


def test_an_import_writes_what_nothing_counts_before_it_locks_allowances() -> None:
    """Others wait for these from then on: only the legs of customers are written meanwhile."""
    world = make_world()
    make_billing_mode(world.sub, world.sub_table)
    give_minutes(world.carla, world.product, 90)
    rows = [Call(account="carla"), Call(account="carla")]

    with CaptureQueriesContext(connection) as context:
        import_lines(world.source, rows)

    statements = [query["sql"] for query in context]
    order = locked(statements, ["cdr_leg", "cdr_allowancecounter"])
    kinds = Leg.objects.order_by("pk").values_list("kind", "included_volume")
    assert order == ["cdr_leg", "cdr_allowancecounter", "cdr_leg"]
    assert sorted(kinds) == [(1, 0), (1, 90), (2, 0), (2, 0), (3, 0), (3, 0)]
