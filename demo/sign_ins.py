"""The demo's people: who signs in, and as what. They exist in demo mode only."""

from datetime import datetime

from customers.models import Customer, TeamMember
from customers.services.team import add_team_member
from demo.payments import offline_plan
from demo.plans import ProviderPlan
from resellers.models import Reseller
from resellers.services.viewers import add_reseller_user
from tenancy.models import Provider, Role, User
from tenancy.services.staff import add_staff_member


def add_people(plan: ProviderPlan, provider: Provider, *, password: str, at: datetime) -> None:
    """Staff, a viewer for each reseller, and somebody of three customers; all with one password.

    The password may be as short as `demo`: it is set without the checks that people's meet.
    """
    users = [_add_staff(plan, provider, "admin", "Admin", at)]
    users.append(_add_staff(plan, provider, "finance", "Finance", at))
    users += [_add_viewer(plan, reseller, at) for reseller in _resellers(provider)]
    tagged = _customers(provider, tagged=True)
    teams = {
        "customer": tagged[0],
        "direct": _customers(provider, tagged=False)[0],
        # The first two pay within the demo; this one's invoice is left for who tries it.
        "unpaid": next(one for one in tagged[1:] if offline_plan(one.number) is None),
    }
    users += [_add_member(plan, name, customer, at) for name, customer in teams.items()]
    for user in users:
        user.set_password(password)
        user.save(update_fields=["password"])


def _add_staff(
    plan: ProviderPlan, provider: Provider, name: str, role_name: str, at: datetime
) -> User:
    membership = add_staff_member(
        provider_id=provider.pk,
        email=_email(plan, name),
        name=role_name,
        role_id=Role.objects.get(provider=provider, name=role_name).pk,
        at=at,
        actor_id=None,
    )
    return membership.user


def _add_viewer(plan: ProviderPlan, reseller: Reseller, at: datetime) -> User:
    viewer = add_reseller_user(
        reseller=reseller,
        email=_email(plan, reseller.codes.get().code.lower()),
        name=f"{reseller.first_name} {reseller.last_name}",
        at=at,
        actor_id=None,
    )
    return viewer.user


def _add_member(plan: ProviderPlan, name: str, customer: Customer, at: datetime) -> User:
    member = add_team_member(
        customer=customer,
        email=_email(plan, name),
        role=TeamMember.TeamRole.ADMIN,
        name=f"{customer.first_name} {customer.last_name}",
        at=at,
        actor_id=None,
    )
    return member.user


def _resellers(provider: Provider) -> list[Reseller]:
    return list(Reseller.objects.filter(provider=provider).order_by("number"))


def _customers(provider: Provider, *, tagged: bool) -> list[Customer]:
    """Customers in order; the tagged ones are those of the reseller added last."""
    rows = Customer.objects.filter(provider=provider).order_by("number")
    reseller = _resellers(provider)[-1]
    return list(rows.filter(reseller=reseller) if tagged else rows.filter(reseller=None))


def _email(plan: ProviderPlan, name: str) -> str:
    return f"{name}@{plan.slug}.example"
