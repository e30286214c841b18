"""Aurora Telecom, a provider as people meet it in the browser: founded, or after a month."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from billing.models import Invoice
from billing.services.credit_notes import credit_in_full
from catalogue.models import Catalogue, CatalogueItem, Product, ProductKind, RateTable
from catalogue.services.publishing import publish_catalogue
from cdr.models import Source
from customers.models import Customer
from payments.models import Payment
from payments.services.offline import record_offline_payment
from payments.services.reversal import reverse_payment
from payouts.services.accrual import accrue
from payouts.services.preparing import prepare_statement
from resellers.models import Reseller
from resellers.rules.openings import OPENINGS
from subscriptions.services.purchase import subscribe
from tenancy.models import BillerEntity, Provider, User
from tests.factories import (
    LONG_AGO,
    make_billing_mode,
    make_code,
    make_customer,
    make_identifier,
    make_product,
    make_provider,
    make_rate_table,
    make_reseller,
    make_source,
    make_staff,
    make_tax_profile,
    make_vendor,
)
from tests.factories.billing import OCTOBER, issue_run, make_charge
from tests.factories.catalogue import make_item_allowance
from tests.factories.cdr import CALL_AT, Call, import_lines
from tests.factories.payouts import make_plan
from tests.factories.tiers import usage

BANK_DETAILS = "DE02 1203 0000 0000 2020 51"
OCTOBER_5 = datetime(2026, 10, 5, 9, tzinfo=UTC)
NOVEMBER_3 = datetime(2026, 11, 3, 9, tzinfo=UTC)
RATES = {
    "49": {"rate": "0.015", "destination": "Germany"},
    "4915": {"rate": "0.045", "destination": "Germany mobile"},
    "44": {"rate": "0.02", "destination": "United Kingdom"},
    "1": {"rate": "0.03", "destination": "United States"},
}
NAMES = [
    "Nordwind Logistics GmbH",
    "Söhne & Töchter OHG",
    "Hafen Kontor",
    "Alpenglück AG",
    "Zenith Cargo",
    "Bäckerei Morgenrot",
    "Klinik am See",
    "Atelier Blau",
]
STATES = [Customer.State.ACTIVE] * 6 + [Customer.State.RESTRICTED, Customer.State.DISABLED]
CALLED = ("493012345678", "4915123456789", "442079460000", "12125550100")


@dataclass(frozen=True)
class Aurora:
    """What others refer to: the provider, what it sells, its switch, and Meridian's branch."""

    provider: Provider
    catalogue: Catalogue
    retail: RateTable
    wholesale: RateTable
    source: Source
    storage_source: Source
    meridian: Reseller
    solstice: Reseller


def make_aurora() -> Aurora:
    """Founded in January 2026: taxes, a published catalogue, a switch and two resellers."""
    provider = make_provider("aurora", name="Aurora Telecom")
    BillerEntity.objects.filter(provider=provider).update(
        bank_details="DE02 1203 0000 0000 2020 51"
    )
    make_tax_profile(provider, "19")
    voice = make_product(provider, name="Telephone calls", code="calls")
    storage = make_product(provider, ProductKind.METERED, name="Cloud storage", code="storage")
    retail = make_rate_table(voice, RATES, name="Aurora Retail")
    wholesale = make_rate_table(voice, {"": {"rate": "0.01"}}, name="Wholesale to Meridian")
    cost = make_rate_table(voice, {"": "0.005"}, name="Carrier cost")
    opened: dict[str, Any] = dict.fromkeys(OPENINGS, True)
    meridian = make_reseller(provider, organisation="Meridian Partners", number=1, **opened)
    solstice = make_reseller(provider, meridian, organisation="Solstice Connect", number=2)
    make_code(meridian, "MERIDIAN", campaign="Autumn fair")
    make_code(solstice, "SOLSTICE")
    make_billing_mode(meridian, wholesale)
    make_plan(meridian, "10")
    return Aurora(
        provider=provider,
        catalogue=_make_catalogue(provider, retail, storage),
        retail=retail,
        wholesale=wholesale,
        source=make_source(voice, make_vendor(cost, name="Transit"), name="Aurora switch"),
        storage_source=make_source(
            storage, format=Source.Format.TOLLGATE_JSON, name="Storage cluster"
        ),
        meridian=meridian,
        solstice=solstice,
    )


