"""Credit notes: what they take back, where it goes, and never more than there is."""

from datetime import date
from decimal import Decimal

import pytest

from audit.models import Entry
from billing.models import CreditNote, CreditNoteLine, Invoice
from billing.services.credit_notes import (
    CreditAmountRefused,
    CreditExceedsInvoice,
    InvoiceNotIssued,
    LineNotCreditable,
    credit_amount,
    credit_in_full,
    credit_lines,
    creditable,
)
from billing.services.settlement import settle_invoice
from common.scope import Scope
from ledger.models import AccountKind
from ledger.selectors import balance, ledger_faults
from tenancy.models import Provider
from tests.factories import make_customer, make_provider, make_reseller, make_tax_profile
from tests.factories.billing import (
    IN_NOVEMBER,
    calculate_run,
    invoice_of,
    issue_run,
    make_charge,
    make_chunk,
    make_usage,
)
from tests.race import race
from tests.refusals import refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider() -> Provider:
    provider = make_provider()
    make_tax_profile(provider, "18")
    return provider


@pytest.fixture
def invoice(provider: Provider) -> Invoice:
    """An issued one over 1000.00 and 180.00 tax, in lines of 700, 200 and 100."""
    customer = make_customer(provider)
    chunk = make_chunk(provider)
    for destination, amount in (("Austria", "700"), ("Belgium", "200"), ("Croatia", "100")):
        make_usage(customer, amount, chunk=chunk, destination=destination)
    issue_run(provider)
    return invoice_of(customer)


def in_full(invoice: Invoice) -> CreditNote:
    return credit_in_full(invoice_id=invoice.pk, reason="Wrong", at=IN_NOVEMBER, actor_id=None)


def amount(invoice: Invoice, gross: str) -> CreditNote:
    return credit_amount(
        invoice_id=invoice.pk,
        gross_amount=Decimal(gross),
        reason="Agreed",
        at=IN_NOVEMBER,
        actor_id=None,
    )


def lines(invoice: Invoice, *line_ids: int) -> CreditNote:
    return credit_lines(
        invoice_id=invoice.pk, line_ids=line_ids, reason="Twice", at=IN_NOVEMBER, actor_id=None
    )


def line_ids(invoice: Invoice) -> list[int]:
    return list(invoice.lines.order_by("position").values_list("pk", flat=True))


def amounts(note: CreditNote) -> tuple[Decimal, Decimal, Decimal]:
    return (note.net_amount, note.tax_amount, note.gross_amount)


def held(invoice: Invoice, kind: AccountKind) -> Decimal:
    owned = kind in (AccountKind.CUSTOMER_RECEIVABLE, AccountKind.CUSTOMER_WALLET)
    owner = str(invoice.customer_id) if owned else ""
    return balance(Scope.system(invoice.provider_id), kind=kind, currency="EUR", owner=owner)


class TestCreditingInFull:
    def test_cancels_an_invoice_nobody_paid(self, invoice: Invoice) -> None:
        note = in_full(invoice)

        invoice.refresh_from_db()
        assert amounts(note) == (Decimal(1000), Decimal(180), Decimal(1180))
        assert (note.number, note.issue_date) == ("CN-2026-000001", date(2026, 11, 3))
        assert note.excess_amount == 0
        assert (invoice.state, invoice.due_amount) == (Invoice.State.CANCELLED, Decimal(0))
        assert held(invoice, AccountKind.CUSTOMER_RECEIVABLE) == 0
        assert held(invoice, AccountKind.REVENUE) == 0
        assert held(invoice, AccountKind.TAX) == 0
        assert not ledger_faults(Scope.system(invoice.provider_id))

    def test_is_recorded(self, invoice: Invoice) -> None:
        note = in_full(invoice)

        entry = Entry.objects.get(action="credit_note.issued")
        assert entry.object_id == str(note.pk)
        assert entry.after is not None
        assert entry.after["invoice"] == invoice.number

    def test_takes_back_what_earlier_notes_left(self, invoice: Invoice) -> None:
        amount(invoice, "333.33")

        note = in_full(invoice)

        assert note.gross_amount == Decimal("846.67")
        assert creditable(invoice).gross_amount == 0

    def test_a_second_time_is_refused(self, invoice: Invoice) -> None:
        in_full(invoice)

        with refused(CreditExceedsInvoice):
            in_full(invoice)

    def test_an_estimate_is_refused(self, provider: Provider) -> None:
        customer = make_customer(provider)
        make_charge(customer, "1")
        calculate_run(provider)

        with refused(InvoiceNotIssued):
            in_full(invoice_of(customer))

    def test_a_settlement_invoice_of_a_parent_takes_it_from_the_parent(
        self, provider: Provider
    ) -> None:
        parent = make_reseller(provider)
        child = make_reseller(provider, parent)
        make_usage(child, "100")
        issue_run(provider)

        in_full(invoice_of(child))

        scope = Scope.system(provider.pk)
        for kind, owner in (
            (AccountKind.RESELLER_RECEIVABLE, child),
            (AccountKind.RESELLER_PAYABLE, parent),
        ):
            assert balance(scope, kind=kind, currency="EUR", owner=str(owner.pk)) == 0
        assert invoice_of(child).state == Invoice.State.CANCELLED


