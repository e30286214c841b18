"""Reading the sources of xDRs."""

from typing import NamedTuple

from cdr.models import Source
from common.errors import DomainError
from common.scope import Scope
from common.statements import fetch_rows
from tenancy.owned import ProviderQuerySet

_NAMED = "SELECT * FROM cdr_source_named(%s, %s)"


class UnknownSource(DomainError):
    """The provider has no such source, or several that could be meant."""


def sources(scope: Scope) -> ProviderQuerySet[Source]:
    """Where xDRs come from, by name."""
    return Source.objects.visible_to(scope).order_by("name", "pk")


class NamedSource(NamedTuple):
    """A source as far as whoever names it must know it."""

    id: int
    slug: str
    format: str


def source_named(scope: Scope, name: str) -> Source:
    """The source with that slug, or the only one of that format.

    :raises UnknownSource: none or several; the message names those there are.
    """
    return Source.objects.visible_to(scope).get(pk=find_source(scope, name).id)


def find_source(scope: Scope, name: str) -> NamedSource:
    """As `source_named`, by one plain statement: every xDR of the API asks.

    :raises UnknownSource: none or several; the message names those there are.
    """
    assert scope.sees_whole_provider
    rows = fetch_rows(_NAMED, [scope.provider_id, name])
    either = [NamedSource(*row) for row in rows]
    found = [source for source in either if source.slug == name] or either
    if len(found) == 1:
        return found[0]
    slugs = ", ".join(source.slug for source in found or sources(scope))
    if found:
        raise UnknownSource(f"Several sources have the format '{name}'; name one of: {slugs}.")
    raise UnknownSource(f"There is no source '{name}'. Sources: {slugs or 'none yet'}.")
