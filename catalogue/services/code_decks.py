"""Code decks: which destination a prefix belongs to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from audit.services import record
from catalogue.models import CodeDeck, CodeDeckEntry, RateTable
from catalogue.rules.code_deck_files import CodeDeckRefused, check_entry
from common.errors import DomainError
from common.fields import check_fields
from common.locks import lock_in_transaction


class CodeDeckNameTaken(DomainError):
    """Another code deck of the provider has this name, perhaps in another case."""


class CodeDeckUsed(DomainError):
    """Rate tables take their destinations from it."""


class PrefixTaken(DomainError):
    """The deck has another entry of this prefix."""


@dataclass(frozen=True)
class EnteredDestinations:
    """What became of the prefixes: new, with another destination than before, and the others."""

    added: int
    changed: int
    unchanged: int


@transaction.atomic
def create_code_deck(
    *,
    provider_id: int,
    name: str,
    destinations: Mapping[str, str],
    at: datetime,
    actor_id: int | None,
) -> CodeDeck:
    """Add a code deck with its `destinations` by prefix.

    :raises CodeDeckRefused: for a name that is missing or too long, or naming the first bad prefix.
    :raises CodeDeckNameTaken: if the name is in use.
    """
    deck = CodeDeck(provider_id=provider_id, name=name)
    _check_name(deck)
    for prefix, destination in destinations.items():
        check_entry(prefix, destination)
    deck.save(force_insert=True)
    _write(deck, destinations)
    record(
        provider_id=provider_id,
        action="code_deck.created",
        changed=deck,
        at=at,
        actor_id=actor_id,
        after={"name": name, "prefixes": len(destinations)},
    )
    return deck


@transaction.atomic
def rename_code_deck(*, deck: CodeDeck, name: str, at: datetime, actor_id: int | None) -> None:
    """Give a deck another name.

    :raises CodeDeckRefused: for a name that is missing or too long.
    :raises CodeDeckNameTaken: if the name is in use.
    """
    deck = _locked(deck)
    before, deck.name = deck.name, name
    if before == name:
        return
    _check_name(deck)
    deck.save(update_fields=["name"])
    record(
        provider_id=deck.provider_id,
        action="code_deck.renamed",
        changed=deck,
        at=at,
        actor_id=actor_id,
        before={"name": before},
        after={"name": name},
    )


@transaction.atomic
def delete_code_deck(*, deck: CodeDeck, at: datetime, actor_id: int | None) -> None:
    """Remove a deck that no rate table names, with its entries.

    :raises CodeDeckUsed: rate tables take their destinations from it.
    """
    deck = CodeDeck.objects.select_for_update().get(pk=deck.pk)
    table = RateTable.objects.filter(code_deck=deck).order_by("name").first()
    if table is not None:
        raise CodeDeckUsed(f"{table} takes its destinations from {deck}: give it another deck.")
    record(
        provider_id=deck.provider_id,
        action="code_deck.deleted",
        changed=deck,
        at=at,
        actor_id=actor_id,
        before={"name": deck.name, "prefixes": deck.entries.count()},
    )
    deck.delete()


@transaction.atomic
def import_destinations(
    *, deck: CodeDeck, destinations: Mapping[str, str], at: datetime, actor_id: int | None
) -> EnteredDestinations:
    """Enter destinations by prefix, each in place of the one that its prefix has; all or none.

    Prefixes of the deck that are not named stay as they are.

    :raises CodeDeckRefused: naming the first bad prefix.
    """
    for prefix, destination in destinations.items():
        check_entry(prefix, destination)
    deck = _locked(deck)
    entered = _write(deck, destinations)
    record(
        provider_id=deck.provider_id,
        action="code_deck.imported",
        changed=deck,
        at=at,
        actor_id=actor_id,
        after={"added": entered.added, "changed": entered.changed},
    )
    return entered


@transaction.atomic
def add_entry(
    *, deck: CodeDeck, prefix: str, destination: str, at: datetime, actor_id: int | None
) -> CodeDeckEntry:
    """Add the destination of a prefix.

    :raises CodeDeckRefused: for no prefix, or no name on one line.
    :raises PrefixTaken: if the deck has the prefix.
    """
    deck = _locked(deck)
    entry = CodeDeckEntry(provider_id=deck.provider_id, code_deck=deck)
    _give(entry, prefix, destination)
    entry.save(force_insert=True)
    _record_entry(entry, "code_deck_entry.added", at, actor_id, after=_told(entry))
    return entry


@transaction.atomic
def change_entry(
    *, entry: CodeDeckEntry, prefix: str, destination: str, at: datetime, actor_id: int | None
) -> None:
    """Give an entry another prefix or destination; rates keep theirs until they are relabelled.

    :raises CodeDeckRefused: for no prefix, or no name on one line.
    :raises PrefixTaken: if the deck has another entry of the prefix.
    """
    entry = _locked_entry(entry)
    before = _told(entry)
    _give(entry, prefix, destination)
    if _told(entry) != before:
        entry.save(update_fields=["prefix", "destination"])
        _record_entry(entry, "code_deck_entry.changed", at, actor_id, before, _told(entry))


@transaction.atomic
def delete_entry(*, entry: CodeDeckEntry, at: datetime, actor_id: int | None) -> None:
    """Remove an entry; numbers of its prefix belong to a shorter one from then on."""
    entry = _locked_entry(entry)
    _record_entry(entry, "code_deck_entry.deleted", at, actor_id, before=_told(entry))
    entry.delete()


def _write(deck: CodeDeck, destinations: Mapping[str, str]) -> EnteredDestinations:
    """Bring them into the deck by one statement: a hundred thousand take a second."""
    parameters: dict[str, int | list[str]] = {
        "provider": deck.provider_id,
        "deck": deck.pk,
        "prefixes": list(destinations.keys()),
        "destinations": list(destinations.values()),
    }
    with connection.cursor() as cursor:
        cursor.execute(_WRITTEN, parameters)
        added, changed = cursor.fetchone()
    return EnteredDestinations(added, changed, len(destinations) - added - changed)


# A row that was inserted has no transaction that ended it.
_WRITTEN = """
    WITH written AS (
        INSERT INTO catalogue_codedeckentry AS e (provider_id, code_deck_id, prefix, destination)
        SELECT %(provider)s, %(deck)s, prefix, destination
        FROM unnest(%(prefixes)s::text[], %(destinations)s::text[]) AS sent (prefix, destination)
        ON CONFLICT (code_deck_id, prefix) DO UPDATE SET destination = excluded.destination
            WHERE e.destination <> excluded.destination
        RETURNING xmax = 0 AS is_new
    )
    SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new) FROM written
