"""Reading what was recorded."""

from collections.abc import Collection, Mapping

from django.db.models import Model, Q

from audit.models import Entry
from common.scope import Scope
from tenancy.owned import ProviderQuerySet


def entries_about(
    scope: Scope, rows: Mapping[type[Model], Collection[int]]
) -> ProviderQuerySet[Entry]:
    """The entries about rows, given as ids by model, with their actors; the latest first."""
    about = Q(pk__in=[])
    for model, ids in rows.items():
        about |= Q(object_type=model._meta.label_lower, object_id__in=[str(pk) for pk in ids])
    entries = Entry.objects.visible_to(scope).filter(about).select_related("actor")
    return entries.order_by("-at", "-pk")
