"""Which months the database still takes xDRs of."""

from datetime import date

from cdr.models import RetiredMonth
from common.periods import month


def first_day_taken() -> date | None:
    """The day (UTC) after the months that were taken out of the database; None if none was."""
    last = RetiredMonth.objects.order_by("-first_day").values_list("first_day", flat=True).first()
    return None if last is None else month(last.year, last.month).to_date
