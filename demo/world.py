"""Founds the demo's providers through the same services that people use."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction

from billing.models import Tax, TaxProfile
from catalogue.models import (
    Catalogue,
    CatalogueItem,
    ItemTerms,
    Product,
    ProductKind,
    RateTable,
)
from catalogue.rules.allowances import Allowance
from catalogue.rules.items import Terms
from catalogue.rules.rate_terms import RateTerms
from catalogue.selectors import version_at, version_items
from catalogue.services.allowances import add_allowance
from catalogue.services.catalogues import create_catalogue
from catalogue.services.items import add_item
from catalogue.services.products import create_product
from catalogue.services.publishing import publish_catalogue
from catalogue.services.rate_tables import create_rate_table
from catalogue.services.rates import add_rates
from cdr.models import CustomerIdentifier, Source, Trunk
from common.periods import start_of_day
from common.scope import Scope
from customers.models import Customer
from customers.services.accounts import BillingTerms, change_state, edit_billing_terms
from customers.services.catalogues import assign_catalogue
from customers.services.onboarding import CodeChoice, create_customer
from demo.customers import CustomerPlan, customers_of
from demo.plans import PERIOD, CataloguePlan, ProviderPlan, ResellerPlan
from demo.rate_deck import build_rate_deck
from demo.storage import has_storage, storage_terms
from demo.switch import dial_plan
from payouts.models import CommissionPlan
from payouts.services.plans import set_commission_plan
from resellers.models import Reseller, Vendor
from resellers.services.billing_mode import assign_billing_mode
from resellers.services.codes import create_code, publish_code
from resellers.services.module import ModuleSettings, change_module
from resellers.services.openings import change_openings
from resellers.services.resellers import ResellerDetails, create_reseller
from resellers.services.vendors import create_vendor
from subscriptions.services.purchase import subscribe
from tenancy.models import BillerEntity, Provider
from tenancy.services.providers import create_provider

SOURCE_SLUG = "freeswitch-csv"
STORAGE_SLUG = "storage"
_CREDIT_LIMIT = Decimal(2000)
_NUMBER_BLOCK_EVERY = 4
_SET_UP_EVERY = 10


@dataclass(frozen=True)
class _Founding:
    """What the steps of founding share."""

    plan: ProviderPlan
    provider: Provider
    at: datetime

    @property
    def scope(self) -> Scope:
        return Scope.system(self.provider.pk)


@transaction.atomic
def found_provider(plan: ProviderPlan) -> Provider:
    """The provider of the plan with all it needs, as of a month before its traffic."""
    at = start_of_day(PERIOD.from_date - timedelta(days=30), plan.zone)
    provider = create_provider(
        slug=plan.slug,
        name=plan.name,
        currency=plan.currency,
        time_zone=plan.time_zone,
        seller=plan.seller,
        at=at,
    )
    BillerEntity.objects.filter(provider=provider).update(bank_details=plan.bank_details)
    founding = _Founding(plan, provider, at)
    _create_taxes(founding)
    products = _create_products(founding)
    tables = _create_rate_tables(founding, products["voice"])
    catalogues = _create_catalogues(founding, products, tables)
    resellers = _create_resellers(founding, tables)
    vendors = _create_vendors(founding, tables, resellers)
    _create_source(founding, products["voice"], vendors)
    if plan.storage_tiers:
        _create_storage_source(founding, products["storage"])
    for customer_plan in customers_of(plan):
        _create_customer(founding, customer_plan, catalogues)
    return provider


def _create_taxes(founding: _Founding) -> None:
    profile = TaxProfile.objects.create(
        provider=founding.provider, name=founding.plan.tax_name, is_default=True
    )
    Tax.objects.create(
        provider=founding.provider,
        profile=profile,
        name=founding.plan.tax_name,
        percent=founding.plan.tax_percent,
    )


def _create_products(founding: _Founding) -> dict[str, Product]:
    terms = {
        "voice": ("Telephone calls", ProductKind.VOICE, "minute", "second"),
        "line": ("SIP line", ProductKind.RECURRING, "", ""),
        "numbers": ("Block of ten numbers", ProductKind.RECURRING, "", ""),
        "set-up": ("Set-up on site", ProductKind.ONE_TIME, "", ""),
    }
    if founding.plan.storage_tiers:
        terms["storage"] = ("Cloud storage", ProductKind.METERED, "GB", "MB")
    return {
        code: create_product(
            provider_id=founding.provider.pk,
            code=code,
            name=name,
            kind=kind,
            rating_unit=rating_unit,
            volume_unit=volume_unit,
            at=founding.at,
            actor_id=None,
        )
        for code, (name, kind, rating_unit, volume_unit) in terms.items()
    }


def _create_rate_tables(founding: _Founding, voice: Product) -> dict[str, RateTable]:
    """One table for each catalogue, vendor and reseller in billing mode, by its name or code."""
    plan = founding.plan
    shares = {f"{plan.name} {c.name}": (c.name, c.voice_share) for c in plan.catalogues}
    shares |= {f"{v.name} cost": (v.name, v.price_share) for v in plan.vendors}
    shares |= {
        f"Wholesale to {r.name}": (r.code, plan.wholesale_share)
        for r in plan.resellers
        if r.is_billed_by_parent
    }
    return {
        key: _create_rate_table(founding, voice, name, share)
        for name, (key, share) in shares.items()
    }


def _create_rate_table(founding: _Founding, voice: Product, name: str, share: Decimal) -> RateTable:
    table = create_rate_table(
        provider_id=founding.provider.pk,
        name=name,
        currency=founding.plan.currency,
        product=voice,
        time_zone=founding.plan.time_zone,
        at=founding.at,
        actor_id=None,
    )
    rates = [
        RateTerms(
            prefix=rate.prefix,
            destination=rate.destination,
            rate=rate.rate,
            minimum=rate.minimum,
            increment=rate.increment,
            effective_from=founding.at,
        )
        for rate in build_rate_deck(founding.plan.currency).scaled(share).rates
    ]
    add_rates(table=table, rates=rates, at=founding.at, actor_id=None)
    return table


def _create_catalogues(
    founding: _Founding, products: dict[str, Product], tables: dict[str, RateTable]
) -> dict[str, Catalogue]:
    catalogues = {}
    for position, plan in enumerate(founding.plan.catalogues):
        catalogue = create_catalogue(
            provider_id=founding.provider.pk,
            name=plan.name,
            is_default=position == 0,
            at=founding.at,
            actor_id=None,
        )
        for product, terms in _items(founding.plan, plan, products, tables[plan.name]):
            item = add_item(
                catalogue=catalogue, product=product, terms=terms, at=founding.at, actor_id=None
            )
            if product == products["numbers"] and founding.plan.home_minutes:
                _include_home_calls(founding, item, products["voice"])
        publish_catalogue(catalogue=catalogue, at=founding.at, actor_id=None)
        catalogues[plan.name] = catalogue
    return catalogues


def _include_home_calls(founding: _Founding, item: CatalogueItem, voice: Product) -> None:
    plan = founding.plan
    allowance = Allowance(
        name=f"Home {plan.home_minutes:,}",
        usage_product_id=voice.pk,
        volume=plan.home_minutes * 60,
        destinations=(plan.calling_code,),
    )
    add_allowance(item=item, allowance=allowance, at=founding.at, actor_id=None)


def _items(
    plan: ProviderPlan,
    catalogue: CataloguePlan,
    products: dict[str, Product],
    voice_table: RateTable,
) -> list[tuple[Product, Terms]]:
    prices = {code: price * catalogue.price_share for code, price in plan.prices.items()}
    monthly = ItemTerms.PricePeriod.MONTH
    return [
        *([(products["storage"], storage_terms(plan))] if plan.storage_tiers else ()),
        (products["voice"], Terms(currency=plan.currency, rate_table_id=voice_table.pk)),
        (
            products["line"],
            Terms(
                currency=plan.currency,
                price=prices["line"],
                price_period=monthly,
                entry_proration=True,
                exit_proration=True,
            ),
        ),
        (
            products["numbers"],
            Terms(
                currency=plan.currency,
                price=prices["numbers"],
                price_period=monthly,
                in_advance=False,
            ),
        ),
        (products["set-up"], Terms(currency=plan.currency, price=prices["set-up"])),
    ]


def _create_resellers(founding: _Founding, tables: dict[str, RateTable]) -> dict[str, Reseller]:
    change_module(
        provider_id=founding.provider.pk,
        settings=ModuleSettings(is_enabled=True),
        at=founding.at,
        actor_id=None,
    )
    resellers: dict[str, Reseller] = {}
    for plan in founding.plan.resellers:
        reseller = _create_reseller(founding, plan, resellers.get(plan.parent_code))
        resellers[plan.code] = reseller
        if plan.is_billed_by_parent:
            assign_billing_mode(
                reseller=reseller,
                rate_table=tables[plan.code],
                valid_from=founding.at,
                at=founding.at,
                actor_id=None,
            )
        if plan.commission is not None:
            set_commission_plan(
                reseller=reseller,
                base=CommissionPlan.Base(plan.commission.base),
                percent=plan.commission.percent,
                valid_from=founding.at.date(),
                at=founding.at,
                actor_id=None,
            )
    return resellers


def _create_reseller(founding: _Founding, plan: ResellerPlan, parent: Reseller | None) -> Reseller:
    details = ResellerDetails(
        organisation=plan.name,
        first_name=plan.contact[0],
        last_name=plan.contact[1],
        email=f"partners@{plan.code.lower()}.example",
        address="Partner House 1",
        country=founding.plan.country,
    )
    reseller = create_reseller(
        provider_id=founding.provider.pk,
        details=details,
        currency=founding.plan.currency,
        parent=parent,
        at=founding.at,
        actor_id=None,
    )
    code = create_code(reseller=reseller, code=plan.code, at=founding.at, actor_id=None)
    publish_code(code=code, at=founding.at, actor_id=None)
    return change_openings(reseller=reseller, opened=plan.opened, at=founding.at, actor_id=None)


def _create_vendors(
    founding: _Founding, tables: dict[str, RateTable], resellers: dict[str, Reseller]
) -> dict[str, Vendor]:
    return {
        plan.tech_prefix: create_vendor(
            provider_id=founding.provider.pk,
            name=plan.name,
            rate_table=tables[plan.name],
            owner=resellers.get(plan.owner_code),
            at=founding.at,
            actor_id=None,
        )
        for plan in founding.plan.vendors
    }


def _create_source(founding: _Founding, voice: Product, vendors: dict[str, Vendor]) -> None:
    source = Source.objects.create(
        provider=founding.provider,
        slug=SOURCE_SLUG,
        name=f"{founding.plan.name} switch",
        format=Source.Format.FREESWITCH_CSV,
        product=voice,
        time_zone=founding.plan.time_zone,
        country_prefix=dial_plan(founding.plan).country_prefix or "",
        default_vendor=vendors[""],
    )
    Trunk.objects.bulk_create(
        Trunk(provider=founding.provider, source=source, tech_prefix=prefix, vendor=vendor)
        for prefix, vendor in vendors.items()
        if prefix
    )


def _create_storage_source(founding: _Founding, storage: Product) -> None:
    Source.objects.create(
        provider=founding.provider,
        slug=STORAGE_SLUG,
        name=f"{founding.plan.name} storage",
        format=Source.Format.TOLLGATE_JSON,
        product=storage,
        time_zone=founding.plan.time_zone,
    )


def _create_customer(
    founding: _Founding, plan: CustomerPlan, catalogues: dict[str, Catalogue]
) -> None:
    at = founding.at
    customer = create_customer(
        provider_id=founding.provider.pk,
        details=plan.details,
        currency=founding.plan.currency,
        channel=Customer.Channel.CONSOLE,
        reseller_code=plan.reseller_code or CodeChoice.NONE,
        at=at,
        actor_id=None,
    )
    customer = change_state(customer=customer, state=Customer.State.ACTIVE, at=at, actor_id=None)
    terms = BillingTerms(credit_limit=_CREDIT_LIMIT)
    customer = edit_billing_terms(customer=customer, terms=terms, at=at, actor_id=None)
    catalogue = catalogues[plan.catalogue]
    if not catalogue.is_default:
        assign_catalogue(customer=customer, catalogue=catalogue, at=at, actor_id=None)
        customer.refresh_from_db()
    identifiers = [(CustomerIdentifier.Kind.ACCOUNT_CODE, plan.account.account_code)]
    identifiers += [(CustomerIdentifier.Kind.NUMBER, number) for number in plan.account.numbers]
    CustomerIdentifier.objects.bulk_create(
        CustomerIdentifier(provider=founding.provider, customer=customer, kind=kind, value=value)
        for kind, value in identifiers
    )
    _subscribe(founding, customer, catalogue)


def _subscribe(founding: _Founding, customer: Customer, catalogue: Catalogue) -> None:
    version = version_at(founding.scope, catalogue.pk, founding.at)
    assert version is not None, "the catalogue was published when the provider was founded"
    items = {item.product.code: item for item in version_items(founding.scope, version)}
    bought = {"voice": 1, "line": 1 + customer.number % 3}
    if customer.number % _NUMBER_BLOCK_EVERY == 0:
        bought["numbers"] = 1
    if customer.number % _SET_UP_EVERY == 0:
        bought["set-up"] = 1
    if has_storage(founding.plan, customer.number):
        bought["storage"] = 1
    for code, quantity in bought.items():
        subscribe(
            customer=customer,
            item=items[code],
            quantity=quantity,
            start_date=PERIOD.from_date,
            at=founding.at,
            actor_id=None,
        )
