"""How old a demand is: the bands in which collectors look at what is due."""

from datetime import date

# Days after the last day to pay, each band's last one; what is older is in the last band.
_BAND_ENDS = (0, 30, 60, 90)
BAND_COUNT = len(_BAND_ENDS) + 1


def age_band(due_date: date | None, on: date) -> int:
    """0: not due yet (or without a date), then 1 to 30, 31 to 60 and 61 to 90 days late, older."""
    if due_date is None:
        return 0
    days = (on - due_date).days
    return next((band for band, end in enumerate(_BAND_ENDS) if days <= end), len(_BAND_ENDS))
