from datetime import UTC, date, datetime
from decimal import Decimal

from catalogue.models import ExchangeRate
from tenancy.models import Provider
from tests.web.matrix import Page, staff


def rate(provider: Provider) -> dict[str, object]:
    entered = ExchangeRate.objects.create(
        provider=provider,
        from_currency="EUR",
        to_currency="USD",
        day=date(2026, 10, 1),
        rate=Decimal("1.0825"),
        entered_at=datetime(2026, 10, 1, 9, tzinfo=UTC),
    )
    return {"rate_id": entered.pk}


def any_pair(provider: Provider) -> dict[str, object]:
    """Of nobody: another provider sees the same page, with rates of its own."""
    return {"pair": "EUR-USD"}


PAGES = {
    "console_exchange_rates": Page(staff("catalogue.read")),
    "console_exchange_rate_enter": Page(staff("catalogue.write")),
    "console_exchange_rate_import": Page(staff("catalogue.write")),
    "console_exchange_rate_remove": Page(staff("catalogue.write"), rate),
    "console_exchange_pair": Page({**staff("catalogue.read"), "other provider": 200}, any_pair),
}
