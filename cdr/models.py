"""Usage as received and as charged: sources, files, xDRs, legs, suspense and usage charges."""

from decimal import Decimal

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models

from catalogue.models import Product, Rate, RateTable
from cdr.rules.parties import Charge, Party
from cdr.rules.suspense import Result as Outcome
from cdr.rules.suspense import Suspended
from customers.models import Customer
from resellers.models import Vendor
from tenancy.models import Provider
from tenancy.owned import ProviderOwned


class PartyKind(models.IntegerChoices):
    """Who pays or is paid on a leg; the provider's id is always 0."""

    PROVIDER = Party.PROVIDER.value
    RESELLER = Party.RESELLER.value
    CUSTOMER = Party.CUSTOMER.value
    VENDOR = Party.VENDOR.value


class LegKind(models.IntegerChoices):
    """Which of the three charges of an xDR a leg is."""

    CUSTOMER = Charge.CUSTOMER.value
    RESELLER = Charge.RESELLER.value
    VENDOR = Charge.VENDOR.value


class SuspenseReason(models.TextChoices):
    """Why a line, an xDR or one leg of it waits for somebody."""

    UNPARSABLE = Suspended.UNPARSABLE.value
    UNKNOWN_CUSTOMER = Suspended.UNKNOWN_CUSTOMER.value
    UNKNOWN_VENDOR = Suspended.UNKNOWN_VENDOR.value
    UNRATED_CUSTOMER = Suspended.UNRATED_CUSTOMER.value
    UNRATED_VENDOR = Suspended.UNRATED_VENDOR.value
    RESELLER_UNRATED = Suspended.RESELLER_UNRATED.value
    FOREIGN_VENDOR = Suspended.FOREIGN_VENDOR.value
    BLOCKED = Suspended.BLOCKED.value
    TOO_OLD = Suspended.TOO_OLD.value
    IN_FUTURE = Suspended.IN_FUTURE.value
    OVERFLOW = Suspended.OVERFLOW.value


class Source(ProviderOwned):
    """Where xDRs come from, and how its lines are to be read."""

    class Format(models.TextChoices):
        FREESWITCH_CSV = "freeswitch-csv", "FreeSWITCH CSV"

    class VolumeRounding(models.TextChoices):
        UP = "up"
        NEAREST = "nearest"
        DOWN = "down"

    slug = models.SlugField(max_length=40)
    name = models.CharField(max_length=100)
    format = models.CharField(max_length=20, choices=Format.choices)
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    time_zone = models.CharField(max_length=64)
    country_prefix = models.CharField(max_length=4, blank=True)
    volume_rounding = models.CharField(
        max_length=7, choices=VolumeRounding.choices, default=VolumeRounding.UP
    )
    default_vendor = models.ForeignKey(
        Vendor, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    allows_foreign_vendors = models.BooleanField(default=False)
    oldest_days = models.PositiveSmallIntegerField(default=400)
    is_enabled = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "slug"], name="source_slug_unique"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def state(self) -> str:
        """Whether it takes files: ENABLED or DISABLED."""
        return "ENABLED" if self.is_enabled else "DISABLED"


