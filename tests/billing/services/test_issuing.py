"""Issuing a bill run: numbers, dates, postings, and never twice."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import connection

from billing.models import BillRun, BillRunItem, Invoice, NumberSeries
from billing.services import bill_run_work
from billing.services.bill_runs import approve_bill_run, start_issuing
from common.scope import Scope
from ledger.models import AccountKind, Transfer
from ledger.selectors import balance, ledger_faults, transfers
from resellers.models import Reseller
from tenancy.models import Provider
from tests.factories import (
    make_biller_entity,
    make_customer,
    make_provider,
    make_reseller,
    make_tax_profile,
)
from tests.factories.billing import (
    IN_NOVEMBER,
    calculate_run,
    invoice_of,
    issue_run,
    item_ids,
    make_chunk,
    make_usage,
)
from tests.race import race


@pytest.fixture
def provider() -> Provider:
    provider = make_provider()
    make_tax_profile(provider, "19")
    return provider


def in_issue(provider: Provider) -> BillRun:
    run = calculate_run(provider)
    approve_bill_run(run_id=run.pk, at=IN_NOVEMBER, actor_id=None)
    return start_issuing(run_id=run.pk, at=IN_NOVEMBER, actor_id=None)


def issue(run: BillRun, ids: list[int] | None = None) -> None:
    chosen = item_ids(run) if ids is None else ids
    bill_run_work.issue(run_id=run.pk, item_ids=chosen, at=IN_NOVEMBER)


def numbers(provider: Provider, kind: str = Invoice.Kind.CUSTOMER) -> list[str | None]:
    rows = Invoice.objects.filter(provider=provider, kind=kind)
    return list(rows.order_by("number").values_list("number", flat=True))


@pytest.mark.django_db
class TestAnIssuedInvoice:
    def test_has_number_dates_and_state(self, provider: Provider) -> None:
        customer = make_customer(provider)
        make_usage(customer, "100")

        run = issue_run(provider)

        invoice = invoice_of(customer)
        assert run.state == BillRun.State.ISSUED
        assert (invoice.state, invoice.number) == (Invoice.State.ISSUED, "INV-2026-000001")
        assert (invoice.issue_date, invoice.due_date) == (date(2026, 11, 3), date(2026, 11, 17))
        assert invoice.issued_at == IN_NOVEMBER
        assert run.items.get().state == BillRunItem.State.ISSUED

    def test_is_dated_in_the_provider_s_zone(self, provider: Provider) -> None:
        customer = make_customer(provider)
        make_usage(customer, "100")

        issue_run(provider, at=datetime(2026, 11, 30, 23, 30, tzinfo=UTC))

        assert invoice_of(customer).issue_date == date(2026, 12, 1)

    def test_carries_the_tag_of_the_day_of_issue(self, provider: Provider) -> None:
        reseller = make_reseller(provider)
        tagged, direct = make_customer(provider, reseller), make_customer(provider)
        for customer in (tagged, direct):
            make_usage(customer, "1")

        issue_run(provider)

        assert invoice_of(tagged).tagged_reseller == reseller
        assert invoice_of(direct).tagged_reseller is None

    def test_is_owed_by_the_customer_as_revenue_and_tax(self, provider: Provider) -> None:
        customer = make_customer(provider)
        make_usage(customer, "100")

        issue_run(provider)

        scope = Scope.system(provider.pk)
        moved = transfers(scope, document=f"invoice:{invoice_of(customer).pk}")
        assert [(row.debit.kind, row.credit.kind, row.amount) for row in moved] == [
            (AccountKind.CUSTOMER_RECEIVABLE, AccountKind.REVENUE, Decimal(100)),
            (AccountKind.CUSTOMER_RECEIVABLE, AccountKind.TAX, Decimal(19)),
        ]
        assert [row.effective_date for row in moved] == [date(2026, 11, 3)] * 2
        assert not ledger_faults(scope)

    def test_moves_no_tax_where_there_is_none(self, provider: Provider) -> None:
        make_usage(make_customer(provider, tax_category="EXEMPT"), "100")

        issue_run(provider)

        assert [row.kind for row in Transfer.objects.all()] == ["INVOICE_NET"]


@pytest.mark.django_db
class TestAnIssuedSettlementInvoice:
    @pytest.fixture
    def parent(self, provider: Provider) -> Reseller:
        return make_reseller(provider)

    def test_of_the_provider_is_revenue_and_has_its_own_series(
        self, provider: Provider, parent: Reseller
    ) -> None:
        make_usage(parent, "50")
        make_usage(make_customer(provider), "10")

        issue_run(provider)

        scope, owner = Scope.system(provider.pk), str(parent.pk)
        assert numbers(provider, Invoice.Kind.SETTLEMENT) == ["SET-2026-000001"]
        assert numbers(provider) == ["INV-2026-000001"]
        assert balance(
            scope, kind=AccountKind.RESELLER_RECEIVABLE, currency="EUR", owner=owner
        ) == Decimal("59.5")
        assert balance(scope, kind=AccountKind.REVENUE, currency="EUR") == Decimal(-60)
        assert balance(scope, kind=AccountKind.TAX, currency="EUR") == Decimal("-11.4")

    def test_of_a_parent_is_owed_to_the_parent_with_its_tax(
        self, provider: Provider, parent: Reseller
    ) -> None:
        child = make_reseller(provider, parent)
        make_usage(child, "100")

        issue_run(provider)

        scope = Scope.system(provider.pk)
        assert invoice_of(child).number == "SET-2026-000001"
        assert balance(
            scope, kind=AccountKind.RESELLER_RECEIVABLE, currency="EUR", owner=str(child.pk)
        ) == Decimal(119)
        assert balance(
            scope, kind=AccountKind.RESELLER_PAYABLE, currency="EUR", owner=str(parent.pk)
        ) == Decimal(-119)
        assert balance(scope, kind=AccountKind.REVENUE, currency="EUR") == 0

    def test_of_each_issuer_is_numbered_on_its_own(
        self, provider: Provider, parent: Reseller
    ) -> None:
        make_usage(parent, "1")
        make_usage(make_reseller(provider, parent), "2")

        issue_run(provider)

        assert numbers(provider, Invoice.Kind.SETTLEMENT) == ["SET-2026-000001"] * 2
        assert NumberSeries.objects.filter(kind="SETTLEMENT").count() == 2


@pytest.mark.django_db
class TestIssuingAgain:
    def test_changes_nothing(self, provider: Provider) -> None:
        customer = make_customer(provider)
        make_usage(customer, "1")
        run = in_issue(provider)
        issue(run)
        before = list(Invoice.objects.values_list())

        issue(run)

        assert list(Invoice.objects.values_list()) == before
        assert Transfer.objects.count() == 2
        assert NumberSeries.objects.get().next_number == 2

    def test_after_a_part_was_issued_does_the_rest(self, provider: Provider) -> None:
        chunk = make_chunk(provider)
        for _ in range(3):
            make_usage(make_customer(provider), "1", chunk=chunk)
        run = in_issue(provider)
        issue(run, item_ids(run)[:1])
        run.refresh_from_db()
        assert run.state == BillRun.State.ISSUING

        issue(run)

        run.refresh_from_db()
        assert run.state == BillRun.State.ISSUED
        assert numbers(provider) == [f"INV-2026-00000{n}" for n in (1, 2, 3)]


@pytest.mark.django_db
class TestABillerEntity:
    def test_numbers_its_own_invoices(self, provider: Provider) -> None:
        other = make_biller_entity(provider, is_default=False, credit_days=30)
        first, second = make_customer(provider), make_customer(provider, biller_entity=other)
        for customer in (first, second):
            make_usage(customer, "1")

        issue_run(provider)

        assert invoice_of(first).number == invoice_of(second).number == "INV-2026-000001"
        assert invoice_of(second).due_date == date(2026, 12, 3)


@pytest.mark.django_db(transaction=True)
class TestIssuingAtTheSameMoment:
    def test_leaves_no_gap_and_gives_no_number_twice(self, provider: Provider) -> None:
        chunk = make_chunk(provider)
        for _ in range(40):
            make_usage(make_customer(provider), "1", chunk=chunk)
        run = in_issue(provider)
        ids = item_ids(run)

        race(*[lambda part=ids[first::4]: issue(run, part) for first in range(4)])

        assert numbers(provider) == [f"INV-2026-{n:06}" for n in range(1, 41)]
        assert NumberSeries.objects.get().next_number == 41
        assert not ledger_faults(Scope.system(provider.pk))

    def test_of_the_same_items_issues_them_once(self, provider: Provider) -> None:
        chunk = make_chunk(provider)
        for _ in range(10):
            make_usage(make_customer(provider), "1", chunk=chunk)
        run = in_issue(provider)

        race(*[lambda: issue(run)] * 3)

        run.refresh_from_db()
        assert run.state == BillRun.State.ISSUED
        assert numbers(provider) == [f"INV-2026-{n:06}" for n in range(1, 11)]
        assert Transfer.objects.count() == 20


@pytest.mark.django_db(transaction=True)
class TestAnInvoiceThatCannotBeIssued:
    def test_leaves_no_gap_and_stops_nobody(self, provider: Provider) -> None:
        chunk = make_chunk(provider)
        customers = [make_customer(provider) for _ in range(5)]
        for customer in customers:
            make_usage(customer, "1", chunk=chunk)
        run = in_issue(provider)
        refuse_invoice(invoice_of(customers[2]).pk)
        try:
            issue(run)
        finally:
            allow_all_invoices()

        run.refresh_from_db()
        failed = run.items.get(state=BillRunItem.State.FAILED)
        assert numbers(provider)[:4] == [f"INV-2026-{n:06}" for n in range(1, 5)]
        assert (run.state, failed.customer) == (BillRun.State.FAILED, customers[2])
        assert "this one is refused" in failed.error
        assert run.error == "1 of 5 payers failed; see their items."

        issue_run(provider)

        run.refresh_from_db()
        assert run.state == BillRun.State.ISSUED
        assert numbers(provider) == [f"INV-2026-{n:06}" for n in range(1, 6)]


def refuse_invoice(invoice_id: int) -> None:
    """Let the database refuse one row, as no rule of ours would."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            CREATE FUNCTION refuse_one() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF NEW.id = {invoice_id} THEN
                    RAISE EXCEPTION 'this one is refused' USING ERRCODE = 'check_violation';
                END IF;
                RETURN NEW;
            END $$;
            CREATE TRIGGER refuse_one BEFORE UPDATE ON billing_invoice
                FOR EACH ROW EXECUTE FUNCTION refuse_one();
            """
        )


def allow_all_invoices() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER refuse_one ON billing_invoice; DROP FUNCTION refuse_one();")
