"""What the demo's two providers are: their partners, vendors, catalogues, customers and traffic."""

from dataclasses import dataclass, field
from decimal import Decimal
from zoneinfo import ZoneInfo

from common.periods import Period, month
from demo.traffic import Oddities
from resellers.rules.openings import OPENINGS
from tenancy.services.providers import Seller

PERIOD: Period = month(2026, 10)
CROSSWIND_PREFIX = "9011"


@dataclass(frozen=True, kw_only=True)
class CommissionTerms:
    """What a reseller earns: percent of `base` (a `CommissionPlan.Base`)."""

    base: str
    percent: Decimal


@dataclass(frozen=True, kw_only=True)
class ResellerPlan:
    """A reseller with its one code; `customers` are tagged with it, `opened` is what it sees."""

    name: str
    code: str
    contact: tuple[str, str]
    customers: int
    parent_code: str = ""
    commission: CommissionTerms | None = None
    is_billed_by_parent: bool = False
    opened: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class VendorPlan:
    """A vendor at a share of the retail prices; reached by `tech_prefix`, or by default."""

    name: str
    price_share: Decimal
    owner_code: str = ""
    tech_prefix: str = ""
    traffic_share: int = 1


@dataclass(frozen=True, kw_only=True)
class CataloguePlan:
    """A catalogue at a share of the standard prices; the first of a provider is its default."""

    name: str
    price_share: Decimal
    voice_share: Decimal
    customers: int = 0


@dataclass(frozen=True, kw_only=True)
class ProviderPlan:
    """One provider and its October 2026."""

    slug: str
    name: str
    currency: str
    time_zone: str
    seller: Seller
    bank_details: str
    tax_name: str
    tax_percent: Decimal
    resellers: tuple[ResellerPlan, ...]
    vendors: tuple[VendorPlan, ...]
    catalogues: tuple[CataloguePlan, ...]
    direct_customers: int
    country: str
    calling_code: str
    area_code: str
    seed: int
    lines: int
    oddities: Oddities
    prices: dict[str, Decimal] = field(hash=False)
    wholesale_share: Decimal = Decimal("0.7")
    home_minutes: int = 0
    """What a block of numbers includes each month of calls to the country; more than anybody uses,
    so that what calls cost does not depend on the order in which they are rated."""
    storage_tiers: tuple[tuple[int, Decimal], ...] = ()
    """What a gigabyte of storage costs in a month beyond so many, each at the price of its tier."""

    @property
    def zone(self) -> ZoneInfo:
        """The provider's time zone."""
        return ZoneInfo(self.time_zone)


AURORA = ProviderPlan(
    slug="aurora",
    name="Aurora Telecom",
    currency="EUR",
    time_zone="Europe/Berlin",
    seller=Seller(
        name="Aurora Telecom GmbH",
        address="Polarstrasse 12\n10245 Berlin",
        country="DE",
        tax_number="DE298114763",
        email="billing@aurora.example",
    ),
    bank_details="Nordbank Berlin\nIBAN DE02 1203 0000 0000 2020 51",
    tax_name="VAT",
    tax_percent=Decimal(19),
    resellers=(
        ResellerPlan(
            name="Meridian Partners",
            code="MERIDIAN",
            contact=("Mara", "Lindqvist"),
            customers=30,
            commission=CommissionTerms(base="INVOICED_NET", percent=Decimal(4)),
            opened=frozenset(OPENINGS),
        ),
        ResellerPlan(
            name="Solstice Communications",
            code="SOLSTICE",
            contact=("Sol", "Iversen"),
            customers=40,
            parent_code="MERIDIAN",
            is_billed_by_parent=True,
        ),
        ResellerPlan(
            name="Zenith Business Networks",
            code="ZENITH",
            contact=("Zoe", "Nikolaidis"),
            customers=50,
            commission=CommissionTerms(base="COLLECTED_NET", percent=Decimal(10)),
            opened=frozenset({"sees_usage_totals", "sees_commission"}),
        ),
    ),
    vendors=(
        VendorPlan(name="Tailwind", price_share=Decimal("0.5"), traffic_share=3),
        VendorPlan(
            name="Crosswind",
            price_share=Decimal("0.45"),
            owner_code="MERIDIAN",
            tech_prefix=CROSSWIND_PREFIX,
        ),
    ),
    catalogues=(
        CataloguePlan(name="Standard", price_share=Decimal(1), voice_share=Decimal(1)),
        CataloguePlan(
            name="Business 2026",
            price_share=Decimal("0.9"),
            voice_share=Decimal("0.85"),
            customers=24,
        ),
        CataloguePlan(
            name="Contact centres",
            price_share=Decimal("0.8"),
            voice_share=Decimal("0.75"),
            customers=12,
        ),
    ),
    direct_customers=80,
    country="DE",
    calling_code="49",
    area_code="30",
    seed=20261001,
    lines=50_000,
    oddities=Oddities(
        duplicates=420, zero_duration=310, unknown_account=180, unrated=95, broken=60
    ),
    prices={"line": Decimal("9.90"), "numbers": Decimal("4.50"), "set-up": Decimal("49.00")},
    home_minutes=1_200,
    storage_tiers=((0, Decimal("0.12")), (100, Decimal("0.08")), (300, Decimal("0.05"))),
)

BOREALIS = ProviderPlan(
    slug="borealis",
    name="Borealis Cloud",
    currency="USD",
    time_zone="America/New_York",
    seller=Seller(
        name="Borealis Cloud Inc.",
        address="400 Northern Lights Ave\nAlbany, NY 12207",
        country="US",
        tax_number="87-2214509",
        email="billing@borealis.example",
    ),
    bank_details="First Empire Bank, Albany\nABA 021300019 · Account 4471 2208",
    tax_name="Sales tax",
    tax_percent=Decimal("8.875"),
    resellers=(
        ResellerPlan(
            name="Halo Reach Partners",
            code="HALO",
            contact=("Hal", "Okafor"),
            customers=8,
            commission=CommissionTerms(base="INVOICED_NET", percent=Decimal(5)),
        ),
    ),
    vendors=(VendorPlan(name="Northwind", price_share=Decimal("0.55")),),
    catalogues=(CataloguePlan(name="Standard", price_share=Decimal(1), voice_share=Decimal(1)),),
    direct_customers=16,
    country="US",
    calling_code="1",
    area_code="518",
    seed=20261002,
    lines=4_000,
    oddities=Oddities(duplicates=40, zero_duration=25, unknown_account=15, unrated=9, broken=6),
    prices={"line": Decimal("12.00"), "numbers": Decimal("6.00"), "set-up": Decimal("59.00")},
)

PLANS = (AURORA, BOREALIS)
