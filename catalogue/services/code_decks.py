"""Code decks: which destination a prefix belongs to."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from audit.services import record
from catalogue.models import CodeDeck, CodeDeckEntry
from catalogue.rules.rate_terms import PREFIX_DIGITS
from common.errors import DomainError
from common.fields import check_fields
from common.locks import lock_in_transaction

_BATCH_ROWS = 5000


class CodeDeckNameTaken(DomainError):
    """Another code deck of the provider has this name, perhaps in another case."""


class CodeDeckRefused(DomainError):
    """A name is missing or too long, or a prefix is not up to fifteen digits."""


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
    check_fields(CodeDeck(name=name), CodeDeckRefused, "name")
    for prefix, destination in destinations.items():
        _check_entry(prefix, destination)
    lock_in_transaction("code_deck_name", provider_id, name.lower())
    if CodeDeck.objects.filter(provider_id=provider_id, name__iexact=name).exists():
        raise CodeDeckNameTaken(f"There is a code deck '{name}' already; choose another name.")
    deck = CodeDeck.objects.create(provider_id=provider_id, name=name)
    CodeDeckEntry.objects.bulk_create(
        (
            CodeDeckEntry(
                provider_id=provider_id, code_deck=deck, prefix=prefix, destination=destination
            )
            for prefix, destination in destinations.items()
        ),
        batch_size=_BATCH_ROWS,
    )
    record(
        provider_id=provider_id,
        action="code_deck.created",
        changed=deck,
        at=at,
        actor_id=actor_id,
        after={"name": name, "prefixes": len(destinations)},
    )
    return deck


def _check_entry(prefix: str, destination: str) -> None:
    if not (prefix.isascii() and prefix.isdigit() and len(prefix) <= PREFIX_DIGITS):
        raise CodeDeckRefused(f"'{prefix}' is not a prefix: up to {PREFIX_DIGITS} digits.")
    if not destination or len(destination) > 120:
        raise CodeDeckRefused(f"The destination of {prefix} needs a name of up to 120 characters.")
