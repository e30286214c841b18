"""What is told of a rate table: how it was, and what changed since somebody was told before."""

from datetime import datetime

from django.conf import settings
from django.db import models

from catalogue.models.rate_tables import RateTable
from common.tries import Tried
from tenancy.owned import ProviderOwned


class RateNotice(Tried, ProviderOwned):
    """One round of telling those who pay by a rate table what has changed in it.

    `snapshot` is how the table was then, with what it takes from its parents: the next round
    compares with it. `revisions` are those of the table and its parents, by which a notice is known
    to be out of date.
    """

    class State(models.TextChoices):
        PREPARING = "PREPARING"
        PREPARED = "PREPARED"
        SENT = "SENT"
        DISCARDED = "DISCARDED"
        FAILED = "FAILED"

    class Format(models.TextChoices):
        CSV = "csv", "CSV"
        XLSX = "xlsx", "Excel"

    rate_table = models.ForeignKey(RateTable, on_delete=models.PROTECT, related_name="notices")
    format = models.CharField(max_length=4, choices=Format.choices)
    state = models.CharField(max_length=9, choices=State.choices, default=State.PREPARING)
    revisions = models.JSONField(default=list)
    snapshot = models.BinaryField(null=True)
    rate_count = models.PositiveIntegerField(default=0)
    recipient_count = models.PositiveIntegerField(default=0)
    unchanged_count = models.PositiveIntegerField(default=0)
    requested_at = models.DateTimeField()
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    prepared_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["rate_table"],
                condition=models.Q(state__in=["PREPARING", "PREPARED"]),
                name="one_open_rate_notice",
            ),
        ]
        indexes = [
            models.Index(fields=["rate_table", "-requested_at", "-id"], name="rate_notice_latest"),
        ]

    def __str__(self) -> str:
        return f"notice {self.pk}"

    def mark_prepared(self, recipients: int, unchanged: int, at: datetime) -> None:
        """So many are to be told something, and so many know it all."""
        self.state, self.prepared_at = self.State.PREPARED, at
        self.recipient_count, self.unchanged_count = recipients, unchanged


class RateNoticeFile(ProviderOwned):
    """The file of one notice for those who were told last by `since`; None: never before.

    `changes` are how many there are by kind, `examples` the first of them as they are in the file;
    `content` is as `table_file` keeps it.
    """

    notice = models.ForeignKey(RateNotice, on_delete=models.CASCADE, related_name="files")
    since = models.ForeignKey(RateNotice, on_delete=models.PROTECT, null=True, related_name="+")
    changes = models.JSONField()
    examples = models.JSONField()
    content = models.BinaryField()

    @property
    def name(self) -> str:
        """What the file is called where it is attached or saved."""
        return f"rates-{self.notice.prepared_at:%Y-%m-%d}-{self.pk}.{self.notice.format}"
