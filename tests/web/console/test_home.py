from datetime import timedelta
from decimal import Decimal

import pytest

from billing.models import BillRun
from cdr.models import Suspense, SuspenseReason, XdrFile
from common.clock import now
from customers.models import Customer
from payments.models import Payment, WebhookEvent
from payouts.services.preparing import prepare_statement
from resellers.models import ResellerModule
from tenancy.models import Provider
from tests.factories import (
    LONG_AGO,
    make_catalogue,
    make_code,
    make_customer,
    make_provider,
    make_reseller,
)
from tests.factories.billing import issue_run, make_charge, make_chunk, make_usage
from tests.factories.payments import make_invoice
from tests.factories.payouts import OCTOBER, day, issue
from tests.web.console.pages import as_role, page, query_count

pytestmark = pytest.mark.django_db
HOME = "/console/"


@pytest.fixture
def provider() -> Provider:
    """Next to one that has everything double."""
    other = make_provider()
    make_usage(make_customer(other), "66")
    make_invoice(make_customer(other), "77", issued_at=now() - timedelta(days=90))
    make_chunk(other)
    return make_provider(name="Aurora Telecom")


def read(provider: Provider, role: str = "Admin") -> str:
    return page(as_role(provider, role), HOME)


def money(amount: str, currency: str = "EUR") -> str:
    return f'{amount} <span class="currency">{currency}'


def suspend(provider: Provider, amount: str = "0.25") -> Suspense:
    chunk = make_chunk(provider)
    return Suspense.objects.create(
        provider=provider,
        source=chunk.file.source,
        chunk=chunk,
        line_number=1,
        raw="",
        reason=SuspenseReason.UNRATED_CUSTOMER,
        detail="",
        estimated_amount=Decimal(amount),
        currency="EUR",
        created_at=LONG_AGO,
    )


def make_payment(provider: Provider, state: str, age: timedelta) -> Payment:
    return Payment.objects.create(
        provider=provider,
        customer=make_customer(provider),
        way=Payment.Way.BULK,
        mode=Payment.Mode.GATEWAY,
        gateway="sandbox",
        order_number=f"O-{state}-{age.total_seconds()}",
        currency="EUR",
        amount=10,
        state=state,
        transaction_date=now().date(),
        created_at=now() - age,
    )


class TestTheFigures:
    def test_of_the_month_are_by_currency_and_less_credit(self, provider: Provider) -> None:
        reseller = make_reseller(provider)
        make_code(reseller)
        issue(make_customer(provider, reseller), "1000", "180", at=now())
        issue(make_customer(provider), "200", "36", at=now())
        issue(make_customer(provider, currency="USD"), "50", "0", at=now())
        issue(make_customer(provider), "4000", "0", at=now() - timedelta(days=70))

        text = read(provider)

        assert money("1,200.00") in text
        assert money("50.00", "USD") in text
        assert "1,250.00" not in text
        assert text.index("Reseller sales this month") < text.index(money("1,000.00"))

    def test_of_what_is_due_tell_what_is_late(self, provider: Provider) -> None:
        make_invoice(make_customer(provider), "30", issued_at=now() - timedelta(days=60))
        make_invoice(make_customer(provider), "12", issued_at=now())

        text = read(provider)

        assert money("42.00") in text
        assert money("30.00") in text
        assert 'href="/console/billing/invoices/?state=OVERDUE">on 1 invoice<' in text

    def test_of_what_is_unbilled_start_anew_after_a_run(self, provider: Provider) -> None:
        customer = make_customer(provider)
        make_usage(customer, "5", created_at=now() - timedelta(days=2))
        make_charge(customer, "7")
        make_usage(make_customer(provider, is_billable=False), "900")
        before = read(provider)
        issue_run(provider, at=now() - timedelta(days=1))
        make_usage(customer, "3", created_at=now())

        after = read(provider)

        assert money("12.00") in before
        assert money("3.00") in after
        assert "912.00" not in before

    def test_of_suspense_and_the_latest_run(self, provider: Provider) -> None:
        suspend(provider)
        suspend(provider)
        run = issue_run(provider)

        text = read(provider)

        assert "<dd>2</dd>" in text
        assert money("0.50") in text
        assert f'href="/console/billing/runs/{run.pk}/"' in text
        assert "For 2026-10-01 to 2026-10-31" in text


