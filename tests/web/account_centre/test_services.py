from datetime import timedelta
from decimal import Decimal
from http import HTTPStatus

import pytest
from django.test import Client
from django.utils.timezone import localdate

from catalogue.models import ProductKind
from common import clock
from customers.models import Customer
from subscriptions.models import Charge, Subscription
from tests.factories import make_catalogue, make_customer, make_product
from tests.factories.catalogue import make_allowance
from tests.factories.subscriptions import make_offer, make_subscription
from tests.web.account_centre.pages import page, words, words_of

pytestmark = pytest.mark.django_db
TODAY = localdate(clock.now())
LATER = TODAY + timedelta(days=3)


def purchase(**fields: object) -> dict[str, object]:
    return {"quantity": 2, "start_date": LATER.isoformat()} | fields


def _only(customer: Customer) -> Subscription:
    return Subscription.objects.get(customer=customer)


class TestTheCatalogue:
    def test_shows_what_the_customer_can_buy_at_its_price(
        self, admin: Client, customer: Customer
    ) -> None:
        item = make_offer(customer.provider)
        secret = make_product(customer.provider, ProductKind.RECURRING, name="Secret")
        make_catalogue(
            customer.provider, [{"product": secret, "price": "1", "price_period": "MONTH"}]
        )

        text = words_of(admin, "/account/services/catalogue/")

        assert f"{item.product.name} Recurring 21.60 EUR month" in text
        assert "Secret" not in text

    def test_tells_the_tiers_of_what_is_metered(self, admin: Client, customer: Customer) -> None:
        item = make_offer(customer.provider, ProductKind.METERED)

        text = words_of(admin, "/account/services/catalogue/")

        assert "up to 100 GB: 0.10 EUR a GB beyond 100 GB: 0.05 EUR a GB" in text
        admin.post(f"/account/services/catalogue/{item.pk}/", purchase(quantity=1, _confirmed="1"))
        assert "beyond 100 GB" in words_of(admin, f"/account/services/{_only(customer).pk}/")

    def test_tells_what_is_included(self, technical: Client, customer: Customer) -> None:
        item = make_offer(customer.provider)
        calls = make_product(customer.provider, name="Calls")
        make_allowance(item, calls, name="Europe", destinations=["49"], rolls_over=True)

        text = words_of(technical, "/account/services/catalogue/")

        told = "Europe: 100 min of Calls a month to 49; what is left rolls over once"
        assert f"Includes {told}" in text
        assert "EUR" not in text

    def test_hides_prices_from_technical_people_who_cannot_buy(
        self, technical: Client, customer: Customer
    ) -> None:
        item = make_offer(customer.provider)

        text = page(technical, "/account/services/catalogue/")
        bought = technical.post(f"/account/services/catalogue/{item.pk}/", purchase(_confirmed="1"))

        assert item.product.name in text
        assert "21.60" not in text
        assert bought.status_code == HTTPStatus.FORBIDDEN
        assert not Subscription.objects.exists()


