"""Cutting a selection of xDRs into stretches that are worked on one by one."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from django.db import connection

from cdr.rules.rerating import Place, Selection, Stretch
from cdr.selectors.selections import selected
from common.scope import Scope

_MINUTES = """
    SELECT date_trunc('minute', x.started_at), count(*) FROM cdr_xdr x
    WHERE x.provider_id = %s AND {} GROUP BY 1 ORDER BY 1
"""
_EVERY_SO_MANY = """
    SELECT started_at, id FROM (
        SELECT x.started_at, x.id, row_number() OVER (ORDER BY x.started_at, x.id) - 1 AS before
        FROM cdr_xdr x WHERE x.provider_id = %s AND {}
    ) AS numbered
    WHERE before > 0 AND before %% %s = 0 ORDER BY started_at, id
"""


def stretches_of(scope: Scope, selection: Selection, most: int) -> list[Stretch]:
    """The selection cut into stretches of at most `most` xDRs, all of its xDRs in one of them.

    They end with a minute where they can, and within it only where it has more xDRs than that.
    """
    cut: list[Stretch] = []
    for piece in _pieces(scope, selection, most):
        if cut and cut[-1].xdr_count + piece.xdr_count <= most:
            cut[-1] = Stretch(cut[-1].first, piece.end, cut[-1].xdr_count + piece.xdr_count)
        else:
            cut.append(piece)
    return cut


def _pieces(scope: Scope, selection: Selection, most: int) -> Iterator[Stretch]:
    """The minutes that have xDRs, those with too many of them cut."""
    for minute, count in _minutes(scope, selection):
        whole = Stretch(
            Place(max(minute, selection.started_from)),
            Place(min(minute + timedelta(minutes=1), selection.started_to)),
            count,
        )
        if count <= most:
            yield whole
        else:
            yield from _cut(scope, selection, whole, most)


def _cut(scope: Scope, selection: Selection, whole: Stretch, most: int) -> Iterator[Stretch]:
    condition = selected(scope, selection.between(whole.first, whole.end))
    with connection.cursor() as cursor:
        cursor.execute(
            _EVERY_SO_MANY.format(condition.sql), [scope.provider_id, *condition.parameters, most]
        )
        places = [whole.first, *(Place(*row) for row in cursor.fetchall()), whole.end]
    left = whole.xdr_count
    for first, end in pairwise(places):
        yield Stretch(first, end, min(most, left))
        left -= most


def _minutes(scope: Scope, selection: Selection) -> list[tuple[datetime, int]]:
    condition = selected(scope, selection)
    with connection.cursor() as cursor:
        cursor.execute(_MINUTES.format(condition.sql), [scope.provider_id, *condition.parameters])
        rows: list[tuple[datetime, int]] = cursor.fetchall()
    return rows
