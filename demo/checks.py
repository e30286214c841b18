"""Compares what the product says of the demo's month with the independent sums."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet, Sum

from billing.models import CreditNote, Document, Invoice
from cdr.models import (
    AllowanceCounter,
    CustomerIdentifier,
    Leg,
    LegKind,
    PartyKind,
    TierTotal,
    UsageCharge,
    XdrChunk,
)
from common.money import ZERO, round_money
from customers.models import Customer
from demo.expected import PROVIDER, Amounts, Expected, ExpectedInvoice
from demo.payments import BULK_AMOUNT, CREDITED_AMOUNT, offline_plan
from demo.plans import PERIOD, ProviderPlan
from payments.models import Payment
from payouts.models import Accrual
from resellers.models import Reseller, ResellerCode, Vendor
from tenancy.models import Provider


@dataclass(frozen=True)
class Check:
    """One figure, as it must be and as it is."""

    what: str
    expected: object
    found: object

    @property
    def holds(self) -> bool:
        """Whether both are the same, to the last digit."""
        return self.expected == self.found


class Comparison:
    """All checks of one provider's month."""

    def __init__(self, plan: ProviderPlan, provider: Provider, expected: Expected) -> None:
        self._plan = plan
        self._provider = provider
        self._expected = expected
        codes = ResellerCode.objects.filter(provider=provider)
        self._reseller_ids = {code.code: code.reseller_id for code in codes}
        self._codes = {0: PROVIDER} | {pk: code for code, pk in self._reseller_ids.items()}
        identifiers = CustomerIdentifier.objects.filter(
            provider=provider, kind=CustomerIdentifier.Kind.ACCOUNT_CODE
        )
        self._customer_ids = {each.value: each.customer_id for each in identifiers}
        self._by_card = customer_by_card(provider)
        self._in_bulk = customer_in_bulk(provider)

    def checks(self) -> Iterator[Check]:
        """Every figure, from the lines read to the commission owed."""
        yield from self._file_counts()
        yield from self._usage()
        yield from self._margins()
        yield from self._invoices()
        yield from self._settlements()
        yield from self._documents()
        yield from self._payments()
        yield from self._commission()

    def _file_counts(self) -> Iterator[Check]:
        sums = XdrChunk.objects.filter(provider=self._provider).aggregate(
            read=Sum("line_count"),
            rated=Sum("rated_count"),
            zero=Sum("zero_count"),
            duplicate=Sum("duplicate_count"),
            suspended=Sum("suspended_count"),
        )
        for name, expected in self._expected.counts.items():
            yield Check(f"lines {name}", expected, sums[name])

    def _usage(self) -> Iterator[Check]:
        for code, by_destination in self._expected.customer_usage.items():
            found = self._charged(LegKind.CUSTOMER, PartyKind.CUSTOMER, self._customer_ids[code])
            yield Check(f"usage of {code}", _without_zeros(by_destination), found)
        counters = AllowanceCounter.objects.filter(provider=self._provider)
        used = counters.values_list("customer_id").annotate(Sum("used_volume"))
        home_seconds = {self._customer_ids[c]: s for c, s in self._expected.home_seconds.items()}
        yield Check("seconds used of allowances", home_seconds, dict(used))
        totals = TierTotal.objects.filter(provider=self._provider)
        stored = {self._customer_ids[c]: m for c, m in self._expected.stored.items()}
        yield Check("megabytes stored", stored, dict(totals.values_list("customer_id", "volume")))
        for code, by_destination in self._expected.wholesale.items():
            found = self._charged(LegKind.RESELLER, PartyKind.RESELLER, self._reseller_ids[code])
            yield Check(f"reseller legs of {code}", _without_zeros(by_destination), found)
        for vendor in Vendor.objects.filter(provider=self._provider):
            rows = self._usage_charges().filter(kind=LegKind.VENDOR, payee_id=vendor.pk)
            expected = self._expected.vendor_cost[vendor.name]
            yield Check(f"cost of {vendor.name}", expected, _total(rows))

    def _usage_charges(self) -> "QuerySet[UsageCharge]":
        return UsageCharge.objects.filter(provider=self._provider)

    def _charged(self, kind: LegKind, payer_kind: PartyKind, payer_id: int) -> Amounts:
        rows = self._usage_charges().filter(kind=kind, payer_kind=payer_kind, payer_id=payer_id)
        sums = rows.values_list("destination").annotate(Sum("amount"))
        return _without_zeros(dict(sums))

    def _margins(self) -> Iterator[Check]:
        """From the legs themselves: what each party earned less what it paid."""
        margins: Amounts = dict.fromkeys(self._codes.values(), ZERO)
        legs = Leg.objects.filter(provider=self._provider)
        for party, sign in (("payee", 1), ("payer", -1)):
            side = f"usage_charge__{party}"
            own = Q((f"{side}_kind__in", [PartyKind.PROVIDER, PartyKind.RESELLER]))
            sums = legs.filter(own).values_list(f"{side}_id").annotate(Sum("amount"))
            for pk, amount in sums:
                margins[self._codes[pk]] += sign * amount
        for code, found in margins.items():
            expected = self._expected.margins.get(code, ZERO)
            yield Check(f"margin of {code or self._plan.name}", expected, found)
        charged = _total(legs.filter(kind=LegKind.CUSTOMER))
        cost = _total(legs.filter(kind=LegKind.VENDOR))
        yield Check("sum of all margins", charged - cost, sum(margins.values(), ZERO))

    def _issued(self) -> "QuerySet[Invoice]":
        return Invoice.objects.filter(
            provider=self._provider, period_from=PERIOD.from_date, period_to=PERIOD.to_date
        ).exclude(number=None)

    def _invoices(self) -> Iterator[Check]:
        rows = self._issued().filter(kind=Invoice.Kind.CUSTOMER)
        found = {row.customer_id: row for row in rows}
        yield Check("invoices", len(self._expected.invoices), len(found))
        for code, expected in self._expected.invoices.items():
            yield _invoice_check(
                f"invoice of {code}", expected, found.get(self._customer_ids[code])
            )
        numbers = sorted(row.number or "" for row in rows)
        counted = sorted({int(number.rsplit("-", 1)[-1]) for number in numbers})
        yield Check("invoice numbers without a gap", list(range(1, len(numbers) + 1)), counted)

    def _settlements(self) -> Iterator[Check]:
        rows = self._issued().filter(kind=Invoice.Kind.SETTLEMENT)
        found = {self._codes[row.reseller_id or 0]: row for row in rows}
        yield Check("resellers invoiced", sorted(self._expected.settlements), sorted(found))
        for code, expected in self._expected.settlements.items():
            yield _invoice_check(f"settlement of {code}", expected, found.get(code))

    def _documents(self) -> Iterator[Check]:
        issued = self._issued().count()
        notes = CreditNote.objects.filter(provider=self._provider).count()
        rows = Document.objects.filter(provider=self._provider)
        contents = rows.values_list("content", flat=True)
        pdfs = [content for content in contents if bytes(content or b"").startswith(b"%PDF-")]
        yield Check("documents as PDF", issued + notes, len(pdfs))

    def _payments(self) -> Iterator[Check]:
        """Of the payments the demo made; those made by hand since are nobody's expectation."""
        made = Payment.objects.filter(provider=self._provider, created_by=None)
        received = made.filter(state=Payment.State.SUCCEEDED)
        expected = dict.fromkeys(Payment.Way.values, ZERO)
        bounced = ZERO
        for customer, invoice in self._customers_and_invoices():
            if customer == self._by_card:
                expected[Payment.Way.INVOICE] += invoice.gross_amount
            elif customer == self._in_bulk:
                expected[Payment.Way.BULK] += BULK_AMOUNT
            elif offline := offline_plan(customer.number):
                paid = round_money(invoice.gross_amount * offline.share, self._plan.currency)
                bounced += paid if offline.bounces else ZERO
                expected[Payment.Way.OFFLINE] += ZERO if offline.bounces else paid
        for way, amount in expected.items():
            yield Check(f"paid, {way.lower()}", amount, _total(received.filter(way=way)))
        reversed_sum = _total(made.filter(state=Payment.State.REVERSED))
        yield Check("reversed", bounced, reversed_sum)

    def _customers_and_invoices(self) -> Iterator[tuple[Customer, ExpectedInvoice]]:
        codes = {pk: code for code, pk in self._customer_ids.items()}
        for customer in Customer.objects.filter(provider=self._provider).order_by("number"):
            yield customer, self._expected.invoices[codes[customer.pk]]

    def _commission(self) -> Iterator[Check]:
        for plan in self._plan.resellers:
            if plan.commission is None:
                continue
            rows = Accrual.objects.filter(reseller_id=self._reseller_ids[plan.code]).filter(
                Q(allocation=None) | Q(allocation__payment__created_by=None)
            )
            expected = sum(self._earned(plan.code), ZERO)
            yield Check(f"commission of {plan.code}", expected, _total(rows))

    def _earned(self, code: str) -> Iterator[Decimal]:
        terms = next(p.commission for p in self._plan.resellers if p.code == code)
        assert terms is not None
        for customer, invoice in self._customers_and_invoices():
            if customer.reseller_id != self._reseller_ids[code]:
                continue
            bases = [invoice.net_amount]
            if terms.base == "COLLECTED_NET":
                bases = self._collected(customer, invoice)
            elif customer == self._by_card:
                bases.append(-self._credited(invoice))
            for base in bases:
                yield round_money(base * terms.percent / 100, self._plan.currency)

    def _collected(self, customer: Customer, invoice: ExpectedInvoice) -> list[Decimal]:
        """What was paid of the invoice's net, and what a credit note gave back of it."""
        if customer == self._by_card:
            return [invoice.net_amount, -self._credited(invoice)]
        offline = offline_plan(customer.number)
        if offline is None or offline.bounces:
            return []
        paid = round_money(invoice.gross_amount * offline.share, self._plan.currency)
        return [round_money(paid * invoice.net_amount / invoice.gross_amount, self._plan.currency)]

    def _credited(self, invoice: ExpectedInvoice) -> Decimal:
        return round_money(
            CREDITED_AMOUNT * invoice.net_amount / invoice.gross_amount, self._plan.currency
        )


def customer_by_card(provider: Provider) -> Customer:
    """The first customer of the provider's last reseller."""
    reseller = Reseller.objects.filter(provider=provider).latest("number")
    return Customer.objects.filter(provider=provider, reseller=reseller).earliest("number")


def customer_in_bulk(provider: Provider) -> Customer:
    """The provider's first customer that no reseller brought."""
    return Customer.objects.filter(provider=provider, reseller=None).earliest("number")


def _invoice_check(what: str, expected: ExpectedInvoice, found: Invoice | None) -> Check:
    wanted = (expected.net_amount, expected.tax_amount, expected.gross_amount)
    there = found and (found.net_amount, found.tax_amount, found.gross_amount)
    return Check(what, wanted, there)


def _without_zeros(amounts: Amounts) -> Amounts:
    return {name: amount for name, amount in amounts.items() if amount}


def _total(rows: "QuerySet[Any]") -> Decimal:
    total: Decimal | None = rows.aggregate(total=Sum("amount"))["total"]
    return total or ZERO
