"""What the demo's October must come to, worked out call by call without the rating engine.

Plain Python over the calls as the generator made them: the longest prefix from a dictionary, one
multiplication, one rounding. The demo compares every figure of the product with these.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from itertools import zip_longest

from demo.calls import Call
from demo.customers import CustomerPlan, customers_of
from demo.plans import ProviderPlan
from demo.rate_deck import DeckRate, build_rate_deck
from demo.storage import Stored, storage_of
from demo.traffic import Traffic

PROVIDER = ""
_SIXTH_DECIMAL = Decimal("0.000001")
_CENT = Decimal("0.01")

Amounts = dict[str, Decimal]


def _sums() -> Amounts:
    return defaultdict(Decimal)


@dataclass(frozen=True)
class ExpectedInvoice:
    """One payer's October: usage by destination, all other lines, and the totals."""

    usage: Amounts
    net_amount: Decimal
    tax_amount: Decimal

    @property
    def gross_amount(self) -> Decimal:
        """What is to be paid."""
        return self.net_amount + self.tax_amount


@dataclass
class Expected:
    """All sums of a provider's month; parties are named by reseller code, empty: the provider.

    `home_seconds` are those that each account's block of numbers includes, which cost nothing;
    `stored` are the megabytes that each account kept in the month.
    `customer_usage` is by account code and destination, `wholesale` by payer, then destination,
    `vendor_cost` by vendor name, `margins` by party.
    """

    counts: dict[str, int]
    home_seconds: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    stored: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    customer_usage: dict[str, Amounts] = field(default_factory=lambda: defaultdict(_sums))
    wholesale: dict[str, Amounts] = field(default_factory=lambda: defaultdict(_sums))
    vendor_cost: Amounts = field(default_factory=_sums)
    margins: Amounts = field(default_factory=_sums)
    invoices: dict[str, ExpectedInvoice] = field(default_factory=dict)
    settlements: dict[str, ExpectedInvoice] = field(default_factory=dict)


def expect(plan: ProviderPlan, traffic: Traffic) -> Expected:
    """The sums that follow from the plan and its traffic."""
    storage = storage_of(plan)
    expected = Expected(counts=_counts(traffic, storage))
    book = _Book(plan)
    for call in traffic.rated_calls:
        _add_call(expected, book, call)
    for stored in storage:
        _add_storage(expected, plan, stored)
    most = 60 * plan.home_minutes
    assert max(expected.home_seconds.values(), default=0) <= most, "the order of calls matters"
    for code, customer in book.customers.items():
        other = _other_lines(plan, customer, book.customer_numbers[code])
        expected.invoices[code] = _invoice(plan, expected.customer_usage[code], other)
    for payer, usage in expected.wholesale.items():
        expected.settlements[payer] = _invoice(plan, usage, [])
    return expected


def _counts(traffic: Traffic, storage: list[Stored]) -> dict[str, int]:
    manifest = traffic.manifest
    return {
        "read": manifest.lines + len(storage),
        "rated": manifest.rated + len(storage),
        "zero": manifest.failed + manifest.zero_duration,
        "duplicate": manifest.duplicates,
        "suspended": manifest.unknown_account + manifest.unrated + manifest.broken,
    }


class _Book:
    """What prices and owners a call meets."""

    def __init__(self, plan: ProviderPlan) -> None:
        self.plan = plan
        customers = customers_of(plan)
        self.customers = {c.account.account_code: c for c in customers}
        self.customer_numbers = {code: at for at, code in enumerate(self.customers, start=1)}
        self.owner_of_number = {n: c for c in customers for n in c.account.numbers}
        self.parents = {r.code: r.parent_code for r in plan.resellers}
        self.billed = {r.code for r in plan.resellers if r.is_billed_by_parent}
        self.vendors = {v.tech_prefix: v for v in plan.vendors}
        self.voice_shares = {c.name: c.voice_share for c in plan.catalogues}
        self._rates = {rate.prefix: rate for rate in build_rate_deck(plan.currency).rates}

    def is_included(self, call: Call) -> bool:
        """Whether the customer has a block of numbers, which includes calls to the country."""
        has_block = self.customer_numbers[call.account_code] % 4 == 0
        is_home = call.number.startswith(self.plan.calling_code)
        return bool(self.plan.home_minutes) and has_block and is_home

    def rate_of(self, number: str) -> DeckRate:
        """The rate of the longest prefix of the number."""
        for length in range(len(number), 0, -1):
            if rate := self._rates.get(number[:length]):
                return rate
        raise LookupError(f"{number} is not in the deck, yet the traffic has it as rated")

    def line_of(self, code: str) -> list[str]:
        """A reseller, its parent and so on, up to and with the provider."""
        line = [code]
        while line[-1] != PROVIDER:
            line.append(self.parents[line[-1]])
        return line


