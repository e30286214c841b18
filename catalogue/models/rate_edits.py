"""Changes of many rates at once."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from catalogue.models.rate_tables import RateTable
from common.tries import Tried
from tenancy.owned import ProviderOwned


class RateBatchEdit(Tried, ProviderOwned):
    """One change of many rates of a table: asked for in the console, made by a worker at once.

    `edit` is as `catalogue.rules.rate_edits.written` writes it; `revision` that of the table when
    it was asked for: of a table changed since it does nothing. Once done, `rate_ids` are the rates
    that it changed or closed, and `changed_from` is the first instant whose price is another.
    """

    class State(models.TextChoices):
        WAITING = "WAITING"
        DONE = "DONE"
        FAILED = "FAILED"

    rate_table = models.ForeignKey(RateTable, on_delete=models.PROTECT, related_name="edits")
    rate_ids = ArrayField(models.BigIntegerField())
    edit = models.JSONField()
    revision = models.PositiveBigIntegerField()
    state = models.CharField(max_length=7, choices=State.choices, default=State.WAITING)
    error = models.TextField(blank=True)
    continued_count = models.PositiveIntegerField(default=0)
    corrected_count = models.PositiveIntegerField(default=0)
    left_count = models.PositiveIntegerField(default=0)
    changed_from = models.DateTimeField(null=True)
    asked_at = models.DateTimeField()
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["asked_at"],
                condition=models.Q(state="WAITING"),
                name="rate_edit_waiting",
            ),
        ]

    def __str__(self) -> str:
        return f"Edit {self.pk} of {self.rate_table}"
