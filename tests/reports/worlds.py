"""Two months of two providers, made by the services that make them in earnest."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from billing.models import Invoice
from billing.services.credit_notes import credit_amount, credit_in_full
from common.periods import month
from customers.models import Customer
from payments.services.reversal import reverse_payment
from payouts.models import CommissionPlan, PayoutStatement
from payouts.services.accrual import accrue
from payouts.services.approving import approve_statement, settle_statement
from payouts.services.preparing import prepare_statements
from resellers.models import Reseller
from tenancy.models import Provider
from tests.factories import (
    make_code,
    make_customer,
    make_provider,
    make_reseller,
    make_tax_profile,
)
from tests.factories.billing import issue_run, make_charge, make_usage
from tests.factories.payouts import day, make_plan, pay

SEPTEMBER = month(2026, 9)
OCTOBER = month(2026, 10)
NOVEMBER = month(2026, 11)
MONTHS = (SEPTEMBER, OCTOBER, NOVEMBER)


@dataclass(frozen=True)
class World:
    """A provider, its tree (top over sub; other aside) and a customer of each, and a direct one."""

    provider: Provider
    top: Reseller
    sub: Reseller
    other: Reseller
    of_top: Customer
    of_sub: Customer
    of_other: Customer
    abroad: Customer
    direct: Customer


def make_world(slug: str, scale: int) -> World:
    """A provider whose amounts are `scale` times those in the comments below."""
    provider = make_provider(slug)
    make_tax_profile(provider, "19")
    top = make_reseller(provider, number=1, organisation="Meridian")
    sub = make_reseller(provider, parent=top, number=2, organisation="Solstice")
    other = make_reseller(provider, number=3, organisation="Zenith")
    for reseller, code in ((top, "MERIDIAN"), (sub, "SOLSTICE"), (other, "ZENITH")):
        make_code(reseller, f"{code}-{slug}")
    make_plan(top, "10")
    make_plan(sub, "20", base=CommissionPlan.Base.INVOICED_NET)
    world = World(
        provider=provider,
        top=top,
        sub=sub,
        other=other,
        of_top=make_customer(provider, top),
        of_sub=make_customer(provider, sub),
        of_other=make_customer(provider, other),
        abroad=make_customer(provider, top, currency="USD"),
        direct=make_customer(provider),
    )
    _september(world, scale)
    _october(world, scale)
    return world


def _september(world: World, scale: int) -> None:
    """1000 of top's customer, 500 of sub's, 300 of other's, 200 direct, 80 dollars abroad."""
    for customer, net in (
        (world.of_top, 1000),
        (world.of_sub, 500),
        (world.of_other, 300),
        (world.direct, 200),
        (world.abroad, 80),
    ):
        _charge(customer, net * scale, date(2026, 9, 20))
    # Legs to settle: sub's with top, top's with the provider.
    make_usage(world.sub, str(60 * scale), day=date(2026, 9, 20))
    make_usage(world.top, str(90 * scale), day=date(2026, 9, 20))
    issue_run(world.provider, SEPTEMBER, day(10, 2))
    # Half of top's customer's invoice is paid; a payment of 119 (net 100) bounces next month.
    pay(world.of_top, str(595 * scale), at=day(10, 10))
    bounced = pay(world.of_top, str(119 * scale), at=day(10, 20))
    pay(world.abroad, str(Decimal("95.2") * scale), at=day(10, 21))
    pay(world.direct, str(238 * scale), at=day(10, 22))
    _credit(world.of_sub, 119 * scale, day(10, 25))
    accrue(provider_id=world.provider.pk, at=day(10, 31))
    reverse_payment(payment=bounced, reason="Bounced", at=day(11, 4), actor_id=None)


def _october(world: World, scale: int) -> None:
    """October's statements are drafted and paid; some of what was paid is given back after."""
    _charge(world.of_top, 400 * scale, date(2026, 10, 20))
    _charge(world.direct, 50 * scale, date(2026, 10, 20))
    _settle_october(world)
    issue_run(world.provider, OCTOBER, day(11, 6))
    credit_in_full(
        invoice_id=_first_invoice(world.of_other).pk,
        reason="Never delivered",
        at=day(11, 7),
        actor_id=None,
    )
    _credit(world.direct, Decimal("23.80") * scale, day(11, 8))
    _credit(world.abroad, Decimal("11.90") * scale, day(11, 8))
    accrue(provider_id=world.provider.pk, at=day(11, 9))


def _settle_october(world: World) -> None:
    drafts = prepare_statements(
        provider_id=world.provider.pk, period=OCTOBER, at=day(11, 1), actor_id=None
    )
    for draft in drafts:
        approve_statement(statement=draft, at=day(11, 2), actor_id=None)
        settle_statement(
            statement=draft,
            settled_date=date(2026, 11, 5),
            mode=PayoutStatement.Mode.BANK_TRANSFER,
            reference="SEPA",
            at=day(11, 5),
            actor_id=None,
        )


def _charge(customer: Customer, net: int, on: date) -> None:
    make_charge(customer, str(net), period_from=on, period_to=on.replace(day=on.day + 1))


def _credit(customer: Customer, gross: Decimal | int, at: datetime) -> None:
    credit_amount(
        invoice_id=_first_invoice(customer).pk,
        gross_amount=Decimal(gross),
        reason="Agreed",
        at=at,
        actor_id=None,
    )


def _first_invoice(customer: Customer) -> Invoice:
    return customer.invoices.order_by("issue_date", "pk")[0]
