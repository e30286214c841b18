"""Sound books of two providers, and each way in which somebody could make them unsound."""

import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.core.management import call_command

from billing.models import CreditNote, Invoice
from billing.services.credit_notes import credit_amount
from common.commands import Refused
from common.faults import Fault
from common.periods import month
from common.scope import Scope
from payments.models import Payment
from payments.services.reversal import reverse_payment
from payouts.models import PayoutStatement
from payouts.services.accrual import accrue
from payouts.services.approving import approve_statement, settle_statement
from payouts.services.preparing import prepare_statements
from reports.selectors.verification import verify
from reports.tasks import verify_ledgers
from tenancy.models import Provider
from tests.factories import make_customer, make_provider, make_reseller, make_tax_profile
from tests.factories.billing import invoice_of, issue_run, make_usage
from tests.factories.payouts import make_plan, pay
from tests.tampering import tamper

PAID_AT = datetime(2026, 11, 10, 9, tzinfo=UTC)
LATER = datetime(2026, 12, 5, 9, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def trade(provider: Provider) -> None:
    """A month with all there is: invoices, a settlement, payments, a reversal, credit, payouts."""
    make_tax_profile(provider, "19")
    meridian = make_reseller(provider)
    solstice = make_reseller(provider, parent=meridian)
    make_plan(meridian)
    payer, debtor = make_customer(provider, meridian), make_customer(provider)
    for customer in (payer, debtor):
        make_usage(customer, "100")
    make_usage(solstice, "10")
    issue_run(provider)
    pay(payer, "150", at=PAID_AT)
    bounced = pay(debtor, "50", at=PAID_AT, reference="cheque 1")
    reverse_payment(payment=bounced, reason="bounced", at=PAID_AT, actor_id=None)
    credit_amount(
        invoice_id=invoice_of(payer).pk,
        gross_amount=Decimal("23.80"),
        reason="Agreed",
        at=PAID_AT,
        actor_id=None,
    )
    accrue(provider_id=provider.pk, at=LATER)
    (statement,) = prepare_statements(
        provider_id=provider.pk, period=month(2026, 11), at=LATER, actor_id=None
    )
    approve_statement(statement=statement, at=LATER, actor_id=None)
    settle_statement(
        statement=statement,
        settled_date=date(2026, 12, 5),
        mode=PayoutStatement.Mode.BANK_TRANSFER,
        reference="SEPA 1",
        at=LATER,
        actor_id=None,
    )


@pytest.fixture
def provider() -> Provider:
    """One of two providers that both traded."""
    trade(make_provider("borealis"))
    provider = make_provider("aurora")
    trade(provider)
    return provider


def found(provider: Provider) -> list[Fault]:
    other = Provider.objects.exclude(pk=provider.pk).get()
    assert verify(Scope.system(other.pk)).faults == []
    return verify(Scope.system(provider.pk)).faults


MORE_NET = "net_amount = net_amount + 1, gross_amount = gross_amount + 1"
# Where to tamper, what to set in which rows, and what must hold and then does not.
TAMPERED = [
    ("ledger_account", "balance = balance + 1", "kind = 'TAX'", "balance = sum of transfers"),
    ("ledger_account", "balance = balance + 1", "kind = 'TAX'", "trial balance is zero"),
    ("billing_invoice", MORE_NET, "kind = 'CUSTOMER'", "invoice = its transfers"),
    ("billing_invoice", MORE_NET, "kind = 'CUSTOMER'", "receivable = what is due"),
    ("billing_invoice", MORE_NET, "kind = 'SETTLEMENT'", "payable = commission + collected"),
    (
        "billing_invoice",
        "settled_amount = settled_amount - 1",
        "settled_amount > 0",
        "settled amount = allocations",
    ),
    (
        "billing_invoice",
        "credited_amount = credited_amount + 1",
        "settled_amount = 0",
        "credited amount = credit notes",
    ),
    ("billing_invoice", "state = 'PAID'", "state = 'ISSUED'", "state follows from the amounts"),
    ("billing_creditnote", MORE_NET, "net_amount > 0", "credit note = its transfers"),
    (
        "payments_payment",
        "amount = amount + 1",
        "state = 'SUCCEEDED'",
        "payment = its transfers",
    ),
    ("payments_payment", "state = 'FAILED'", "state = 'SUCCEEDED'", "payment = its transfers"),
    ("payments_payment", "state = 'SUCCEEDED'", "state = 'REVERSED'", "wallet + allocations"),
    ("payments_payment", "amount = 1", "state = 'SUCCEEDED'", "allocations of a payment never"),
    ("payments_allocation", "amount = amount + 1", "id > 0", "allocation = its transfer"),
    ("payments_allocation", "undone_at = NULL", "undone_at > '2026-01-01'", "allocation = its"),
    ("payouts_accrual", "amount = amount + 1", "amount > 0", "commission = its transfer"),
    (
        "payouts_payoutstatement",
        "closing_amount = closing_amount + 1, opening_amount = opening_amount + 1",
        "state = 'SETTLED'",
        "settled statement = its transfer",
    ),
]


class TestVerify:
    def test_finds_nothing_in_sound_books_and_says_how_much_it_looked_at(
        self, provider: Provider
    ) -> None:
        result = verify(Scope.system(provider.pk))

        assert result.faults == []
        assert result.compared == {
            "accounts": 10,
            "transfers": 18,
            "invoices": 3,
            "credit notes": 1,
            "payers": 3,
            "payments": 2,
            "allocations": 2,
            "wallets": 2,
            "accruals": 2,
            "payout statements": 1,
            "payables": 1,
        }

    @pytest.mark.parametrize(("table", "change", "rows", "what"), TAMPERED)
    def test_finds_what_was_changed_by_hand(
        self, provider: Provider, table: str, change: str, rows: str, what: str
    ) -> None:
        tamper(table, f"UPDATE {table} SET {change} WHERE {rows} AND provider_id = {provider.pk}")

        assert [fault for fault in found(provider) if fault.what.startswith(what)]

    @pytest.mark.parametrize(
        ("kind", "what"),
        [
            ("INVOICE_NET", "invoice = its transfers"),
            ("SETTLEMENT_TAX", "invoice = its transfers"),
            ("CREDIT_NOTE_NET", "credit note = its transfers"),
            ("COMMISSION_CLAWBACK", "commission = its transfer"),
            ("PAYOUT", "settled statement = its transfer"),
            ("PAYMENT", "payment = its transfers"),
        ],
    )
    def test_finds_a_transfer_of_the_wrong_amount(
        self, provider: Provider, kind: str, what: str
    ) -> None:
        tamper(
            "ledger_transfer",
            "UPDATE ledger_transfer SET amount = amount + 1"
            f" WHERE kind = '{kind}' AND provider_id = {provider.pk}",
        )

        assert what in {fault.what for fault in found(provider)}

    def test_names_the_document_and_both_sides(self, provider: Provider) -> None:
        note = CreditNote.objects.get(provider=provider)
        tamper(
            "billing_creditnote",
            "UPDATE billing_creditnote SET net_amount = net_amount - 1, tax_amount = tax_amount + 1"
            f" WHERE id = {note.pk}",
        )

        assert found(provider) == [
            Fault(
                "credit note = its transfers",
                f"credit_note:{note.pk}",
                "net 20.0000, tax 3.8000, to the wallet 23.8000",
                "net 19.0000, tax 4.8000, to the wallet 23.8000",
            )
        ]

    def test_finds_a_document_that_went_missing(self, provider: Provider) -> None:
        note = CreditNote.objects.get(provider=provider)
        tamper(
            "billing_creditnotetax",
            f"DELETE FROM billing_creditnotetax WHERE credit_note_id = {note.pk}",
        )
        tamper(
            "payouts_accrual",
            f"DELETE FROM payouts_accrual WHERE credit_note_id = {note.pk}",
        )
        tamper("billing_creditnote", f"DELETE FROM billing_creditnote WHERE id = {note.pk}")

        assert Fault(
            "credit note = its transfers",
            f"credit_note:{note.pk}",
            "net 20.0000, tax 3.8000, to the wallet 23.8000",
            "nothing",
        ) in found(provider)

    def test_finds_a_payment_that_was_never_booked(self, provider: Provider) -> None:
        pending = Payment.objects.filter(provider=provider).first()
        assert pending is not None
        pending.pk = None
        pending.order_number = "forged"
        pending.save()

        assert [fault.what for fault in found(provider)] == [
            "payment = its transfers",
            "wallet + allocations = payments + credit",
        ]

    def test_finds_an_estimate_that_moved_money(self, provider: Provider) -> None:
        invoice = Invoice.objects.filter(provider=provider, state="ISSUED", kind="CUSTOMER").get()
        tamper(
            "billing_invoice",
            f"UPDATE billing_invoice SET state = 'ESTIMATE', number = NULL WHERE id = {invoice.pk}",
        )

        assert [fault.found for fault in found(provider)] == ["nothing", "0.0000"]


class TestTheCommand:
    def test_proves_all_providers_in_a_line_each(self, provider: Provider) -> None:
        out = io.StringIO()

        call_command("verify_ledger", stdout=out)

        aurora, borealis = out.getvalue().splitlines()
        assert aurora.startswith("aurora: accounts 10, transfers 18, invoices 3, credit notes 1")
        assert aurora.endswith(": all agree")
        assert borealis.startswith("borealis: accounts 10")

    def test_exits_with_1_and_a_table_when_something_does_not_agree(
        self, provider: Provider
    ) -> None:
        tamper(
            "payments_payment",
            "UPDATE payments_payment SET amount = amount + 1"
            f" WHERE state = 'SUCCEEDED' AND provider_id = {provider.pk}",
        )
        out = io.StringIO()

        with pytest.raises(SystemExit) as exit:
            call_command("verify_ledger", stdout=out)

        assert exit.value.code == 1
        assert "aurora: accounts 10" in out.getvalue()
        assert "2 faults" in out.getvalue()
        assert "payment = its transfers" in out.getvalue()

    def test_looks_only_at_the_provider_that_was_asked_for(self, provider: Provider) -> None:
        tamper(
            "payments_payment",
            "UPDATE payments_payment SET amount = amount + 1"
            f" WHERE state = 'SUCCEEDED' AND provider_id = {provider.pk}",
        )
        out = io.StringIO()

        call_command("verify_ledger", "--provider=borealis", stdout=out)

        assert out.getvalue().count("\n") == 1

    def test_refuses_a_provider_there_is_none_of(self) -> None:
        with pytest.raises(Refused, match="There is no provider 'nowhere'"):
            call_command("verify_ledger", "--provider=nowhere")


class TestTheNightlyTask:
    def test_logs_each_fault_and_nothing_worse_than_that_for_sound_books(
        self, provider: Provider, caplog: pytest.LogCaptureFixture
    ) -> None:
        verify_ledgers()
        assert not caplog.records

        tamper(
            "payments_payment",
            "UPDATE payments_payment SET amount = amount + 1"
            f" WHERE state = 'SUCCEEDED' AND provider_id = {provider.pk}",
        )
        verify_ledgers()

        assert len(caplog.records) == 2
        assert "The books of aurora are unsound" in caplog.text
        assert "payment = its transfers" in caplog.text
