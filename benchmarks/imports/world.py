"""A provider with large rate decks and many customers, and their calls."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from catalogue.models import Product, Rate, RateTable
from cdr.models import CustomerIdentifier, Source
from customers.models import Customer
from resellers.models import Reseller
from tests import factories

SEED = 20261001
START = datetime(2026, 10, 5, 8, tzinfo=UTC)
AT = datetime(2026, 10, 6, tzinfo=UTC)
CALLS_PER_SECOND = 200
RINGING_SECONDS = 6


def make_world(prefixes: int, customers: int) -> Source:
    """Customers of a reseller in billing mode, and a vendor of the provider's."""
    provider = factories.make_provider("bench")
    product = factories.make_product(provider)
    codes = make_codes(prefixes)
    retail, wholesale, cost = (make_deck(product, codes) for _ in range(3))
    terms = {"product": product, "rate_table": retail}
    factories.make_catalogue(provider, [terms], is_default=True)
    reseller = factories.make_reseller(provider)
    factories.make_billing_mode(reseller, wholesale)
    make_customers(reseller, customers)
    vendor = factories.make_vendor(cost)
    return factories.make_source(product, default_vendor=vendor, time_zone="UTC")


def make_codes(count: int) -> list[str]:
    """Prefixes of one to eight digits, nested, with every number under one of them."""
    random = np.random.default_rng(SEED)
    codes = {str(digit) for digit in range(1, 10)}
    while len(codes) < count:
        length = int(random.integers(3, 9))
        codes.add(str(random.integers(10 ** (length - 1), 10**length)))
    return sorted(codes)


def make_deck(product: Product, codes: list[str]) -> RateTable:
    table = factories.make_rate_table(product)
    rates = (
        Rate(
            provider=product.provider,
            rate_table=table,
            prefix=code,
            destination=f"Destination {code[:3]}",
            effective_from=factories.LONG_AGO,
            rate=Decimal(1 + number % 997).scaleb(-3),
            minimum=(1, 30, 60)[number % 3],
            increment=(1, 6, 60)[number % 3],
        )
        for number, code in enumerate(codes)
    )
    Rate.objects.bulk_create(rates, batch_size=5_000)
    return table


def make_customers(reseller: Reseller, count: int) -> None:
    """Customers with the account codes `acc00000` and so on."""
    code = factories.make_code(reseller)
    made = Customer.objects.bulk_create(
        Customer(
            provider=reseller.provider,
            number=number,
            first_name="Carl",
            last_name="Customer",
            email="customer@example.com",
            currency=reseller.currency,
            reseller=reseller,
            reseller_code=code,
            state=Customer.State.ACTIVE,
            channel=Customer.Channel.API,
            created_at=factories.LONG_AGO,
        )
        for number in range(count)
    )
    CustomerIdentifier.objects.bulk_create(
        CustomerIdentifier(
            provider=reseller.provider,
            kind=CustomerIdentifier.Kind.ACCOUNT_CODE,
            value=f"acc{number:05}",
            customer=customer,
        )
        for number, customer in enumerate(made)
    )


def random_accounts(lines: int, customers: int) -> NDArray[np.int64]:
    """For each call, which of the customers made it; all call alike."""
    return np.random.default_rng(SEED).integers(0, customers, lines)


def write_calls(
    path: Path,
    accounts: NDArray[np.int64],
    *,
    start: datetime = START,
    calls_per_second: float = CALLS_PER_SECOND,
) -> None:
    """Answered calls of these accounts in the order of their starts, as FreeSWITCH writes them."""
    random = np.random.default_rng(SEED)
    lines = len(accounts)
    frame = pl.DataFrame(
        {
            "offset": (np.arange(lines) / calls_per_second).astype(np.int64),
            "seconds": np.minimum(random.exponential(180, lines).astype(np.int64) + 1, 7200),
            "account": accounts,
            # Most calls go to few destinations.
            "code": 100 + random.zipf(1.5, lines) % 900,
            "number": random.integers(10**8, 10**9, lines),
            "high": random.integers(0, 10**15, lines),
            "low": random.integers(0, 10**15, lines),
        }
    )
    begin = pl.lit(start.replace(tzinfo=None)).cast(pl.Datetime("us"))
    begin += pl.duration(seconds=pl.col("offset"))
    answer = begin + pl.duration(seconds=RINGING_SECONDS)
    end = answer + pl.duration(seconds=pl.col("seconds"))
    stamps = [time.dt.to_string("%Y-%m-%d %H:%M:%S") for time in (begin, answer, end)]
    text = '"Caller","4930{}","{}{}","default","{}","{}","{}","{}","{}","NORMAL_CLEARING",'
    text += '"{}-{}","","acc{}","PCMA","PCMA"'
    line = pl.format(
        text,
        pl.col("account") + 1_000_000,
        "code",
        "number",
        *stamps,
        pl.col("seconds") + RINGING_SECONDS,
        "seconds",
        pl.col("high").cast(pl.String).str.zfill(18),
        pl.col("low").cast(pl.String).str.zfill(17),
        pl.col("account").cast(pl.String).str.zfill(5),
    )
    frame.select(line).write_csv(path, include_header=False, quote_style="never")
