import hashlib
from datetime import timedelta

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks

from audit.models import Entry
from billing.services.keeping import DocumentNotFailed
from common.scope import Scope, Surface
from common.tries import MOST_TRIES
from payments import tasks
from payments.models import ReceiptDocument
from payments.selectors.payments import payments_without_receipt
from payments.services.receipts import start_receipt_again, store_receipt
from tests.factories import make_customer, make_provider
from tests.factories.documents import given_up
from tests.factories.tries import fail
from tests.factories.tries import refused as out_of_order
from tests.payments.books import AT, pay_offline, start_bulk
from tests.refusals import refused

pytestmark = pytest.mark.django_db

LATER = AT + timedelta(hours=1)


class TestStoreReceipt:
    def test_keeps_the_first_one_for_ever(self) -> None:
        payment = pay_offline(make_customer(make_provider()), "80.00")

        assert store_receipt(payment=payment, at=AT)
        assert not store_receipt(payment=payment, at=LATER)

        document = ReceiptDocument.objects.get()
        content = document.pdf
        assert content.startswith(b"%PDF-")
        assert document.sha256 == hashlib.sha256(content).hexdigest()
        assert (document.payment, document.rendered_at) == (payment, AT)

    def test_shows_it_to_its_customer_only(self) -> None:
        provider = make_provider()
        customer, other = make_customer(provider), make_customer(provider)
        store_receipt(payment=pay_offline(customer, "80.00"), at=AT)

        def seen_by(customer_id: int) -> int:
            scope = Scope(provider.pk, Surface.ACCOUNT_CENTRE, customer_id=customer_id)
            return ReceiptDocument.objects.visible_to(scope).count()

        assert (seen_by(customer.pk), seen_by(other.pk)) == (1, 0)


class TestAReceiptThatAlwaysFails:
    def test_is_given_up_after_five_tries(self) -> None:
        payment = pay_offline(make_customer(make_provider()), "80.00")

        with out_of_order("UPDATE", "payments_receiptdocument", when="NEW.state = 'DONE'"):
            fail(ReceiptDocument, lambda: tasks.render_receipt(payment_id=payment.pk))
        tasks.render_receipt(payment_id=payment.pk)

        document = ReceiptDocument.objects.get()
        assert (document.state, document.try_count) == ("FAILED", MOST_TRIES)
        entry = Entry.objects.get(action="payment.document_given_up")
        assert (entry.object_id, entry.actor) == (str(payment.pk), None)

    def test_is_made_when_it_was_started_again(
        self, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        payment = pay_offline(make_customer(make_provider()), "80.00")
        given_up(payment)

        with django_capture_on_commit_callbacks() as queued:
            tasks.sweep_receipts()
        assert queued == []
        start_receipt_again(payment=payment, at=LATER, actor_id=None)
        with django_capture_on_commit_callbacks() as queued:
            tasks.sweep_receipts()
        assert len(queued) == 1

        document = ReceiptDocument.objects.get()
        assert (document.state, document.try_count) == ("WAITING", 0)
        assert store_receipt(payment=payment, at=LATER)
        with refused(DocumentNotFailed, "nothing to start again"):
            start_receipt_again(payment=payment, at=LATER, actor_id=None)


class TestPaymentsWithoutReceipt:
    def test_came_in_and_were_not_rendered(self) -> None:
        provider = make_provider()
        customer = make_customer(provider)
        missing = pay_offline(customer, "1.00")
        store_receipt(payment=pay_offline(customer, "2.00"), at=AT)
        pay_offline(customer, "3.00", at=LATER)
        start_bulk(customer, "4.00")
        pay_offline(make_customer(make_provider()), "5.00")

        found = payments_without_receipt(
            Scope.system(provider.pk), received_from=AT, received_before=LATER
        )

        assert list(found) == [missing]
