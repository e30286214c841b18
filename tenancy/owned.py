"""The base of every provider-owned row: the first of the two tenancy locks."""

from typing import ClassVar, Self, TypeVar

from django.db import models

from common.scope import Scope

_RowT_co = TypeVar("_RowT_co", bound="ProviderOwned", covariant=True)


class ProviderQuerySet(models.QuerySet[_RowT_co]):
    """A queryset that selectors open with `visible_to`."""

    def visible_to(self, scope: Scope) -> Self:
        """Rows of the scope's provider that its surface may see.

        Staff and the system see all of them; a customer or a reseller those that the model ties
        to them by `seen_by_customer` or `seen_by_reseller`, and none of a model that has no tie.
        """
        rows = self.filter(provider_id=scope.provider_id)
        if scope.sees_whole_provider:
            return rows
        if scope.customer_id is not None:
            tie, party_id = self.model.seen_by_customer, scope.customer_id
        else:
            assert scope.reseller_id is not None
            tie, party_id = self.model.seen_by_reseller, scope.reseller_id
        return rows.filter(**{tie: party_id}) if tie else rows.none()


class ProviderOwned(models.Model):
    """A row that belongs to one provider and is never seen by another.

    `seen_by_customer` and `seen_by_reseller` are the lookups from a row to the id of the customer
    or reseller that may see it; without one, a portal sees no row of the model.
    """

    seen_by_customer: ClassVar[str | None] = None
    seen_by_reseller: ClassVar[str | None] = None

    provider = models.ForeignKey("tenancy.Provider", on_delete=models.PROTECT, related_name="+")

    objects = ProviderQuerySet.as_manager()

    class Meta:
        abstract = True
