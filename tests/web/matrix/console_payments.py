from payments.models import Payment
from tenancy.models import Provider
from tests.factories import make_customer
from tests.factories.documents import given_up
from tests.payments.books import pay_offline
from tests.web.matrix import Page, staff


def customer(provider: Provider) -> dict[str, object]:
    return {"customer_id": make_customer(provider).pk}


def payment(provider: Provider) -> dict[str, object]:
    return {"payment_id": pay_offline(make_customer(provider), "50.00").pk}


def without_receipt(provider: Provider) -> dict[str, object]:
    of_payment = payment(provider)
    given_up(Payment.objects.latest("pk"))
    return of_payment


PAGES = {
    "console_payments": Page(staff("money.list")),
    "console_gateway_messages": Page(staff("money.list")),
    "console_payment_create": Page(staff("money.write")),
    "console_customer_payment": Page(staff("money.write"), customer),
    "console_payment": Page(staff("money.read"), payment),
    "console_payment_receipt": Page(staff("money.read"), payment),
    "console_payment_receipt_again": Page(staff("money.write"), without_receipt),
    "console_payment_reverse": Page(staff("money.write"), payment),
}
