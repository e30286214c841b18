"""Reading customers, their teams, and who brought them."""

from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce

from common.scope import Scope
from customers.models import Customer, TeamMember
from resellers.models import Reseller
from resellers.selectors import resellers
from tenancy.owned import ProviderQuerySet


def customers(scope: Scope) -> ProviderQuerySet[Customer]:
    """Customers by number: all for staff, those it onboarded for a reseller, itself for a customer.

    Terminated ones stay listed.
    """
    rows = Customer.objects.visible_to(scope).select_related("reseller", "reseller_code")
    return rows.order_by("number", "pk")


def customer(scope: Scope, customer_id: int) -> Customer:
    """One customer with its reseller, catalogue and seller.

    :raises Customer.DoesNotExist: for one that the scope does not see, as for one that is not.
    """
    rows = customers(scope).select_related("custom_catalogue", "biller_entity", "rate_table")
    return rows.get(pk=customer_id)


def team(scope: Scope, customer: Customer) -> ProviderQuerySet[TeamMember]:
    """The members of a customer's team with their users, by e-mail."""
    rows = TeamMember.objects.visible_to(scope).filter(customer=customer)
    return rows.select_related("user").order_by("user__email", "pk")


def resellers_with_customers(scope: Scope) -> ProviderQuerySet[Reseller]:
    """Resellers with `code_names` and, as `customer_count`, how many customers carry their tag."""
    tagged = Customer.objects.filter(reseller=OuterRef("pk")).values("reseller")
    count = Subquery(tagged.annotate(count=Count("pk")).values("count"))
    return resellers(scope).annotate(customer_count=Coalesce(count, 0))
