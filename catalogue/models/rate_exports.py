"""Rate tables as files to take away, written by workers."""

from datetime import datetime

from django.conf import settings
from django.db import models

from catalogue.models.rate_imports import RateImport
from catalogue.models.rate_tables import RateTable
from common.tries import Tried
from tenancy.owned import ProviderOwned


class RateExport(Tried, ProviderOwned):
    """A file of the rates of a table: all of them, or those in force `at` an instant.

    With a `rate_import` it is what that does, row by row, instead. `content` is as `table_file`
    keeps it, and gone some days after it was written; until then, whoever reads the table may take
    it.
    """

    class State(models.TextChoices):
        QUEUED = "QUEUED"
        DONE = "DONE"
        FAILED = "FAILED"

    class Format(models.TextChoices):
        CSV = "csv", "CSV"
        XLSX = "xlsx", "Excel"

    class PrefixLayout(models.TextChoices):
        ROWS = "rows", "A row for each prefix"
        LISTS = "lists", "Prefixes of the same terms in one cell, as 4420,4421"
        RANGES = "ranges", "The same with ranges, as 4420-4429"

    rate_table = models.ForeignKey(RateTable, on_delete=models.CASCADE, related_name="+")
    rate_import = models.ForeignKey(
        RateImport, on_delete=models.CASCADE, null=True, related_name="+"
    )
    format = models.CharField(max_length=4, choices=Format.choices)
    prefix_layout = models.CharField(max_length=6, choices=PrefixLayout.choices)
    at = models.DateTimeField(null=True)
    state = models.CharField(max_length=6, choices=State.choices, default=State.QUEUED)
    rate_count = models.PositiveIntegerField()
    done_count = models.PositiveIntegerField(default=0)
    content = models.BinaryField(null=True)
    requested_at = models.DateTimeField()
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    done_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["rate_table", "-requested_at", "-id"], name="rate_export_latest"),
        ]

    @property
    def file_name(self) -> str:
        """What the file is called where it is saved."""
        if self.rate_import_id is not None:
            return f"rate-import-{self.rate_import_id}-{self.pk}.{self.format}"
        return f"rates-{self.rate_table_id}-{self.pk}.{self.format}"

    def mark_done(self, content: bytes, done_count: int, at: datetime) -> None:
        """It is written, with so many rates."""
        self.state, self.content, self.done_count = self.State.DONE, content, done_count
        self.done_at = at
