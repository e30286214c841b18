"""What currencies are worth by day."""

from django.db import models

from catalogue.rules.exchange_rates import RATE_DECIMALS, RATE_DIGITS
from tenancy.owned import ProviderOwned


class ExchangeRate(ProviderOwned):
    """On one day, what one unit of a currency is in another.

    Nothing is converted when it is charged; rates say what amounts are in another currency.
    """

    from_currency = models.CharField(max_length=3)
    to_currency = models.CharField(max_length=3)
    day = models.DateField()
    rate = models.DecimalField(max_digits=RATE_DIGITS, decimal_places=RATE_DECIMALS)
    entered_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "from_currency", "to_currency", "day"],
                name="exchange_rate_unique",
            ),
            models.CheckConstraint(condition=models.Q(rate__gt=0), name="exchange_rate_positive"),
            models.CheckConstraint(
                condition=~models.Q(from_currency=models.F("to_currency")),
                name="exchange_rate_of_two_currencies",
            ),
        ]
        indexes = [
            models.Index(
                fields=["provider", "-day", "from_currency", "to_currency"],
                name="exchange_rate_by_day",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.from_currency} to {self.to_currency} on {self.day}"
