"""What xDRs are known by besides their own starts and keys."""

from django.db import models

from tenancy.owned import ProviderOwned


class XdrIdentity(ProviderOwned):
    """Another start and key by which a stored xDR is known, so that it is not stored once more.

    Where a line is corrected before it is read, the xDR is stored under what the corrected line
    says, and known as well by what the line says that was received. Where the start or a number of
    a stored xDR is corrected, it is known by what was received, and as well by what it is taken
    for: that goes (`is_received` is false) with the correction.
    """

    started_at = models.DateTimeField()
    dedup_key = models.UUIDField()
    xdr_started_at = models.DateTimeField()
    xdr_id = models.BigIntegerField()
    is_received = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "started_at", "dedup_key"], name="xdr_identity_once"
            ),
        ]
        indexes = [models.Index(fields=["provider", "xdr_id"], name="xdr_identity_of")]
