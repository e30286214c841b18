"""The demo's customers: names, account codes and numbers, the same at every start."""

from collections.abc import Iterator
from dataclasses import dataclass

from customers.services.onboarding import CustomerDetails
from demo.calls import Account
from demo.plans import ProviderPlan

_FIRST = (
    "Amber Baltic Cedar Dahlia Elbe Falcon Garnet Harbour Indigo Juniper Kestrel Linden Marble"
    " Nordic Opal Poplar Quartz Rowan Saffron Tundra"
).split()
_SECOND = (
    "Analytics Bakery Clinic Design Engineering Foods Galleries Hotels Insurance Joinery Kitchens"
    " Logistics Motors"
).split()
_PEOPLE = (
    ("Anna", "Berg"),
    ("Jonas", "Keller"),
    ("Leila", "Haddad"),
    ("Marek", "Nowak"),
    ("Priya", "Raman"),
    ("Tom", "Fisher"),
    ("Yuki", "Tanaka"),
)
_TOWNS = {
    "DE": ("Lindenallee", "10243 Berlin"),
    "US": ("Maple Street", "Albany, NY 12207"),
}
_TALKATIVE_EVERY = 9


@dataclass(frozen=True)
class CustomerPlan:
    """One customer: whose it is (empty code: the provider's own) and which catalogue it has."""

    details: CustomerDetails
    account: Account
    reseller_code: str
    catalogue: str


def customers_of(plan: ProviderPlan) -> list[CustomerPlan]:
    """All customers of a provider, in the order of their numbers."""
    catalogues = _catalogues(plan)
    return [
        CustomerPlan(
            details=_details(plan, position),
            account=_account(plan, position, code),
            reseller_code=code,
            catalogue=next(catalogues),
        )
        for position, code in enumerate(_codes(plan))
    ]


def _codes(plan: ProviderPlan) -> list[str]:
    groups = [[""] * plan.direct_customers]
    groups += [[reseller.code] * reseller.customers for reseller in plan.resellers]
    return [code for group in groups for code in group]


def _catalogues(plan: ProviderPlan) -> Iterator[str]:
    """Custom catalogues go to every third customer until they are used up."""
    waiting = [c.name for c in plan.catalogues[1:] for _ in range(c.customers)]
    position = 0
    while True:
        custom = position % 3 == 2 and waiting
        yield waiting.pop(0) if custom else plan.catalogues[0].name
        position += 1


def _details(plan: ProviderPlan, position: int) -> CustomerDetails:
    first, second = _FIRST[position % len(_FIRST)], _SECOND[position // len(_FIRST) % len(_SECOND)]
    person = _PEOPLE[position % len(_PEOPLE)]
    street, town = _TOWNS[plan.country]
    return CustomerDetails(
        first_name=person[0],
        last_name=person[1],
        email=f"billing@{first.lower()}-{second.lower()}.example",
        organisation=f"{first} {second}",
        phone=f"+{_number(plan, position, 0)}",
        address=f"{street} {position + 1}\n{town}",
        country=plan.country,
    )


def _account(plan: ProviderPlan, position: int, code: str) -> Account:
    owned = {vendor.owner_code for vendor in plan.vendors if vendor.tech_prefix}
    return Account(
        account_code=f"{plan.slug[:2].upper()}{10001 + position}",
        numbers=(_number(plan, position, 0), _number(plan, position, 1)),
        calling_code=plan.calling_code,
        weight=6 if position % _TALKATIVE_EVERY == 0 else 1 + position % 3,
        usual_trunk_only=not owned & _with_ancestors(plan, code),
    )


def _with_ancestors(plan: ProviderPlan, code: str) -> set[str]:
    parents = {reseller.code: reseller.parent_code for reseller in plan.resellers}
    line = set()
    while code:
        line.add(code)
        code = parents[code]
    return line


def _number(plan: ProviderPlan, position: int, which: int) -> str:
    return f"{plan.calling_code}{plan.area_code}555{position:03}{which}"