class TestAPurchase:
    def test_states_its_price_and_buys_nothing_yet(self, admin: Client, customer: Customer) -> None:
        item = make_offer(customer.provider)

        response = admin.post(f"/account/services/catalogue/{item.pk}/", purchase())

        assert "Together, month 43.20 EUR" in words(response.content.decode())
        assert not Subscription.objects.exists()

    def test_states_what_it_includes_for_all_that_are_bought(
        self, admin: Client, customer: Customer
    ) -> None:
        item = make_offer(customer.provider)
        make_allowance(item, make_product(customer.provider, name="Calls"), name="Europe")
        path = f"/account/services/catalogue/{item.pk}/"

        asked = words(admin.post(path, purchase()).content.decode())
        admin.post(path, purchase(_confirmed="1"))

        bought = Subscription.objects.get()
        told = "Includes Europe: 200 min of Calls a month"
        assert told in asked
        assert told in words_of(admin, f"/account/services/{bought.pk}/")

    def test_of_something_once_says_so(self, admin: Client, customer: Customer) -> None:
        item = make_offer(customer.provider, ProductKind.ONE_TIME)
        path = f"/account/services/catalogue/{item.pk}/"

        asked = words(admin.post(path, purchase()).content.decode())
        admin.post(path, purchase(_confirmed="1"))

        assert "Price of one, once 50.00 EUR" in asked
        assert "None" not in words_of(admin, "/account/services/")

    def test_is_made_when_it_is_confirmed(self, admin: Client, customer: Customer) -> None:
        item = make_offer(customer.provider)

        admin.post(f"/account/services/catalogue/{item.pk}/", purchase(_confirmed="1"))

        bought = Subscription.objects.get()
        assert (bought.customer, bought.quantity, bought.start_date) == (customer, 2, LATER)
        assert bought.price == Decimal("21.6")
        assert bought.state == Subscription.State.ACTIVE

    def test_that_needs_approval_is_a_request_and_charges_nothing(
        self, admin: Client, customer: Customer
    ) -> None:
        item = make_offer(customer.provider, approval_required=True)

        response = admin.post(
            f"/account/services/catalogue/{item.pk}/", purchase(_confirmed="1"), follow=True
        )

        assert "is requested" in response.content.decode()
        assert Subscription.objects.get().state == Subscription.State.REQUESTED
        assert not Charge.objects.exists()

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"quantity": 0}, "greater than or equal to 1"),
            ({"start_date": "2020-01-01"}, "A service begins today or later."),
        ],
    )
    def test_of_nonsense_is_refused_at_the_field(
        self, admin: Client, customer: Customer, fields: dict[str, object], message: str
    ) -> None:
        item = make_offer(customer.provider)

        response = admin.post(
            f"/account/services/catalogue/{item.pk}/", purchase(_confirmed="1", **fields)
        )

        assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert message in response.content.decode()
        assert not Subscription.objects.exists()

    def test_is_refused_to_a_restricted_customer_with_the_reason(
        self, admin: Client, customer: Customer
    ) -> None:
        item = make_offer(customer.provider)
        customer.state = Customer.State.RESTRICTED
        customer.save()

        response = admin.post(f"/account/services/catalogue/{item.pk}/", purchase(_confirmed="1"))

        assert "is restricted and cannot buy." in response.content.decode()
        assert not Subscription.objects.exists()

    def test_of_what_is_not_on_offer_is_not_found(self, admin: Client, customer: Customer) -> None:
        product = make_product(customer.provider, ProductKind.RECURRING)
        terms = {"product": product, "price": "1", "price_period": "MONTH"}
        item = make_catalogue(customer.provider, [terms]).items.get()

        response = admin.get(f"/account/services/catalogue/{item.pk}/")

        assert response.status_code == HTTPStatus.NOT_FOUND


class TestOnesServices:
    def test_are_listed_and_a_neighbours_are_not(self, admin: Client, customer: Customer) -> None:
        item = make_offer(customer.provider)
        mine = make_subscription(customer, item, TODAY)
        other = make_subscription(make_customer(customer.provider), item, TODAY)

        text = page(admin, "/account/services/")

        assert f"/account/services/{mine.pk}/" in text
        assert f"/account/services/{other.pk}/" not in text
        for tail in ("", "end/"):
            response = admin.get(f"/account/services/{other.pk}/{tail}")
            assert response.status_code == HTTPStatus.NOT_FOUND

    def test_end_after_a_confirmation(self, admin: Client, customer: Customer) -> None:
        row = make_subscription(customer, make_offer(customer.provider), TODAY)
        sent = {"end_date": LATER.isoformat()}

        asked = admin.post(f"/account/services/{row.pk}/end/", sent)
        unchanged = Subscription.objects.get().state
        admin.post(f"/account/services/{row.pk}/end/", sent | {"_confirmed": "1"})

        row.refresh_from_db()
        assert "End the service" in asked.content.decode()
        assert unchanged == Subscription.State.ACTIVE
        assert (row.state, row.end_date) == (Subscription.State.ENDING, LATER)

    def test_do_not_end_in_the_past(self, admin: Client, customer: Customer) -> None:
        row = make_subscription(customer, make_offer(customer.provider), TODAY)

        response = admin.post(
            f"/account/services/{row.pk}/end/", {"end_date": "2020-01-01", "_confirmed": "1"}
        )

        row.refresh_from_db()
        assert "The last day is today or later." in response.content.decode()
        assert row.state == Subscription.State.ACTIVE
