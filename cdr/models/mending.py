"""What was done about suspense: who wanted what of which rows, how far it is, and corrections."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.functional import cached_property

from cdr.models.sources import IdentifiedBy, Source
from cdr.rules.mending import FIELDS, Change, ChangeKind, Choice
from common.tries import Tried
from tenancy.owned import ProviderOwned


class Mending(Tried, ProviderOwned):
    """Chosen suspense that is tried again, as it is or corrected, taken nevertheless, or discarded.

    Chosen is what is open, said by all that is filled in, and no younger than `last_id`. Chunks are
    worked on in the order of their ids, `done_chunk_id` being the last whose xDRs were, and
    `done_lines_chunk_id` the last whose lines were; the counters and `waiting_counts` (rows by
    reason) are written by the same transactions. `left_count` are rows that it does not concern:
    their text begins otherwise, or another leg of their xDR stands. One that FAILED was given up;
    what it did so far stays, and started again it goes on from there.
    """

    class Kind(models.TextChoices):
        RETRY = "RETRY", "Try again"
        CORRECT = "CORRECT", "Correct"
        ACCEPT = "ACCEPT", "Accept nevertheless"
        DISCARD = "DISCARD", "Discard"
        REOPEN = "REOPEN", "Take back what was discarded"

    class State(models.TextChoices):
        AT_WORK = "AT_WORK", "At work"
        DONE = "DONE"
        FAILED = "FAILED"

    kind = models.CharField(max_length=7, choices=Kind.choices)
    note = models.CharField(max_length=300, blank=True)
    reason = models.CharField(max_length=20, blank=True)
    source = models.ForeignKey(Source, models.PROTECT, related_name="+", null=True, db_index=False)
    named_by = models.CharField(max_length=12, choices=IdentifiedBy.choices, blank=True)
    subject = models.CharField(max_length=100, null=True)  # noqa: DJ001 - empty is a subject
    rate_table_id = models.BigIntegerField(null=True)
    customer_id = models.BigIntegerField(null=True)
    file_id = models.BigIntegerField(null=True)
    suspense_ids = ArrayField(models.BigIntegerField(), default=list)
    undone = models.ForeignKey("self", models.PROTECT, related_name="+", null=True, db_index=False)
    last_id = models.BigIntegerField()
    change = models.CharField(
        max_length=6, choices=[(each.value, each.value) for each in ChangeKind], blank=True
    )
    field = models.CharField(max_length=20, blank=True)
    old_text = models.TextField(blank=True)
    new_text = models.TextField(blank=True)
    state = models.CharField(max_length=7, choices=State.choices, default=State.AT_WORK)
    row_count = models.BigIntegerField()
    done_chunk_id = models.BigIntegerField(default=0)
    done_lines_chunk_id = models.BigIntegerField(default=0)
    freed_count = models.BigIntegerField(default=0)
    waiting_count = models.BigIntegerField(default=0)
    left_count = models.BigIntegerField(default=0)
    waiting_counts = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, db_index=False
    )
    queued_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"Mending {self.pk}"

    @cached_property
    def choice(self) -> Choice:
        """Which rows were chosen."""
        return Choice(
            reason=self.reason,
            source_id=self.source_id,
            named_by=self.named_by,
            subject=self.subject,
            rate_table_id=self.rate_table_id,
            customer_id=self.customer_id,
            file_id=self.file_id,
            suspense_ids=tuple(self.suspense_ids),
        )

    @property
    def correction(self) -> Change | None:
        """What is to be read otherwise than it was received."""
        if not self.change:
            return None
        return Change(ChangeKind(self.change), self.field, self.old_text, self.new_text)

    @property
    def done_count(self) -> int:
        """Rows dealt with so far."""
        return self.freed_count + self.waiting_count + self.left_count


_INSTANT = "%Y-%m-%d %H:%M:%S UTC"


class XdrCorrection(ProviderOwned):
    """What of an xDR is taken otherwise than it was received, beside it; null is as received.

    Whoever rates the xDR, also again, goes by the current one; earlier ones are kept. The mending
    says who wanted it and when. A start is corrected at the xDR itself, which it keeps in another
    place: `received_started_at` is the one that was received, where that is another.
    """

    started_at = models.DateTimeField()
    received_started_at = models.DateTimeField(null=True)
    xdr_id = models.BigIntegerField()
    account_code = models.CharField(max_length=64, null=True)  # noqa: DJ001 - null: as received
    trunk = models.CharField(max_length=64, null=True)  # noqa: DJ001
    caller_ip = models.CharField(max_length=45, null=True)  # noqa: DJ001
    caller_number = models.CharField(max_length=64, null=True)  # noqa: DJ001
    destination_number = models.CharField(max_length=64, null=True)  # noqa: DJ001
    mending = models.ForeignKey(Mending, on_delete=models.PROTECT, related_name="corrections")
    is_current = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "xdr_id"],
                condition=models.Q(is_current=True),
                name="xdr_correction_once_current",
            ),
        ]
        indexes = [models.Index(fields=["provider", "xdr_id"], name="xdr_correction_of")]

    @property
    def told(self) -> str:
        """The fields that it corrects, in words."""
        texts = {label: getattr(self, name) for name, label in FIELDS.items()}
        if self.received_started_at is not None:
            texts["Start"] = (
                f"{self.started_at:{_INSTANT}}, not {self.received_started_at:{_INSTANT}}"
            )
        return ", ".join(f"{label} “{text}”" for label, text in texts.items() if text is not None)


WIDTHS = {field.name: field.max_length or 0 for field in XdrCorrection._meta.local_fields}
"""How many characters the fields of a correction hold."""
