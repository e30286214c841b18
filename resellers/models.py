"""Partners who bring customers or wholesale traffic: the tree, its codes, vendors, billing mode."""

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models.functions import Coalesce, Lower

from catalogue.models import Product, RateTable
from tenancy.owned import ProviderOwned


class TsTzRange(models.Func):
    """PostgreSQL's `tstzrange` constructor."""

    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


class Reseller(ProviderOwned):
    """A partner of the provider; resellers form a tree without cycles (database trigger).

    What it `sees_…` in the portal beyond its customers and codes, the provider opens to it; the
    policies of the tables (`shown_to_reseller`) read these columns too.
    """

    seen_by_branch = "pk"

    class State(models.TextChoices):
        ACTIVE = "ACTIVE"
        DISABLED = "DISABLED"

    number = models.PositiveIntegerField()
    parent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="children"
    )
    first_name = models.CharField(max_length=100)
    last_name = models.CharField(max_length=100)
    organisation = models.CharField(max_length=200)
    email = models.EmailField()
    phone = models.CharField(max_length=40, blank=True)
    address = models.TextField(blank=True)
    country = models.CharField(max_length=2, blank=True)
    tax_number = models.CharField(max_length=40, blank=True)
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=8, choices=State.choices, default=State.ACTIVE)
    active_since = models.DateTimeField()
    disabled_at = models.DateTimeField(null=True, blank=True)
    sees_usage_totals = models.BooleanField(default=False)
    sees_invoice_status = models.BooleanField(default=False)
    sees_commission = models.BooleanField(default=False)
    sees_branch = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state="ACTIVE", disabled_at__isnull=True)
                | models.Q(state="DISABLED", disabled_at__isnull=False),
                name="reseller_disabled_since",
            ),
            models.UniqueConstraint(fields=["provider", "number"], name="reseller_number_unique"),
        ]

    def __str__(self) -> str:
        return self.organisation


class ResellerCode(ProviderOwned):
    """The code that tags a customer with a reseller; immutable once published."""

    seen_by_reseller = ("reseller_id",)

    reseller = models.ForeignKey(Reseller, on_delete=models.PROTECT, related_name="codes")
    code = models.CharField(max_length=40)
    campaign = models.CharField(max_length=100, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("provider", Lower("code"), name="reseller_code_unique"),
            models.CheckConstraint(
                condition=models.Q(code__regex=r"^[A-Za-z0-9][A-Za-z0-9_-]*$"),
                name="reseller_code_is_plain",
            ),
        ]

    def __str__(self) -> str:
        return self.code


class ResellerModule(ProviderOwned):
    """A provider's switch for the reseller module, and the code for sign-ups that give none."""

    is_enabled = models.BooleanField(default=False)
    default_code = models.ForeignKey(
        ResellerCode, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    commission_after_disabling = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider"], name="one_reseller_module"),
        ]


class ResellerUser(ProviderOwned):
    """A person who may look at a reseller's portal."""

    reseller = models.ForeignKey(Reseller, on_delete=models.PROTECT, related_name="users")
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="reseller_user"
    )
    created_at = models.DateTimeField()


class Vendor(ProviderOwned):
    """Who terminates the traffic; owned by the provider (no owner) or by a reseller."""

    class State(models.TextChoices):
        ACTIVE = "ACTIVE"
        DISABLED = "DISABLED"

    name = models.CharField(max_length=100)
    owner = models.ForeignKey(
        Reseller, on_delete=models.PROTECT, null=True, blank=True, related_name="vendors"
    )
    rate_table = models.ForeignKey(RateTable, on_delete=models.PROTECT, related_name="vendors")
    state = models.CharField(max_length=8, choices=State.choices, default=State.ACTIVE)

    class Meta:
        constraints = [
            models.UniqueConstraint("provider", Lower("name"), name="vendor_name_unique"),
        ]

    def __str__(self) -> str:
        return self.name


class BillingModeAssignment(ProviderOwned):
    """Billing mode on: from `valid_from` the reseller pays its parent by `rate_table`."""

    class Policy(models.TextChoices):
        PARENT_VENDORS_ONLY = "PARENT_VENDORS_ONLY", "Parent vendors only"
        EVERY_CALL = "EVERY_CALL", "Every call"
        INTERNAL_TABLE = "INTERNAL_TABLE", "Internal table"

    reseller = models.ForeignKey(
        Reseller, on_delete=models.PROTECT, related_name="billing_mode_assignments"
    )
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    rate_table = models.ForeignKey(RateTable, on_delete=models.PROTECT, related_name="+")
    policy = models.CharField(
        max_length=19, choices=Policy.choices, default=Policy.PARENT_VENDORS_ONLY
    )
    internal_rate_table = models.ForeignKey(
        RateTable, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(valid_to__isnull=True)
                | models.Q(valid_to__gt=models.F("valid_from")),
                name="billing_mode_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=models.Q(policy="INTERNAL_TABLE", internal_rate_table__isnull=False)
                | (~models.Q(policy="INTERNAL_TABLE") & models.Q(internal_rate_table__isnull=True)),
                name="internal_table_goes_with_its_policy",
            ),
            ExclusionConstraint(
                name="one_billing_mode_at_a_time",
                expressions=[
                    ("reseller", RangeOperators.EQUAL),
                    ("product", RangeOperators.EQUAL),
                    (
                        TsTzRange(
                            "valid_from",
                            Coalesce("valid_to", models.Value("infinity")),
                            RangeBoundary(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                ],
            ),
        ]
