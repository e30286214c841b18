"""The base of every provider-owned row: the first of the two tenancy locks."""

from functools import reduce
from operator import or_
from typing import ClassVar, Self, TypeVar

from django.db import models
from django.db.models import Q

from common.scope import Scope

_RowT_co = TypeVar("_RowT_co", bound="ProviderOwned", covariant=True)


class ProviderQuerySet(models.QuerySet[_RowT_co]):
    """A queryset that selectors open with `visible_to`."""

    def visible_to(self, scope: Scope) -> Self:
        """Rows of the scope's provider that its surface may see.

        Staff and the system see all of them; a customer or a reseller those that the model ties
        to them by `seen_by_customer`, `seen_by_reseller` or `seen_by_branch`, and none of a model
        that has no tie.
        """
        rows = self.filter(provider_id=scope.provider_id)
        if scope.sees_whole_provider:
            return rows
        if scope.customer_id is None:
            return rows._of_reseller(scope)
        tie = self.model.seen_by_customer
        return rows.filter(**{tie: scope.customer_id}) if tie else rows.none()

    def _of_reseller(self, scope: Scope) -> Self:
        model = self.model
        if model.opened_by and model.opened_by not in scope.permissions:
            return self.none()
        if model.seen_by_branch:
            return self.filter(**{f"{model.seen_by_branch}__in": scope.branch_ids})
        ties = [Q(**{tie: scope.reseller_id}) for tie in model.seen_by_reseller]
        return self.filter(reduce(or_, ties)) if ties else self.none()


class ProviderOwned(models.Model):
    """A row that belongs to one provider and is never seen by another.

    `seen_by_customer` and `seen_by_reseller` are the lookups from a row to the id of the customer
    or resellers that may see it; without any, a portal sees no row of the model. `seen_by_branch`
    is the lookup to the reseller in whose branch it is, for the head of that branch to see it too.
    `opened_by` is the permission code without which a reseller sees none.
    """

    seen_by_customer: ClassVar[str | None] = None
    seen_by_reseller: ClassVar[tuple[str, ...]] = ()
    seen_by_branch: ClassVar[str | None] = None
    opened_by: ClassVar[str | None] = None

    provider = models.ForeignKey("tenancy.Provider", on_delete=models.PROTECT, related_name="+")

    objects = ProviderQuerySet.as_manager()

    class Meta:
        abstract = True
