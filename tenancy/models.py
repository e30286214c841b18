"""Providers, the people who sign in, and what staff may do."""

from datetime import datetime
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models.functions import Lower

from common.money import Rounding, RoundingScope
from common.tries import Tried
from tenancy.owned import ProviderOwned


class Provider(models.Model):
    """The tenant: the service provider who sells, serves and bills."""

    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=200)
    currency = models.CharField(max_length=3)
    time_zone = models.CharField(max_length=64)
    staff_need_second_factor = models.BooleanField(default=False)
    logo_sha256 = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class BillerEntity(ProviderOwned):
    """The legal entity of a provider named as seller on an invoice."""

    name = models.CharField(max_length=200)
    address = models.TextField()
    country = models.CharField(max_length=2)
    tax_number = models.CharField(max_length=40)
    registration = models.CharField(max_length=100, blank=True)
    email = models.EmailField()
    phone = models.CharField(max_length=40, blank=True)
    bank_details = models.TextField(blank=True)
    accent_colour = models.CharField(max_length=7, default="#1f4fd8")
    rounding = models.CharField(
        max_length=9, choices=[(r.value, r.value) for r in Rounding], default=Rounding.HALF_UP
    )
    rounding_scope = models.CharField(
        max_length=7,
        choices=[(scope.value, scope.value) for scope in RoundingScope],
        default=RoundingScope.LINE,
    )
    credit_days = models.PositiveSmallIntegerField(default=14)
    is_default = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider"],
                condition=models.Q(is_default=True),
                name="one_default_biller_entity",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Logo(ProviderOwned):
    """A picture that a provider's pages and documents wear, or wore: PNG, named by its content.

    The provider's `logo_sha256` says which one is worn now, if any.
    """

    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "sha256"], name="logo_kept_once"),
        ]


class Users(BaseUserManager["User"]):
    """Finds users by e-mail without regard to case."""

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser):
    """A person who signs in by e-mail (kept in lower case); memberships say what they may do.

    One who left stays, as what they did stays, until somebody takes them in again.
    """

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=200, blank=True)
    is_active = models.BooleanField(default=True)
    is_operator = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True, blank=True)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = Users()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(email=Lower("email")), name="user_email_in_lower_case"
            ),
            models.CheckConstraint(
                condition=models.Q(left_at__isnull=True) | models.Q(is_active=False),
                name="user_who_left_cannot_sign_in",
            ),
        ]

    def __str__(self) -> str:
        return self.email


class Role(ProviderOwned):
    """A named set of permission codes; seven are built in for every provider."""

    name = models.CharField(max_length=60)
    is_built_in = models.BooleanField(default=False)
    permissions = ArrayField(models.CharField(max_length=60))

    class Meta:
        constraints = [
            models.UniqueConstraint("provider", Lower("name"), name="role_name_unique"),
        ]

    def __str__(self) -> str:
        return self.name


class Membership(ProviderOwned):
    """A member of the provider's staff and the role they hold there."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="memberships")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "user"], name="one_role_per_user"),
        ]


class ApiToken(ProviderOwned):
    """What a program shows to act for a member of staff, or for a service account.

    A member's token can do what its scopes name and their role holds, at any time; once they leave
    it can do nothing. A service account is a token that stands on its own, under a role. The token
    is shown once, when it is made: its SHA-256 is kept, and its beginning to know it by.
    """

    name = models.CharField(max_length=100)
    membership = models.ForeignKey(
        Membership, on_delete=models.PROTECT, null=True, related_name="api_tokens"
    )
    role = models.ForeignKey(Role, on_delete=models.PROTECT, null=True, related_name="api_tokens")
    scopes = ArrayField(models.CharField(max_length=40))
    networks = ArrayField(models.CharField(max_length=43), default=list)
    shown_start = models.CharField(max_length=12)
    secret_hash = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    last_used_at = models.DateTimeField(null=True)
    last_used_from = models.GenericIPAddressField(null=True)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(membership__isnull=True, role__isnull=False)
                | models.Q(membership__isnull=False, role__isnull=True),
                name="api_token_of_member_or_role",
            ),
            models.CheckConstraint(
                condition=models.Q(expires_at__gt=models.F("created_at")),
                name="api_token_expires_after_creation",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def holder(self) -> str:
        """Whom it acts for: a member of staff by e-mail, or a service account."""
        return str(self.membership.user) if self.membership else "Service account"


class AnsweredCall(ProviderOwned):
    """The answer to a program's call that named itself by a key, to be given again word for word.

    `fingerprint` is the SHA-256 of what was asked: the same key with another question is refused.
    """

    token = models.ForeignKey(ApiToken, on_delete=models.CASCADE, related_name="answers")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    body = models.TextField()
    location = models.CharField(max_length=255, blank=True)
    answered_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["token", "key"], name="call_answered_once"),
        ]
        indexes = [BrinIndex(fields=["answered_at"], name="call_answered_at", autosummarize=True)]


class Invitation(Tried, ProviderOwned):
    """One link by which somebody new chooses a password: mailed to them, or handed over.

    `inviter` is who the e-mail says has invited them.
    """

    class State(models.TextChoices):
        QUEUED = "QUEUED"
        SENT = "SENT"
        FAILED = "FAILED"
        HANDED = "HANDED", "Handed over"

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="invitations")
    inviter = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=6, choices=State.choices, default=State.QUEUED)
    requested_at = models.DateTimeField()
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    sent_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state="SENT", sent_at__isnull=False)
                | ~models.Q(state="SENT") & models.Q(sent_at__isnull=True),
                name="invitation_sent_at_some_time",
            ),
        ]

    def mark_sent(self, at: datetime) -> None:
        """The mail server has taken it."""
        assert self.state == self.State.QUEUED
        self.state = self.State.SENT
        self.sent_at = at

    def mark_failed(self, error: str) -> None:
        """The mail server refused it or could not be reached, or it was given up."""
        assert self.state == self.State.QUEUED
        self.state = self.State.FAILED
        self.error = error[:300]
