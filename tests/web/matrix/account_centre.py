from datetime import date

from billing.models import Invoice
from billing.services.credit_notes import credit_in_full
from catalogue.models import ProductKind
from common import clock
from payments.models import Payment
from payments.services.sandbox import Card, pay_with_card
from tenancy.models import Provider
from tests.factories import make_catalogue, make_customer, make_product, make_team_member
from tests.factories.billing import invoice_of, issue_run, make_charge
from tests.factories.subscriptions import make_offer, make_subscription
from tests.payments.books import pay_offline, start_bulk
from tests.web.matrix import Page, customers

MONEY = customers("ADMIN", "BILLING")
# The reference in the address is all it takes, also for people of other providers.
SANDBOX = {"anonymous": 200, "signed in": 200, "other provider": 200}


def an_invoice(provider: Provider) -> Invoice:
    customer = make_customer(provider)
    make_charge(customer, "100")
    issue_run(provider)
    return invoice_of(customer)


def a_payment(provider: Provider) -> Payment:
    return start_bulk(make_customer(provider), "80.00", at=clock.now())


def invoice(provider: Provider) -> dict[str, object]:
    return {"invoice_id": an_invoice(provider).pk}


def credit_note(provider: Provider) -> dict[str, object]:
    note = credit_in_full(
        invoice_id=an_invoice(provider).pk, reason="Wrong", at=clock.now(), actor_id=None
    )
    return {"credit_note_id": note.pk}


def payment(provider: Provider) -> dict[str, object]:
    return {"payment_id": pay_offline(make_customer(provider), "80.00").pk}


def order(provider: Provider) -> dict[str, object]:
    return {"provider_slug": provider.slug, "reference": a_payment(provider).gateway_reference}


def challenged_order(provider: Provider) -> dict[str, object]:
    reference = a_payment(provider).gateway_reference
    pay_with_card(provider_id=provider.pk, reference=reference, card=Card.CHALLENGE, at=clock.now())
    return {"provider_slug": provider.slug, "reference": reference}


def subscription(provider: Provider) -> dict[str, object]:
    customer = make_customer(provider)
    row = make_subscription(customer, make_offer(provider), date(2026, 10, 1))
    return {"subscription_id": row.pk}


def item(provider: Provider) -> dict[str, object]:
    """Of a custom catalogue from which nobody who asks buys."""
    product = make_product(provider, ProductKind.RECURRING)
    terms = {"product": product, "price": "10", "price_period": "MONTH"}
    version = make_catalogue(provider, [terms])
    return {"item_id": version.items.get().pk}


def member(provider: Provider) -> dict[str, object]:
    return {"member_id": make_team_member(make_customer(provider)).team_member.pk}


PAGES = {
    "account_centre_profile": Page(customers()),
    "account_centre_profile_edit": Page(customers("ADMIN")),
    "account_centre_team": Page(customers()),
    "account_centre_team_add": Page(customers("ADMIN")),
    "account_centre_team_role": Page(customers("ADMIN"), member),
    "account_centre_team_again": Page(customers("ADMIN"), member),
    "account_centre_team_remove": Page(customers("ADMIN"), member),
    "account_centre_activity": Page(customers("ADMIN")),
    "account_centre_services": Page(customers()),
    "account_centre_catalogue": Page(customers()),
    "account_centre_service": Page(customers(), subscription),
    "account_centre_service_end": Page(customers("ADMIN"), subscription),
    "account_centre_service_buy": Page(customers("ADMIN"), item),
    "account_centre_usage": Page(customers()),
    "account_centre_calls": Page(customers()),
    "account_centre_allowances": Page(customers()),
    "account_centre_unbilled": Page(MONEY),
    "account_centre_invoices": Page(MONEY),
    "account_centre_invoice": Page(MONEY, invoice),
    "account_centre_invoice_pdf": Page(MONEY, invoice),
    "account_centre_invoice_usage": Page(MONEY, invoice),
    "account_centre_invoice_pay": Page(MONEY, invoice),
    "account_centre_credit_notes": Page(MONEY),
    "account_centre_credit_note": Page(MONEY, credit_note),
    "account_centre_credit_note_pdf": Page(MONEY, credit_note),
    "account_centre_wallet": Page(MONEY),
    "account_centre_bulk_amount": Page(MONEY),
    # Without an amount it leads back to the first step.
    "account_centre_bulk_distribution": Page({**MONEY, "ADMIN": 302, "BILLING": 302}),
    "account_centre_payment": Page(MONEY, payment),
    "account_centre_payment_state": Page(MONEY, payment),
    "account_centre_receipt_pdf": Page(MONEY, payment),
    # Without the number of an order there is nothing to come back to.
    "account_centre_payment_return": Page({"anonymous": 302, "TECHNICAL": 403, "signed in": 404}),
    "sandbox_checkout": Page(SANDBOX, order),
    "sandbox_challenge": Page(SANDBOX, challenged_order),
}