class TestWhatNeedsSomebody:
    def test_is_nothing_at_first(self, provider: Provider) -> None:
        assert "Nothing waits for you." in read(provider)

    def test_is_counted_and_leads_to_its_list(self, provider: Provider) -> None:
        suspend(provider)
        make_chunk(provider).file.mark_failed("Unreadable")
        stuck = make_chunk(provider).file
        XdrFile.objects.filter(pk=stuck.pk).update(state=XdrFile.State.RATING)
        BillRun.objects.create(
            provider=provider,
            period_from=OCTOBER.from_date,
            period_to=OCTOBER.to_date,
            state=BillRun.State.REVIEW,
            created_at=now(),
        )
        make_payment(provider, "FAILED", timedelta(days=1))
        make_payment(provider, "FAILED", timedelta(days=30))
        make_payment(provider, "PENDING", timedelta(days=2))
        make_payment(provider, "PENDING", timedelta(minutes=5))
        for event_id, state in (("1", "REFUSED"), ("2", "RECEIVED"), ("3", "APPLIED")):
            WebhookEvent.objects.create(
                provider=provider,
                gateway="sandbox",
                event_id=event_id,
                body=b"",
                state=state,
                received_at=now() - timedelta(hours=1),
            )
        prepare_statement(
            reseller=make_reseller(provider),
            period=OCTOBER,
            currency="EUR",
            at=day(11, 2),
            actor_id=None,
        )
        make_customer(provider, state=Customer.State.DRAFT)

        text = read(provider)

        for count, what, path in (
            (1, "xDR files that failed", "usage/files/?state=FAILED"),
            (1, "xDR files that have not moved for half an hour", "usage/files/"),
            (1, "xDRs and legs in suspense", "usage/suspense/"),
            (1, "Bill runs with estimates waiting for approval", "billing/runs/"),
            (1, "Payments that failed in the last seven days", "payments/?state=FAILED"),
            (1, "Payments that a gateway has not answered", "payments/?state=PENDING"),
            (2, "Messages of gateways that match no payment", "payments/messages/"),
            (1, "Payout statements to approve", "payouts/?state=DRAFT"),
            (1, "Customers who are not active yet", "customers/?state=DRAFT"),
        ):
            alert = text[text.index(what) :]
            assert alert[alert.index(">", alert.index("badge")) + 1 :].startswith(f"{count}<")
            assert f'href="{HOME}{path}' in text

    def test_is_not_a_file_that_moves(self, provider: Provider) -> None:
        chunk = make_chunk(provider)
        chunk.finished_at = now() - timedelta(minutes=1)
        chunk.save()
        XdrFile.objects.filter(pk=chunk.file_id).update(state=XdrFile.State.RATING)

        assert "Nothing waits for you." in read(provider)


class TestTheFirstSteps:
    def test_lead_a_new_provider_to_its_first_bill_run(self, provider: Provider) -> None:
        make_catalogue(provider)

        text = read(provider)

        assert "To begin" in text
        assert text.count('class="is-done"') == 1
        assert "Load rates for calls" in text

    def test_are_gone_once_it_has_billed(self, provider: Provider) -> None:
        make_charge(make_customer(provider), "7")
        issue_run(provider)

        assert "To begin" not in read(provider)


class TestWhoSeesWhat:
    def test_goes_by_permission(self, provider: Provider) -> None:
        suspend(provider)
        issue(make_customer(provider), at=now())
        labels = (
            "Revenue this month",
            "Receivables",
            "In suspense",
            "Reseller sales this month",
            "xDRs and legs in suspense",
        )

        def shown(role: str) -> list[bool]:
            text = read(provider, role)
            return [label in text for label in labels]

        assert shown("Admin") == [True, True, True, True, True]
        assert shown("Service") == [False, False, True, False, True]
        assert shown("Accounts & Orders") == [False] * 5
        assert shown("Marketing") == [True, True, False, True, False]

    def test_leaves_out_resellers_where_they_are_switched_off(self, provider: Provider) -> None:
        ResellerModule.objects.filter(provider=provider).update(is_enabled=False)
        issue(make_customer(provider), at=now())

        text = read(provider)

        assert "Reseller sales" not in text
        assert "Through resellers" not in text
        assert "Net sales by month" in text


class TestItsCost:
    def test_does_not_grow_with_customers_and_invoices(self, provider: Provider) -> None:
        issue(make_customer(provider), at=now())
        suspend(provider)
        few = query_count(as_role(provider, "Admin"), HOME)
        for _ in range(5):
            issue(make_customer(provider), at=now())
            suspend(provider)

        assert query_count(as_role(provider, "Admin"), HOME) == few
