"""Whether documents, payments and payouts say what the ledger's transfers say.

Each comparison is one statement, hence one consistent look at the database: nothing that is being
posted meanwhile can appear half done. It gives, for every document or account, what follows from
the append-only transfers and what is stored.
"""

import json
from dataclasses import dataclass

from django.db import connection

from common.faults import Fault
from common.scope import Scope
from ledger.models import Transfer
from ledger.selectors import accounts, ledger_faults
from reports.selectors import document_comparisons, money_comparisons
from reports.selectors.comparison import Comparison

COMPARISONS = (*document_comparisons.ALL, *money_comparisons.ALL)

_COMPARE = """
    WITH compared (place, expected, found) AS ({sql})
    SELECT count(*), coalesce(json_agg(json_build_array(place, expected, found) ORDER BY place)
        FILTER (WHERE expected IS DISTINCT FROM found), '[]')::text
    FROM compared
"""


@dataclass(frozen=True)
class Verification:
    """How many of what were compared, and what did not agree."""

    compared: dict[str, int]
    faults: list[Fault]


def verify(scope: Scope) -> Verification:
    """Compare everything there is of one provider with the transfers."""
    assert scope.sees_whole_provider
    compared = {
        "accounts": accounts(scope).count(),
        "transfers": Transfer.objects.visible_to(scope).count(),
    }
    faults = ledger_faults(scope)
    for comparison in COMPARISONS:
        count, differing = _compare(comparison, scope.provider_id)
        compared[comparison.rows] = max(count, compared.get(comparison.rows, 0))
        faults += differing
    return Verification(compared, faults)


def _compare(comparison: Comparison, provider_id: int) -> tuple[int, list[Fault]]:
    with connection.cursor() as cursor:
        cursor.execute(_COMPARE.format(sql=comparison.sql), {"provider": provider_id})
        count, differing = cursor.fetchone()
    return count, [
        Fault(comparison.what, place, expected or "nothing", found or "nothing")
        for place, expected, found in json.loads(differing)
    ]
