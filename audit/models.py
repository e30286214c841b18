"""Who did what to what, never changed afterwards."""

from django.conf import settings
from django.db import models

from tenancy.models import ApiToken
from tenancy.owned import ProviderOwned


class Entry(ProviderOwned):
    """One change, with the values before and after. The database refuses to alter or remove it.

    `token` is the API token by which a program did it, which the database itself puts down: with
    an actor, it is theirs; without one, that of a service account.
    """

    at = models.DateTimeField()
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    token = models.ForeignKey(
        ApiToken, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    action = models.CharField(max_length=60)
    object_type = models.CharField(max_length=60)
    object_id = models.CharField(max_length=60)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    address = models.GenericIPAddressField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["provider", "object_type", "object_id"], name="audit_object"),
            models.Index(fields=["provider", "-at", "-id"], name="audit_at"),
            models.Index(fields=["provider", "actor", "-at", "-id"], name="audit_actor"),
            models.Index(fields=["provider", "action", "-at", "-id"], name="audit_action"),
        ]
