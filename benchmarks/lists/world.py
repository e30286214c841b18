"""A provider with its customers and resellers, and what they buy."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from audit.services import record
from benchmarks.imports.world import make_codes, make_deck
from catalogue.models import CatalogueItem, CatalogueVersion, Product, ProductKind, RateTable
from cdr.models import CustomerIdentifier, Source
from common.scope import Scope
from customers.models import Customer
from resellers.models import Reseller, ResellerCode
from resellers.rules.openings import OPENINGS
from subscriptions.models import Subscription
from tenancy.models import Provider
from tests import factories
from tests.factories.payouts import make_plan

# What the URL names of their pages begin with.
SURFACES = ("console_", "account_centre_", "reseller_portal_")
CODES_PER_RESELLER = 5
SUB_RESELLER_EVERY, FIRST_RESELLERS_OWN_EVERY = 4, 8
BILLING_MODE_EVERY = 10
# Every so many customers nobody tagged, and every so many came by the first reseller.
UNTAGGED_EVERY, FIRST_RESELLERS_EVERY = 5, 10


@dataclass(frozen=True)
class Size:
    """How much of everything a provider has."""

    xdrs: int
    customers: int
    resellers: int
    prefixes: int

    def part(self, divisor: int) -> "Size":
        """A smaller provider of the same kind."""
        return Size(*(count // divisor for count in vars(self).values()))


def make_world(slug: str, size: Size) -> Source:
    """A provider's people and offers; its source, which sells voice."""
    provider = factories.make_provider(slug)
    factories.make_tax_profile(provider, "19")
    voice = factories.make_product(provider, ProductKind.VOICE)
    line = factories.make_product(provider, ProductKind.RECURRING)
    codes = make_codes(size.prefixes)
    retail, wholesale, cost = (make_deck(voice, codes) for _ in range(3))
    terms: list[dict[str, Any]] = [
        {"product": voice, "rate_table": retail},
        {"product": line, "price": "19.90", "price_period": "MONTH"},
    ]
    version = factories.make_catalogue(provider, terms, is_default=True)
    for item in terms:
        CatalogueItem.objects.create(
            provider=provider, catalogue=version.catalogue, currency=provider.currency, **item
        )
    resellers = make_resellers(provider, size.resellers, wholesale)
    make_customers(provider, resellers, size.customers)
    subscribe_all(version, line)
    make_people(provider)
    vendor = factories.make_vendor(cost)
    return factories.make_source(voice, default_vendor=vendor, time_zone="UTC")


def make_resellers(provider: Provider, count: int, wholesale: RateTable) -> list[Reseller]:
    """Resellers with codes and commission, some below others, some in billing mode.

    The first has most of those below it, which settle with it.
    """
    made: list[Reseller] = []
    for number in range(count):
        is_firsts = number % FIRST_RESELLERS_OWN_EVERY == 1
        parent = made[0 if is_firsts else number // 2] if number % SUB_RESELLER_EVERY == 1 else None
        opened: dict[str, Any] = dict.fromkeys(OPENINGS, number == 0)
        reseller = factories.make_reseller(provider, parent, **opened)
        for _ in range(CODES_PER_RESELLER):
            factories.make_code(reseller)
        if number % BILLING_MODE_EVERY == 0 or is_firsts:
            factories.make_billing_mode(reseller, wholesale)
        make_plan(reseller)
        record_creation(reseller)
        made.append(reseller)
    return made


def record_creation(reseller: Reseller) -> None:
    """What the audit log says of it."""
    record(
        provider_id=reseller.provider_id,
        action="reseller.created",
        changed=reseller,
        at=factories.LONG_AGO,
        actor_id=None,
    )


def make_people(provider: Provider) -> None:
    """An administrator, the admin of the first customer's team, and a user of the first reseller.

    Theirs are the most rows.
    """
    factories.make_staff(provider, email=sign_in("console_", provider))
    customer = Customer.objects.get(provider=provider, number=1)
    factories.make_team_member(customer, email=sign_in("account_centre_", provider))
    assert customer.reseller is not None
    factories.make_reseller_user(customer.reseller, email=sign_in("reseller_portal_", provider))


def sign_in(surface: str, provider: Provider) -> str:
    """The address of the user who looks at the pages of a surface."""
    return f"{surface}@{provider.slug}.example"


def make_customers(provider: Provider, resellers: list[Reseller], count: int) -> None:
    """Customers with the account codes `acc00000` and so on, most of them tagged."""
    codes = {
        reseller.pk: list(ResellerCode.objects.filter(reseller=reseller).order_by("pk"))
        for reseller in resellers
    }
    made = []
    for number in range(count):
        reseller = None if number % UNTAGGED_EVERY == 1 else resellers[number % len(resellers)]
        if number % FIRST_RESELLERS_EVERY == 0:
            reseller = resellers[0]
        code = codes[reseller.pk][number % CODES_PER_RESELLER] if reseller else None
        made.append(
            Customer(
                provider=provider,
                number=number + 1,
                organisation=f"Company {number * 7919 % count}",
                first_name="Carl",
                last_name="Customer",
                email=f"customer{number}@example.com",
                address="Nebenstrasse 2\n10117 Berlin",
                country="DE",
                currency=provider.currency,
                reseller=reseller,
                reseller_code=code,
                state=Customer.State.RESTRICTED if number % 50 == 7 else Customer.State.ACTIVE,
                channel=Customer.Channel.API,
                created_at=factories.LONG_AGO,
                active_since=factories.LONG_AGO,
            )
        )
    Customer.objects.bulk_create(made, batch_size=5_000)
    CustomerIdentifier.objects.bulk_create(
        CustomerIdentifier(
            provider=provider,
            kind=CustomerIdentifier.Kind.ACCOUNT_CODE,
            value=f"acc{number:05}",
            customer=customer,
        )
        for number, customer in enumerate(made)
    )


def subscribe_all(version: CatalogueVersion, line: Product) -> None:
    """Every customer has a line since the start of the year."""
    item = version.items.get(product=line)
    scope = Scope.system(version.provider_id)
    Subscription.objects.bulk_create(
        Subscription(
            provider=version.provider,
            customer=customer,
            product=line,
            item=item,
            currency=item.currency,
            price=item.price,
            price_period=item.price_period,
            in_advance=item.in_advance,
            state=Subscription.State.ACTIVE,
            start_date=date(2026, 1, 1),
            created_at=factories.LONG_AGO,
        )
        for customer in Customer.objects.visible_to(scope).order_by("number")
    )