def _make_catalogue(provider: Provider, retail: RateTable, storage: Product) -> Catalogue:
    """The default one, published: calls by the rate table, a line with 30 minutes by the month, a
    set-up once, storage by tiers.
    """
    catalogue = Catalogue.objects.create(
        provider=provider, name="Standard", is_default=True, created_at=LONG_AGO
    )
    line = make_product(
        provider, ProductKind.RECURRING, name="SIP line", description="With two channels."
    )
    set_up = make_product(provider, ProductKind.ONE_TIME, name="Set-up on site")
    for product, terms in (
        (retail.product, {"rate_table": retail}),
        (line, {"price": Decimal("12.5"), "price_period": "MONTH"}),
        (set_up, {"price": Decimal(50)}),
        (storage, {"tier_model": "GRADUATED", "tiers": "0:0.10;100:0.05;1000:0.02"}),
    ):
        item = CatalogueItem.objects.create(
            provider=provider, catalogue=catalogue, product=product, currency="EUR", **terms
        )
        if product == line:
            _include_minutes(item, retail.product)
    publish_catalogue(catalogue=catalogue, at=LONG_AGO, actor_id=None)
    return catalogue


def _include_minutes(item: CatalogueItem, voice: Product) -> None:
    """Half an hour of calls within Germany a month; what is left can be used in the next one."""
    make_item_allowance(
        item,
        voice,
        name="Minutes to Germany",
        volume=1_800,
        destinations=["49"],
        rolls_over=True,
    )


def make_colleague(provider: Provider, role: str = "Admin") -> User:
    """Somebody of the provider's staff, with a name that may be seen in a guide."""
    return make_staff(provider, role, name="Anna Weber", email="anna.weber@aurora.example")


def make_callers(aurora: Aurora) -> list[Customer]:
    """Eight customers of Meridian, of Solstice and of nobody, each with an account code."""
    owners = (aurora.meridian, aurora.solstice, None)
    customers = [
        make_customer(
            aurora.provider,
            owners[number % 3],
            organisation=name,
            state=STATES[number],
            credit_limit=Decimal(1500),
        )
        for number, name in enumerate(NAMES)
    ]
    for number, customer in enumerate(customers):
        make_identifier(customer, f"account-{number}")
    return customers


def trade(aurora: Aurora) -> list[Customer]:
    """October as it went: usage, subscriptions, a bill run, money, a credit note, commission.

    The first customer has an invoice paid in part, another one credited, and November to come.
    """
    customers = make_callers(aurora)
    version = aurora.catalogue.versions.get()
    for customer in customers[:6]:
        for item in version.items.order_by("pk"):
            subscribe(
                customer=customer,
                item=item,
                start_date=date(2026, 10, 1),
                at=CALL_AT,
                actor_id=None,
            )
    _call(aurora, len(customers))
    _store(aurora)
    issue_run(aurora.provider, OCTOBER, NOVEMBER_3)
    _settle(customers)
    for customer in customers:
        make_charge(customer, "12.40", description="Technician's visit")
    accrue(provider_id=aurora.provider.pk, at=NOVEMBER_3)
    prepare_statement(
        reseller=aurora.meridian, period=OCTOBER, currency="EUR", at=NOVEMBER_3, actor_id=None
    )
    return customers


def _call(aurora: Aurora, customer_count: int) -> None:
    """A call every eight hours of October, and three lines that have to wait."""
    calls = [
        Call(
            account=f"account-{number % customer_count}",
            to=CALLED[number % 4],
            started_at=CALL_AT + timedelta(hours=8 * number - 96),
            seconds=37 * (number % 11),
        )
        for number in range(80)
    ]
    waiting: list[Call | str] = [
        Call(account="nobody"),
        Call(account="account-1", to="8613800000000"),
        "not a call",
    ]
    import_lines(aurora.source, [*calls, *waiting], at=NOVEMBER_3)


def _store(aurora: Aurora) -> None:
    """Storage of three customers every fifth day of October, which reaches the second tier."""
    lines = [
        usage(
            7_340 + 1_250 * day + 9_875 * number,
            at=CALL_AT + timedelta(days=day - 4),
            account=f"account-{number}",
            destination_number=("standard", "archive")[day % 2],
            call_id=f"storage-{number}-{day}",
        )
        for number in range(3)
        for day in range(0, 31, 5)
    ]
    import_lines(aurora.storage_source, lines, at=NOVEMBER_3)


def _settle(customers: list[Customer]) -> None:
    """A payment in part, one with advance, one taken back, and an invoice credited in full."""
    for customer, amount in zip(customers, ("40.00", "200.00", "25.00"), strict=False):
        payment = record_offline_payment(
            customer=customer,
            amount=Decimal(amount),
            currency="EUR",
            mode=Payment.Mode.BANK_TRANSFER,
            reference=f"TRF-{customer.number}",
            posting_date=NOVEMBER_3.date(),
            transaction_date=NOVEMBER_3.date(),
            at=NOVEMBER_3,
            actor_id=None,
        )
    reverse_payment(payment=payment, reason="Returned unpaid", at=NOVEMBER_3, actor_id=None)
    credited = Invoice.objects.get(customer=customers[3])
    credit_in_full(invoice_id=credited.pk, reason="Billed by mistake", at=NOVEMBER_3, actor_id=None)
