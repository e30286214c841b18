import hashlib
from datetime import timedelta

import pytest

from common.scope import Scope, Surface
from payments.models import ReceiptDocument
from payments.selectors.payments import payments_without_receipt
from payments.services.receipts import store_receipt
from tests.factories import make_customer, make_provider
from tests.payments.books import AT, pay_offline, start_bulk

pytestmark = pytest.mark.django_db

LATER = AT + timedelta(hours=1)


class TestStoreReceipt:
    def test_keeps_the_first_one_for_ever(self) -> None:
        payment = pay_offline(make_customer(make_provider()), "80.00")

        assert store_receipt(payment=payment, at=AT)
        assert not store_receipt(payment=payment, at=LATER)

        document = ReceiptDocument.objects.get()
        content = bytes(document.content)
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
