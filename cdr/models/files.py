"""Files of xDRs and the chunks they are rated in."""

from django.conf import settings
from django.db import models

from cdr.models.sources import Source
from common.tries import Tried
from tenancy.owned import ProviderOwned


class XdrFile(Tried, ProviderOwned):
    """One file of xDRs as received; the same bytes are refused a second time.

    `header` has the lines in front that name its columns, for whoever reads a part of it. `store`
    is the mark of the folder that its text was put into: a worker without it may have another
    folder of that name, and cannot tell that the text is gone. `error` says why the file FAILED, or
    what it waits for while it has not.
    """

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
    store = models.CharField(max_length=32, blank=True)
    header = models.TextField(blank=True)
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
        indexes = [
            models.Index(
                fields=["provider", "source", "received_at"],
                condition=models.Q(state__in=["RECEIVED", "RATING"]),
                name="xdr_file_waiting",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def mark_failed(self, error: str) -> None:
        """The file cannot be rated, and why; what was rated of it stays."""
        self.state, self.error = self.State.FAILED, error
        self.save(update_fields=["state", "error"])

    def note_waiting(self, error: str) -> None:
        """The file is left as it is for somebody else to go on with, and why."""
        self.error = error
        self.save(update_fields=["error"])


class XdrChunk(Tried, ProviderOwned):
    """Consecutive lines of a file that are rated and committed in one transaction.

    The counters are written by that transaction; a file's counts are the sums of its chunks.
    Each line read is exactly one of rated, zero, duplicate, suspended or blank; `suspended` counts
    lines none of whose legs stand, `partly_suspended` those of the rated with a leg in suspense.
    They tell what the import did: what suspense releases later does not change them. `queued_at` is
    when a worker was last asked for the chunk. `source` is its file's, and `newest_started_at` the
    latest start of an xDR that it brought, so that one look into an index tells how far behind a
    source is. One that FAILED was given up: it brought nothing, and can be started again.
    """

    class State(models.TextChoices):
        WAITING = "WAITING"
        DONE = "DONE"
        FAILED = "FAILED"

    file = models.ForeignKey(XdrFile, on_delete=models.PROTECT, related_name="chunks")
    source = models.ForeignKey(Source, models.PROTECT, related_name="+", db_index=False)
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
    newest_started_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["file", "number"], name="chunk_number_unique"),
            models.CheckConstraint(
                condition=models.Q(state__in=["WAITING", "FAILED"])
                | models.Q(
                    line_count=models.F("rated_count")
                    + models.F("zero_count")
                    + models.F("duplicate_count")
                    + models.F("suspended_count")
                    + models.F("blank_count")
                ),
                name="chunk_lines_all_counted",
            ),
        ]
        indexes = [
            models.Index(fields=["source", "-newest_started_at"], name="chunk_newest"),
            models.Index(fields=["provider", "finished_at"], name="chunk_finished"),
            models.Index(
                fields=["provider", "source"],
                condition=models.Q(state__in=["WAITING", "FAILED"]),
                name="chunk_open",
            ),
        ]
