"""What the demo's customers keep in the cloud: a line of usage for each, every third night."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from catalogue.rules.items import Terms
from catalogue.rules.tiers import TierModel
from demo.customers import customers_of
from demo.plans import PERIOD, ProviderPlan

STORED_EVERY = 3
"""Of the customers that no reseller brought, every third has storage."""

_NIGHTS = 3
_MEASURED_AT = time(2)
_CODES = ("hot", "cold")
_LEAST_MEGABYTES, _MOST_MEGABYTES_MORE = 2_500, 60_000


@dataclass(frozen=True, slots=True)
class Stored:
    """What an account kept at an instant, as the metered code `code`."""

    account_code: str
    at: datetime
    code: str
    megabytes: int

    @property
    def line(self) -> str:
        """As a source in the product's own JSON format reads it."""
        fields = {
            "call_id": f"{self.account_code}-{self.at:%m%d}",
            "account_code": self.account_code,
            "started_at": self.at.isoformat(),
            "destination_number": self.code,
            "volume": self.megabytes,
        }
        return json.dumps(fields)


def has_storage(plan: ProviderPlan, number: int) -> bool:
    """Whether the customer with that number subscribes to storage."""
    return (
        bool(plan.storage_tiers) and number <= plan.direct_customers and not number % STORED_EVERY
    )


def storage_terms(plan: ProviderPlan) -> Terms:
    """What storage costs in every catalogue of the provider."""
    tiers = ";".join(f"{gigabytes}:{price}" for gigabytes, price in plan.storage_tiers)
    return Terms(currency=plan.currency, tier_model=TierModel.GRADUATED, tiers=tiers)


def storage_of(plan: ProviderPlan) -> list[Stored]:
    """The month's lines, night by night; the same plan gives the same lines."""
    return [stored for day in range(0, PERIOD.days, _NIGHTS) for stored in _night(plan, day)]


def _night(plan: ProviderPlan, day: int) -> Iterator[Stored]:
    at = datetime.combine(PERIOD.from_date + timedelta(days=day), _MEASURED_AT, plan.zone)
    for number, customer in enumerate(customers_of(plan), start=1):
        if has_storage(plan, number):
            more = (7_919 * number + 1_237 * day) % _MOST_MEGABYTES_MORE
            code = _CODES[day % len(_CODES)]
            yield Stored(customer.account.account_code, at, code, _LEAST_MEGABYTES + more)
