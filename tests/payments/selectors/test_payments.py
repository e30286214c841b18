from datetime import timedelta
from decimal import Decimal

import pytest

from common.scope import Scope, Surface
from payments.models import WebhookEvent
from payments.selectors.payments import payments, pending_payments, waiting_events
from tests.factories import make_customer, make_provider, make_reseller
from tests.factories.payments import make_invoice
from tests.payments.books import AT, pay_offline, start_bulk

pytestmark = pytest.mark.django_db

LATER = AT + timedelta(hours=1)


class TestPayments:
    def test_tell_what_of_them_settles_invoices(self) -> None:
        provider = make_provider()
        customer = make_customer(provider)
        make_invoice(customer, "30.00", issued_at=AT)
        older = pay_offline(customer, "50.00")
        newer = pay_offline(customer, "5.00", at=LATER)

        found = payments(Scope.system(provider.pk))

        assert [(row, row.allocated_amount) for row in found] == [
            (newer, Decimal("0")),
            (older, Decimal("30.00")),
        ]

    def test_are_seen_by_their_customer_and_provider_only(self) -> None:
        provider = make_provider()
        reseller = make_reseller(provider)
        customer = make_customer(provider, reseller)
        own = pay_offline(customer, "50.00")
        pay_offline(make_customer(provider), "50.00")
        pay_offline(make_customer(make_provider()), "50.00")

        by_customer = Scope(provider.pk, Surface.ACCOUNT_CENTRE, customer_id=customer.pk)
        by_reseller = Scope(provider.pk, Surface.RESELLER_PORTAL, reseller_id=reseller.pk)

        assert list(payments(by_customer)) == [own]
        assert list(payments(by_reseller)) == []
        assert payments(Scope(provider.pk, Surface.CONSOLE)).count() == 2


class TestPendingPayments:
    def test_are_those_of_which_nothing_was_heard_for_long(self) -> None:
        provider = make_provider()
        customer = make_customer(provider)
        waiting = start_bulk(customer, "10.00")
        start_bulk(customer, "20.00", at=LATER)
        pay_offline(customer, "30.00")
        start_bulk(make_customer(make_provider()), "40.00")

        found = pending_payments(Scope.system(provider.pk), started_before=LATER)

        assert list(found) == [waiting]


class TestWaitingEvents:
    def test_are_stored_but_not_acted_on(self) -> None:
        provider = make_provider()
        lost = self.make_event(provider.pk, "lost")
        self.make_event(provider.pk, "fresh", received_at=LATER)
        self.make_event(provider.pk, "done", state=WebhookEvent.State.APPLIED)
        self.make_event(make_provider().pk, "foreign")

        found = waiting_events(Scope.system(provider.pk), received_before=LATER)

        assert list(found) == [lost]

    @staticmethod
    def make_event(provider_id: int, event_id: str, **fields: object) -> WebhookEvent:
        values = {"gateway": "sandbox", "body": b"{}", "received_at": AT} | fields
        return WebhookEvent.objects.create(provider_id=provider_id, event_id=event_id, **values)