"""


def _locked(deck: CodeDeck) -> CodeDeck:
    return CodeDeck.objects.select_for_update(no_key=True).get(pk=deck.pk)


def _locked_entry(entry: CodeDeckEntry) -> CodeDeckEntry:
    """The deck first, so that two changes of one deck never wait for each other in a circle."""
    deck = CodeDeck.objects.select_for_update(no_key=True).get(pk=entry.code_deck_id)
    entry = CodeDeckEntry.objects.select_for_update(no_key=True).get(pk=entry.pk)
    entry.code_deck = deck
    return entry


def _give(entry: CodeDeckEntry, prefix: str, destination: str) -> None:
    check_entry(prefix, destination)
    others = CodeDeckEntry.objects.filter(code_deck=entry.code_deck, prefix=prefix)
    if others.exclude(pk=entry.pk).exists():
        raise PrefixTaken(f"The deck has an entry of {prefix} already: change that one.")
    entry.prefix, entry.destination = prefix, destination


def _told(entry: CodeDeckEntry) -> dict[str, object]:
    return {"prefix": entry.prefix, "destination": entry.destination}


def _record_entry(
    entry: CodeDeckEntry,
    action: str,
    at: datetime,
    actor_id: int | None,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    record(
        provider_id=entry.provider_id,
        action=action,
        changed=entry.code_deck,
        at=at,
        actor_id=actor_id,
        before=before,
        after=after,
    )


def _check_name(deck: CodeDeck) -> None:
    check_fields(deck, CodeDeckRefused, "name")
    lock_in_transaction("code_deck_name", deck.provider_id, deck.name.lower())
    others = CodeDeck.objects.filter(provider_id=deck.provider_id).exclude(pk=deck.pk)
    if others.filter(name__iexact=deck.name).exists():
        raise CodeDeckNameTaken(f"There is a code deck '{deck.name}' already; choose another name.")