class TestCreditingAnAmount:
    def test_splits_off_the_tax_and_lowers_the_due(self, invoice: Invoice) -> None:
        note = amount(invoice, "236")

        invoice.refresh_from_db()
        assert amounts(note) == (Decimal(200), Decimal(36), Decimal(236))
        assert (invoice.state, invoice.due_amount) == (Invoice.State.ISSUED, Decimal(944))
        assert held(invoice, AccountKind.CUSTOMER_RECEIVABLE) == 944

    def test_in_odd_parts_sums_to_the_whole(self, invoice: Invoice) -> None:
        for gross in ("0.01", "333.33", "333.33", "333.33"):
            amount(invoice, gross)
        in_full(invoice)

        notes = CreditNote.objects.all()
        assert sum(note.net_amount for note in notes) == 1000
        assert sum(note.tax_amount for note in notes) == 180

    def test_beyond_what_is_left_is_refused(self, invoice: Invoice) -> None:
        amount(invoice, "1000")

        with refused(CreditExceedsInvoice, "180"):
            amount(invoice, "180.01")

    @pytest.mark.parametrize("gross", ["0", "-1", "0.001", "NaN"])
    def test_that_is_no_amount_is_refused(self, invoice: Invoice, gross: str) -> None:
        with refused(CreditAmountRefused):
            amount(invoice, gross)


class TestCreditingLines:
    def test_takes_them_back_whole_with_their_tax(self, invoice: Invoice) -> None:
        first, _, third = line_ids(invoice)

        note = lines(invoice, first, third)

        assert amounts(note) == (Decimal(800), Decimal(144), Decimal(944))
        rows = CreditNoteLine.objects.order_by("position")
        assert [(row.description, row.net_amount) for row in rows] == [
            ("Austria", Decimal(700)),
            ("Croatia", Decimal(100)),
        ]

    def test_one_by_one_comes_to_the_whole(self, invoice: Invoice) -> None:
        for line_id in line_ids(invoice):
            lines(invoice, line_id)

        invoice.refresh_from_db()
        assert invoice.state == Invoice.State.CANCELLED

    def test_a_second_time_is_refused(self, invoice: Invoice) -> None:
        first, second, _ = line_ids(invoice)
        lines(invoice, first)

        with refused(LineNotCreditable):
            lines(invoice, first, second)

    def test_of_another_invoice_is_refused(self, invoice: Invoice) -> None:
        other = make_customer(make_provider())
        make_charge(other, "5")
        issue_run(other.provider)

        with refused(LineNotCreditable):
            lines(invoice, *line_ids(invoice_of(other)))

    def test_that_were_credited_by_amount_already_is_refused(self, invoice: Invoice) -> None:
        amount(invoice, "1000")

        with refused(CreditExceedsInvoice):
            lines(invoice, line_ids(invoice)[0])


class TestCreditingAPaidInvoice:
    def test_keeps_the_excess_as_advance(self, invoice: Invoice) -> None:
        settle_invoice(invoice_id=invoice.pk, amount=Decimal(1180))

        note = amount(invoice, "236")

        invoice.refresh_from_db()
        assert note.excess_amount == Decimal(236)
        assert (invoice.state, invoice.credited_amount) == (Invoice.State.PAID, Decimal(0))
        assert held(invoice, AccountKind.CUSTOMER_WALLET) == Decimal(-236)
        assert held(invoice, AccountKind.REVENUE) == Decimal(-800)

    def test_in_part_first_lowers_the_due(self, invoice: Invoice) -> None:
        settle_invoice(invoice_id=invoice.pk, amount=Decimal(1080))

        note = in_full(invoice)

        invoice.refresh_from_db()
        assert note.excess_amount == Decimal(1080)
        assert (invoice.state, invoice.due_amount) == (Invoice.State.PAID, Decimal(0))
        assert invoice.settled_amount + invoice.credited_amount == invoice.gross_amount
        assert held(invoice, AccountKind.CUSTOMER_WALLET) == Decimal(-1080)

    def test_still_never_credits_more_than_the_invoice(self, invoice: Invoice) -> None:
        settle_invoice(invoice_id=invoice.pk, amount=Decimal(1180))
        amount(invoice, "1000")

        with refused(CreditExceedsInvoice):
            amount(invoice, "180.01")


@pytest.mark.django_db(transaction=True)
class TestCreditingAtTheSameMoment:
    def test_never_takes_more_than_there_is_and_leaves_no_gap(self, invoice: Invoice) -> None:
        outcomes = race(*[lambda: amount(invoice, "500")] * 4)

        numbers = CreditNote.objects.order_by("number").values_list("number", flat=True)
        assert list(numbers) == ["CN-2026-000001", "CN-2026-000002"]
        assert [type(outcome) for outcome in outcomes].count(CreditExceedsInvoice) == 2