def _add_call(expected: Expected, book: _Book, call: Call) -> None:
    customer = book.customers[call.account_code]
    rate = book.rate_of(call.number)
    seconds = call.billable_seconds
    retail = _cost(rate, book.voice_shares[customer.catalogue], seconds)
    if book.is_included(call):
        expected.home_seconds[call.account_code] += seconds
        retail = Decimal(0)
    expected.customer_usage[call.account_code][rate.destination] += retail
    expected.margins[customer.reseller_code] += retail
    wholesale = _cost(rate, book.plan.wholesale_share, seconds)
    for payer in _resellers_billed(book, call, customer):
        expected.wholesale[payer][rate.destination] += wholesale
        expected.margins[payer] -= wholesale
        expected.margins[book.parents[payer]] += wholesale
    if not call.on_net:
        vendor = book.vendors[call.tech_prefix]
        cost = _cost(rate, vendor.price_share, seconds)
        expected.vendor_cost[vendor.name] += cost
        expected.margins[vendor.owner_code] -= cost


def _add_storage(expected: Expected, plan: ProviderPlan, stored: Stored) -> None:
    """Charged is what the month costs with it, less what it cost without it."""
    before = expected.stored[stored.account_code]
    expected.stored[stored.account_code] = after = before + stored.megabytes
    charged = _storage_price(plan, after) - _storage_price(plan, before)
    expected.customer_usage[stored.account_code][stored.code] += charged
    expected.margins[PROVIDER] += charged


def _storage_price(plan: ProviderPlan, megabytes: int) -> Decimal:
    """Tier by tier, a thousandth of the price of a gigabyte for every megabyte within it."""
    price = Decimal(0)
    ends = [gigabytes for gigabytes, _ in plan.storage_tiers[1:]]
    for (start, rate), end in zip_longest(plan.storage_tiers, ends):
        upper = megabytes if end is None else min(megabytes, 1000 * end)
        price += max(upper - 1000 * start, 0) * rate / 1000
    return price


def _resellers_billed(book: _Book, call: Call, customer: CustomerPlan) -> Iterator[str]:
    """Those in billing mode below whoever carried the call: the vendor's owner, or on the net the
    nearest reseller (or the provider) above both ends."""
    line = book.line_of(customer.reseller_code)
    if call.on_net:
        other = book.line_of(book.owner_of_number[call.number].reseller_code)
        carrier = next(code for code in line if code in other)
    else:
        carrier = book.vendors[call.tech_prefix].owner_code
    for code in line:
        if code == carrier:
            return
        if code in book.billed:
            yield code


def _cost(rate: DeckRate, share: Decimal, seconds: int) -> Decimal:
    """The price of a call: at least the minimum, then whole increments, rounded once."""
    beyond = max(seconds - rate.minimum, 0)
    billed = rate.minimum + -(-beyond // rate.increment) * rate.increment
    return (rate.rate * share * billed / 60).quantize(_SIXTH_DECIMAL, ROUND_HALF_UP)


def _other_lines(plan: ProviderPlan, customer: CustomerPlan, number: int) -> list[Decimal]:
    """Lines in advance are charged for October, begun in it, and for November; others once."""
    share = next(c.price_share for c in plan.catalogues if c.name == customer.catalogue)
    line = plan.prices["line"] * share * (1 + number % 3)
    lines = [line, line]
    if number % 4 == 0:
        lines.append(plan.prices["numbers"] * share)
    if number % 10 == 0:
        lines.append(plan.prices["set-up"] * share)
    return lines


def _invoice(plan: ProviderPlan, usage: Amounts, other: list[Decimal]) -> ExpectedInvoice:
    lines = [_to_cent(amount) for amount in [*usage.values(), *other]]
    net = sum(lines, Decimal(0))
    return ExpectedInvoice(dict(usage), net, _to_cent(net * plan.tax_percent / 100))


def _to_cent(amount: Decimal) -> Decimal:
    return amount.quantize(_CENT, ROUND_HALF_UP)
