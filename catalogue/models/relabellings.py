"""Names of a code deck brought into the rates of a table."""

from datetime import datetime

from django.conf import settings
from django.db import models

from catalogue.models.rate_tables import CodeDeck, RateTable
from common.tries import Tried
from tenancy.owned import ProviderOwned


class Relabelling(Tried, ProviderOwned):
    """One run that gives the rates of a table the destinations of its code deck; nothing else."""

    class State(models.TextChoices):
        QUEUED = "QUEUED"
        DONE = "DONE"
        FAILED = "FAILED"

    rate_table = models.ForeignKey(RateTable, on_delete=models.PROTECT, related_name="+")
    code_deck = models.ForeignKey(CodeDeck, on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=6, choices=State.choices, default=State.QUEUED)
    renamed_count = models.PositiveIntegerField(default=0)
    requested_at = models.DateTimeField()
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    done_at = models.DateTimeField(null=True)

    def mark_done(self, renamed_count: int, at: datetime) -> None:
        """So many rates have another destination now."""
        self.state, self.renamed_count, self.done_at = self.State.DONE, renamed_count, at
