"""Reading code decks, and what their names would change in a rate table."""

from dataclasses import dataclass

from django.db import connection
from django.db.models import Count, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce

from catalogue.models import CodeDeck, CodeDeckEntry, RateTable, Relabelling
from common.scope import Scope
from tenancy.owned import ProviderQuerySet

EXAMPLES = 20
NAMED = """
    SELECT DISTINCT ON (r.id) r.id, e.destination
    FROM catalogue_rate r
    CROSS JOIN LATERAL generate_series(1, length(r.prefix)) AS digits
    JOIN catalogue_codedeckentry e
        ON e.code_deck_id = %(deck)s AND e.provider_id = %(provider)s
        AND e.prefix = left(r.prefix, digits)
    WHERE r.rate_table_id = %(table)s AND r.provider_id = %(provider)s
    ORDER BY r.id, digits DESC
"""
"""Rates of a table with the destination of the deck's longest prefix that theirs starts with."""


@dataclass(frozen=True)
class Renamed:
    """A rate whose destination the deck writes otherwise."""

    prefix: str
    before: str
    after: str


@dataclass(frozen=True)
class RelabelPreview:
    """How many rates would be renamed and how many the deck does not know, with examples."""

    renamed_count: int
    unknown_count: int
    rate_count: int
    examples: list[Renamed]


def code_decks(scope: Scope) -> ProviderQuerySet[CodeDeck]:
    """Code decks by name, each with its `entry_count`."""
    counted = (
        CodeDeckEntry.objects.filter(code_deck=OuterRef("pk"))
        .order_by()
        .values("code_deck")
        .annotate(count=Count("pk"))
        .values("count")
    )
    rows = CodeDeck.objects.visible_to(scope)
    count = Coalesce(Subquery(counted, output_field=IntegerField()), 0)
    return rows.annotate(entry_count=count).order_by("name", "pk")


def code_deck(scope: Scope, deck_id: int) -> CodeDeck:
    """One code deck.

    :raises CodeDeck.DoesNotExist: it is not in the scope.
    """
    return CodeDeck.objects.visible_to(scope).get(pk=deck_id)


def deck_entries(scope: Scope, deck: CodeDeck) -> ProviderQuerySet[CodeDeckEntry]:
    """The entries of a deck by prefix."""
    return CodeDeckEntry.objects.visible_to(scope).filter(code_deck=deck).order_by("prefix", "pk")


def deck_entry(scope: Scope, entry_id: int) -> CodeDeckEntry:
    """One entry with its deck.

    :raises CodeDeckEntry.DoesNotExist: it is not in the scope.
    """
    return CodeDeckEntry.objects.visible_to(scope).select_related("code_deck").get(pk=entry_id)


def tables_of_deck(scope: Scope, deck: CodeDeck) -> ProviderQuerySet[RateTable]:
    """The rate tables that take destinations from a deck, by name."""
    return RateTable.objects.visible_to(scope).filter(code_deck=deck).order_by("name", "pk")


def relabelling(scope: Scope, relabelling_id: int) -> Relabelling:
    """One relabelling with its table and deck.

    :raises Relabelling.DoesNotExist: it is not in the scope.
    """
    rows = Relabelling.objects.visible_to(scope).select_related("rate_table", "code_deck")
    return rows.get(pk=relabelling_id)


def preview_relabelling(scope: Scope, table: RateTable) -> RelabelPreview:
    """What bringing the names of its code deck into a table would change; nothing is written."""
    parameters = {
        "deck": table.code_deck_id,
        "table": table.pk,
        "provider": scope.provider_id,
        "examples": EXAMPLES,
    }
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, parameters)
        renamed, unknown, total = cursor.fetchone()
        cursor.execute(_EXAMPLES, parameters)
        examples = [Renamed(*row) for row in cursor.fetchall()]
    return RelabelPreview(renamed, unknown, total, examples)


_COUNTS = f"""
    SELECT count(*) FILTER (WHERE named.destination <> r.destination),
        count(*) FILTER (WHERE named.id IS NULL), count(*)
    FROM catalogue_rate r LEFT JOIN ({NAMED}) named ON named.id = r.id
    WHERE r.rate_table_id = %(table)s AND r.provider_id = %(provider)s
"""  # noqa: S608 - of constants

_EXAMPLES = f"""
    SELECT r.prefix, min(r.destination), min(named.destination)
    FROM catalogue_rate r JOIN ({NAMED}) named ON named.id = r.id
    WHERE named.destination <> r.destination
    GROUP BY r.prefix ORDER BY r.prefix LIMIT %(examples)s
"""  # noqa: S608 - of constants
