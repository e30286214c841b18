"""Reading documents: how their making goes, without their bytes."""

from typing import Any, TypeVar

from django.db.models import Q, QuerySet

from billing.models import Document, KeptDocument
from common.scope import Scope
from tenancy.owned import ProviderQuerySet

_RowsT = TypeVar("_RowsT", bound=QuerySet[Any])


def documents(scope: Scope) -> ProviderQuerySet[Document]:
    """The documents of invoices and credit notes, made or not, the latest first."""
    return Document.objects.visible_to(scope).defer("content").order_by("-pk")


def to_be_made(rows: _RowsT) -> _RowsT:
    """Those whose `document` workers have to make: nobody has begun, or it was not given up."""
    return rows.filter(Q(document=None) | Q(document__state=KeptDocument.State.WAITING))