class Trunk(ProviderOwned):
    """The vendor reached by a tech prefix in front of the destination number."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="trunks")
    tech_prefix = models.CharField(max_length=12)
    vendor = models.ForeignKey(Vendor, on_delete=models.PROTECT, related_name="trunks")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "tech_prefix"], name="trunk_prefix_unique"),
        ]


class CustomerIdentifier(ProviderOwned):
    """What in an xDR names a customer: an account code, or one of its numbers (E.164 digits)."""

    seen_by_customer = "customer_id"

    class Kind(models.TextChoices):
        ACCOUNT_CODE = "ACCOUNT_CODE"
        NUMBER = "NUMBER"

    kind = models.CharField(max_length=12, choices=Kind.choices)
    value = models.CharField(max_length=64)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="identifiers")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "kind", "value"], name="identifier_names_one_customer"
            ),
        ]


class XdrFile(ProviderOwned):
    """One file of xDRs as received; the same bytes are refused a second time."""

    class State(models.TextChoices):
        RECEIVED = "RECEIVED"
        RATING = "RATING"
        DONE = "DONE"
        FAILED = "FAILED"

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="files")
    name = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64)
    size_bytes = models.PositiveBigIntegerField()
    stored_name = models.CharField(max_length=100)
    state = models.CharField(max_length=8, choices=State.choices, default=State.RECEIVED)
    error = models.TextField(blank=True)
    received_at = models.DateTimeField()
    received_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "sha256"], name="xdr_file_once"),
        ]

    def __str__(self) -> str:
        return self.name

    def mark_failed(self, error: str) -> None:
        """The file cannot be rated, and why; what was rated of it stays."""
        self.state, self.error = self.State.FAILED, error
        self.save(update_fields=["state", "error"])


class XdrChunk(ProviderOwned):
    """Consecutive lines of a file that are rated and committed in one transaction.

    The counters are written by that transaction; a file's counts are the sums of its chunks.
    Each line read is exactly one of rated, zero, duplicate, suspended or blank; `suspended` counts
    lines none of whose legs stand, `partly_suspended` those of the rated with a leg in suspense.
    They tell what the import did: what suspense releases later does not change them. `queued_at` is
    when a worker was last asked for the chunk.
    """

    class State(models.TextChoices):
        WAITING = "WAITING"
        DONE = "DONE"

    file = models.ForeignKey(XdrFile, on_delete=models.PROTECT, related_name="chunks")
    number = models.PositiveIntegerField()
    first_line = models.PositiveBigIntegerField()
    first_byte = models.PositiveBigIntegerField()
    byte_count = models.PositiveBigIntegerField()
    line_count = models.PositiveIntegerField()
    state = models.CharField(max_length=7, choices=State.choices, default=State.WAITING)
    rated_count = models.PositiveIntegerField(default=0)
    zero_count = models.PositiveIntegerField(default=0)
    duplicate_count = models.PositiveIntegerField(default=0)
    suspended_count = models.PositiveIntegerField(default=0)
    partly_suspended_count = models.PositiveIntegerField(default=0)
    blank_count = models.PositiveIntegerField(default=0)
    queued_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["file", "number"], name="chunk_number_unique"),
        ]


class Xdr(ProviderOwned):
    """A usage detail record as received; partitioned by month of `started_at`.

    What was received is never edited; the parties and the result follow where suspense is released.
    `id` is the chunk's id shifted left by 18 bits plus the line's place in the chunk, hence unique.
    `dedup_key` is a 128-bit hash of source, call id and leg id, or of source, start, caller,
    destination and duration; with the start it is the primary key in the database, so that one
    index keeps an xDR from being stored twice and finds the xDRs of a time.
    """

    seen_by_customer = "customer_id"

    class Result(models.IntegerChoices):
        RATED = Outcome.RATED.value
        ZERO = Outcome.ZERO.value
        SUSPENDED = Outcome.SUSPENDED.value

    pk = models.CompositePrimaryKey("provider_id", "started_at", "id")
    provider = models.ForeignKey(
        Provider, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    started_at = models.DateTimeField()
    id = models.BigIntegerField()
    source = models.ForeignKey(
        Source, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    chunk = models.ForeignKey(
        XdrChunk, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    line_number = models.BigIntegerField()
    dedup_key = models.UUIDField()
    call_id = models.CharField(max_length=64)
    account_code = models.CharField(max_length=64)
    caller_number = models.CharField(max_length=64)
    destination_number = models.CharField(max_length=64)
    normalised_number = models.CharField(max_length=32)
    duration_seconds = models.IntegerField()
    volume = models.BigIntegerField()
    hangup_cause = models.CharField(max_length=40)
    customer = models.ForeignKey(
        Customer, models.PROTECT, null=True, related_name="+", db_constraint=False, db_index=False
    )
    vendor = models.ForeignKey(
        Vendor, models.PROTECT, null=True, related_name="+", db_constraint=False, db_index=False
    )
    terminating_customer = models.ForeignKey(
        Customer, models.PROTECT, null=True, related_name="+", db_constraint=False, db_index=False
    )
    result = models.SmallIntegerField(choices=Result.choices)


class Leg(ProviderOwned):
    """One party's charge for one xDR; partitioned like the xDRs.

    Payer and payee are the parties whose margin it moves: a customer leg is earned by the
    customer's reseller (or the provider where it has none) though the provider collects it.
    `amount` is in the currency of the rate table; `additive_amount` is what of it an additive rate
    put on top of the regular one, `rate`.
    """

    pk = models.CompositePrimaryKey("provider_id", "started_at", "xdr_id", "number")
    provider = models.ForeignKey(
        Provider, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    started_at = models.DateTimeField()
    xdr_id = models.BigIntegerField()
    number = models.SmallIntegerField()
    kind = models.SmallIntegerField(choices=LegKind.choices)
    payer_kind = models.SmallIntegerField(choices=PartyKind.choices)
    payer_id = models.BigIntegerField()
    payee_kind = models.SmallIntegerField(choices=PartyKind.choices)
    payee_id = models.BigIntegerField()
    rate_table = models.ForeignKey(
        RateTable, models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    rate = models.ForeignKey(
        Rate, models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    billed_volume = models.BigIntegerField()
    amount = models.DecimalField(max_digits=18, decimal_places=8)
    additive_amount = models.DecimalField(
        max_digits=18, decimal_places=8, db_default=Decimal(0), default=Decimal(0)
    )
    currency = models.CharField(max_length=3)


class UsageCharge(ProviderOwned):
    """Legs of one chunk summed per payer, payee, product, day and destination.

    `day` is in the provider's zone. `customer_reseller` is the tag of the originating customer.
    Written once with the legs, or later with the leg that suspense released; never edited. Chunk
    and product are checked by a trigger, once for all rows of a statement, and are the provider's.
    """

    provider = models.ForeignKey(
        Provider, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    chunk = models.ForeignKey(
        XdrChunk, on_delete=models.PROTECT, related_name="usage_charges", db_constraint=False
    )
    kind = models.SmallIntegerField(choices=LegKind.choices)
    payer_kind = models.SmallIntegerField(choices=PartyKind.choices)
    payer_id = models.BigIntegerField()
    payee_kind = models.SmallIntegerField(choices=PartyKind.choices)
    payee_id = models.BigIntegerField()
    customer_reseller_id = models.BigIntegerField(null=True)
    product = models.ForeignKey(
        Product, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    day = models.DateField()
    destination = models.CharField(max_length=120)
    currency = models.CharField(max_length=3)
    call_count = models.BigIntegerField()
    volume = models.BigIntegerField()
    billed_volume = models.BigIntegerField()
    amount = models.DecimalField(max_digits=24, decimal_places=8)
    created_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(
                fields=["provider", "payer_kind", "payer_id", "day"], name="usage_charge_payer"
            ),
            models.Index(fields=["provider", "kind", "day"], name="usage_charge_day"),
            # Rows are as good as sorted by it, which costs the import nothing.
            BrinIndex(fields=["created_at"], name="usage_charge_created", autosummarize=True),
        ]


class Suspense(ProviderOwned):
    """A line, an xDR or one leg of it that could not be identified or rated, and why.

    `raw` keeps the line verbatim. `estimated_amount`, in `currency`, is what the customer would pay
    for the whole xDR; zero and no currency where no customer rate is known. What somebody asked to
    be tried again says when and by whom until it was; `correction` is the text for an unreadable
    line.
    """

    class State(models.TextChoices):
        OPEN = "OPEN"
        RESOLVED = "RESOLVED"

    chunk = models.ForeignKey(XdrChunk, on_delete=models.PROTECT, related_name="suspense")
    line_number = models.BigIntegerField()
    raw = models.TextField()
    reason = models.CharField(max_length=20, choices=SuspenseReason.choices)
    detail = models.CharField(max_length=300)
    xdr_id = models.BigIntegerField(null=True)
    started_at = models.DateTimeField(null=True)
    leg_kind = models.SmallIntegerField(choices=LegKind.choices, null=True)
    payer_kind = models.SmallIntegerField(choices=PartyKind.choices, null=True)
    payer_id = models.BigIntegerField(null=True)
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    volume = models.BigIntegerField(default=0)
    estimated_amount = models.DecimalField(max_digits=18, decimal_places=8, default=Decimal(0))
    currency = models.CharField(max_length=3, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    created_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)
    correction = models.TextField(blank=True, db_default="")
    retry_asked_at = models.DateTimeField(null=True)
    retry_asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
    )

    class Meta:
        indexes = [
            models.Index(fields=["provider", "state", "reason", "id"], name="suspense_reason"),
            models.Index(
                fields=["provider", "chunk"],
                condition=models.Q(retry_asked_at__isnull=False),
                name="suspense_asked",
            ),
        ]
