"""The accounts that are served and invoiced, their teams, and what they were told of rates."""

from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from catalogue.models import Catalogue, RateNotice, RateNoticeFile, RateTable
from common.tries import Tried
from resellers.models import Reseller, ResellerCode
from tenancy.models import BillerEntity
from tenancy.owned import ProviderOwned


class Customer(ProviderOwned):
    """The account that is served and invoiced; its tag never changes (database trigger)."""

    seen_by_customer = "pk"
    seen_by_branch = "reseller_id"

    class State(models.TextChoices):
        AWAITING_CONFIRMATION = "AWAITING_CONFIRMATION", "Awaiting confirmation"
        DRAFT = "DRAFT"
        ACTIVE = "ACTIVE"
        RESTRICTED = "RESTRICTED"
        DISABLED = "DISABLED"
        TERMINATED = "TERMINATED"

    class TaxCategory(models.TextChoices):
        STANDARD = "STANDARD"
        EXEMPT = "EXEMPT"

    class Channel(models.TextChoices):
        SIGN_UP = "SIGN_UP", "Sign up"
        CONSOLE = "CONSOLE"
        API = "API", "API"

    number = models.PositiveIntegerField()
    organisation = models.CharField(max_length=200, blank=True)
    first_name = models.CharField(max_length=100)
    last_name = models.CharField(max_length=100)
    email = models.EmailField()
    phone = models.CharField(max_length=40, blank=True)
    address = models.TextField(blank=True)
    country = models.CharField(max_length=2, blank=True)
    tax_number = models.CharField(max_length=40, blank=True)
    tax_category = models.CharField(
        max_length=8, choices=TaxCategory.choices, default=TaxCategory.STANDARD
    )
    currency = models.CharField(max_length=3)
    credit_limit = models.DecimalField(max_digits=20, decimal_places=4, default=Decimal(0))
    is_billable = models.BooleanField(default=True)
    state = models.CharField(max_length=21, choices=State.choices)
    channel = models.CharField(max_length=7, choices=Channel.choices)
    reseller = models.ForeignKey(
        Reseller, on_delete=models.PROTECT, null=True, blank=True, related_name="customers"
    )
    reseller_code = models.ForeignKey(
        ResellerCode, on_delete=models.PROTECT, null=True, blank=True, related_name="customers"
    )
    custom_catalogue = models.ForeignKey(
        Catalogue, on_delete=models.PROTECT, null=True, blank=True, related_name="customers"
    )
    biller_entity = models.ForeignKey(
        BillerEntity, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    rate_table = models.ForeignKey(
        RateTable, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField()
    active_since = models.DateTimeField(null=True, blank=True)
    terminated_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "number"], name="customer_number_unique"),
            models.CheckConstraint(
                condition=models.Q(reseller__isnull=True, reseller_code__isnull=True)
                | models.Q(reseller__isnull=False, reseller_code__isnull=False),
                name="customer_tag_is_reseller_and_code",
            ),
        ]
        indexes = [models.Index(fields=["provider", "reseller"], name="customer_by_reseller")]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The organisation, or the person where there is none."""
        return self.organisation or f"{self.first_name} {self.last_name}"


class TeamMember(ProviderOwned):
    """A person who acts for a customer in the account centre."""

    seen_by_customer = "customer_id"

    class TeamRole(models.TextChoices):
        ADMIN = "ADMIN"
        BILLING = "BILLING"
        TECHNICAL = "TECHNICAL"

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="team")
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="team_member"
    )
    role = models.CharField(max_length=9, choices=TeamRole.choices)
    created_at = models.DateTimeField()


class SignUpSettings(ProviderOwned):
    """How a provider takes in who signs up; without a row, everybody, as soon as they confirm.

    `currencies` are those offered besides the provider's own; nobody signs up by an address of
    `blocked_domains` (in lower case) or of a domain below one.
    """

    class Mode(models.TextChoices):
        SELF_SERVICE = "SELF_SERVICE", "Self-service"
        APPROVAL = "APPROVAL", "Approval needed"
        INVITATION = "INVITATION", "By invitation only"

    mode = models.CharField(max_length=12, choices=Mode.choices, default=Mode.SELF_SERVICE)
    currencies = ArrayField(models.CharField(max_length=3), default=list)
    blocked_domains = ArrayField(models.CharField(max_length=253), default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider"], name="one_sign_up_settings"),
        ]


class SignUpTerms(ProviderOwned):
    """One version of what customers agree to when they sign up; never changed once published."""

    version = models.PositiveIntegerField()
    text = models.TextField()
    published_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "version"], name="terms_version_unique"),
        ]

    def __str__(self) -> str:
        return f"Version {self.version}"


class Consent(ProviderOwned):
    """That a customer agreed to a version of the terms, when and from where."""

    seen_by_customer = "customer_id"

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="consents")
    terms = models.ForeignKey(SignUpTerms, on_delete=models.PROTECT, related_name="consents")
    agreed_at = models.DateTimeField()
    address = models.GenericIPAddressField(null=True)


class RateNotification(Tried, ProviderOwned):
    """A rate notice to one customer, or to a reseller in billing mode, with its file.

    `since` is the notice that they were sent before. Sent, or on its way, is only one that follows
    each notice: nobody is told the same twice.
    """

    class State(models.TextChoices):
        DRAFT = "DRAFT"
        QUEUED = "QUEUED"
        SENT = "SENT"
        FAILED = "FAILED"

    rate_table = models.ForeignKey(RateTable, on_delete=models.PROTECT, related_name="+")
    notice = models.ForeignKey(RateNotice, on_delete=models.CASCADE, related_name="notifications")
    since = models.ForeignKey(RateNotice, on_delete=models.PROTECT, null=True, related_name="+")
    file = models.ForeignKey(RateNoticeFile, on_delete=models.CASCADE, related_name="+")
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, null=True, related_name="rate_notifications"
    )
    reseller = models.ForeignKey(
        Reseller, on_delete=models.PROTECT, null=True, related_name="rate_notifications"
    )
    addresses = ArrayField(models.EmailField())
    state = models.CharField(max_length=6, choices=State.choices, default=State.DRAFT)
    queued_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(customer__isnull=True) ^ models.Q(reseller__isnull=True),
                name="rate_notification_to_one_party",
            ),
            models.UniqueConstraint(
                fields=["rate_table", "customer", "reseller", "since"],
                condition=models.Q(state__in=["QUEUED", "SENT"]),
                nulls_distinct=False,
                name="rate_notification_once",
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "-id"], name="rate_notification_customer"),
            models.Index(fields=["notice", "id"], name="rate_notification_notice"),
            models.Index(
                fields=["provider", "state"],
                condition=models.Q(state="FAILED"),
                name="rate_notification_failed",
            ),
        ]

    def mark_sent(self, at: datetime) -> None:
        """The mail server has taken it."""
        self.state, self.sent_at = self.State.SENT, at

    def mark_failed(self, error: str) -> None:
        """The mail server refused it or could not be reached, or it was given up."""
        self.state, self.error = self.State.FAILED, error[:300]
