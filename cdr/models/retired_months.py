"""Which months' xDRs are kept in files outside the database."""

from django.db import models


class RetiredMonth(models.Model):
    """A month (UTC) whose xDRs and legs were written to files and taken out of the database.

    `first_day` names it. `folder` is where its files were put, `manifest` what they hold: a copy of
    the one beside them, by which they are known again. Usage charges stay, and with them all that
    invoices and reports are made of. A month that was brought back has no row.
    """

    first_day = models.DateField(unique=True)
    folder = models.CharField(max_length=500)
    manifest = models.JSONField()
    retired_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.first_day:%Y-%m}"
