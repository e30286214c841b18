"""xDRs and their legs, in monthly partitions."""

from django.db import models

from catalogue.rules.tags import TAGS_CHARACTERS
from cdr.models.files import XdrChunk
from cdr.models.in_charge import InCharge
from cdr.models.sources import Source
from cdr.rules.suspense import Result as Outcome
from customers.models import Customer
from resellers.models import Vendor
from tenancy.models import Provider
from tenancy.owned import ProviderOwned


class Xdr(ProviderOwned):
    """A usage detail record as received; partitioned by month of `started_at`.

    What was received is never edited: corrections are beside it (`XdrCorrection`). Only the start,
    which says where it is stored, is the corrected one, and the received one beside it. The
    parties, the tags and the result follow where suspense is released or it is rated again. `tags`
    are all that
    it carried when it was rated, parted by commas: those received with its line, and those of its
    source, its trunk and what named its customer. That it ended at a customer (`on-net`) is told by
    `terminating_customer` and not repeated.
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
        DISCARDED = Outcome.DISCARDED.value

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
    call_id = models.CharField(max_length=255)
    account_code = models.CharField(max_length=64)
    trunk = models.CharField(max_length=64)
    caller_ip = models.CharField(max_length=45)
    caller_number = models.CharField(max_length=64)
    destination_number = models.CharField(max_length=64)
    normalised_number = models.CharField(max_length=32)
    duration_seconds = models.IntegerField()
    volume = models.BigIntegerField()
    hangup_cause = models.CharField(max_length=40)
    received_tags = models.CharField(max_length=TAGS_CHARACTERS, db_default="", default="")
    tags = models.CharField(max_length=4 * TAGS_CHARACTERS + 3, db_default="", default="")
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


class Leg(InCharge):
    """One party's charge for one xDR; partitioned like the xDRs."""

    pk = models.CompositePrimaryKey("provider_id", "started_at", "xdr_id", "number")
