"""What pages call runs under the web role, which sees one provider and may bypass nothing."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection

from billing.models import Invoice
from common.money import ZERO
from payments.gateways.sandbox.company import Card
from payments.models import Payment
from payments.services.advance import apply_advance
from payments.services.checkouts import start_invoice_payment
from payments.services.reversal import reverse_payment
from payments.services.sandbox import pay_with_card
from tenancy.row_security import acting_for, web_role
from tests.factories import make_customer, make_provider, make_staff
from tests.factories.payments import make_invoice
from tests.payments.books import (
    AT,
    BACK,
    assert_books_agree,
    pay_offline,
    receivable,
    wallet,
)

pytestmark = pytest.mark.django_db

LATER = AT + timedelta(days=20)


class TestUnderTheWebRole:
    def test_staff_record_apply_and_reverse(self) -> None:
        provider = make_provider()
        clerk = make_staff(provider, "Finance")
        customer = make_customer(provider)
        make_invoice(customer, "50.00", issued_at=AT)

        with web_role(), acting_for(provider_id=provider.pk, user_id=clerk.pk):
            bounced = pay_offline(customer, "30.00", actor_id=clerk.pk)
            pay_offline(customer, "90.00", distribution={}, actor_id=clerk.pk)
            reverse_payment(payment=bounced, reason="Bounced", at=LATER, actor_id=clerk.pk)
            apply_advance(customer=customer, at=LATER, actor_id=clerk.pk)
            connection.check_constraints()

        assert (receivable(customer), wallet(customer)) == (ZERO, Decimal("40.00"))
        assert_books_agree(provider.pk)

    def test_customers_start_payments_and_pay_at_the_sandbox(self) -> None:
        provider = make_provider()
        invoice = make_invoice(make_customer(provider), "50.00", issued_at=AT)

        with web_role(), acting_for(provider_id=provider.pk, user_id=None):
            started = start_invoice_payment(
                invoice=invoice, gateway="sandbox", return_url=BACK, at=AT, actor_id=None
            )
            [delivery] = pay_with_card(
                provider_id=provider.pk,
                reference=started.payment.gateway_reference,
                card=Card.SUCCESS,
                at=AT,
            )
            connection.check_constraints()

        assert started.payment.order_number.encode() in delivery.body
        assert Payment.objects.get().state == Payment.State.PENDING

    def test_nobody_pays_another_providers_invoice(self) -> None:
        other = make_provider()
        invoice = make_invoice(make_customer(make_provider()), "50.00", issued_at=AT)

        with (
            web_role(),
            acting_for(provider_id=other.pk, user_id=None),
            pytest.raises(Invoice.DoesNotExist),
        ):
            start_invoice_payment(
                invoice=invoice, gateway="sandbox", return_url=BACK, at=AT, actor_id=None
            )

        assert not Payment.objects.exists()
