from dataclasses import replace
from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, connection, transaction

from audit.models import Entry
from common.errors import DomainError
from customers.models import Customer
from customers.services.onboarding import (
    CodeChoice,
    CustomerDetails,
    CustomerRefused,
    DetailsRefused,
    UntaggedByAdminOnly,
    create_customer,
)
from resellers.models import Reseller, ResellerCode, ResellerModule
from resellers.selectors import (
    ResellerCodeExpired,
    ResellerCodeNotPublished,
    ResellerDisabled,
    ResellerModuleOff,
    UnknownResellerCode,
)
from tenancy.models import Provider
from tests.factories import make_code, make_customer, make_provider, make_reseller, make_staff
from tests.race import race
from tests.refusals import refused

AT = datetime(2026, 10, 1, 9, tzinfo=UTC)
CARL = CustomerDetails(
    first_name="Carl",
    last_name="Customer",
    email="carl@example.com",
    organisation="Carl & Co.",
    phone="+49 30 9",
    address="Nebenstrasse 2\n10117 Berlin",
    country="DE",
    tax_number="DE9",
)
Channel = Customer.Channel

pytestmark = pytest.mark.django_db


def create(
    provider: Provider,
    reseller_code: str | CodeChoice = CodeChoice.DEFAULT,
    channel: Channel = Channel.SIGN_UP,
) -> Customer:
    return create_customer(
        provider_id=provider.pk,
        details=CARL,
        currency="EUR",
        channel=channel,
        reseller_code=reseller_code,
        at=AT,
        actor_id=None,
    )


def set_default(provider: Provider, code: ResellerCode) -> None:
    ResellerModule.objects.filter(provider=provider).update(default_code=code)


class TestCreateCustomer:
    def test_keeps_who_the_customer_is(self) -> None:
        customer = create(make_provider())

        customer.refresh_from_db()
        assert {name: getattr(customer, name) for name in vars(CARL)} == vars(CARL)
        assert (customer.currency, customer.created_at) == ("EUR", AT)
        assert (customer.active_since, customer.terminated_at) == (None, None)

    @pytest.mark.parametrize(
        ("channel", "state"),
        [
            (Channel.SIGN_UP, Customer.State.AWAITING_CONFIRMATION),
            (Channel.CONSOLE, Customer.State.DRAFT),
            (Channel.API, Customer.State.DRAFT),
        ],
    )
    def test_begins_as_its_channel_says(self, channel: Channel, state: Customer.State) -> None:
        customer = create(make_provider(), channel=channel)

        assert (customer.channel, customer.state) == (channel, state)

    def test_numbers_each_providers_customers_from_one(self) -> None:
        aurora, borealis = make_provider(), make_provider()

        assert [create(each).number for each in (aurora, borealis, aurora)] == [1, 1, 2]

    def test_is_audited(self) -> None:
        provider = make_provider()
        admin = make_staff(provider)
        code = make_code(make_reseller(provider), "ZENITH")

        customer = create_customer(
            provider_id=provider.pk,
            details=CARL,
            currency="EUR",
            channel=Channel.CONSOLE,
            reseller_code="zenith",
            at=AT,
            actor_id=admin.pk,
        )

        entry = Entry.objects.get(action="customer.created")
        assert (entry.actor, entry.object_id) == (admin, str(customer.pk))
        assert entry.after == {"number": "1", "channel": "CONSOLE", "reseller_code": code.code}

    @pytest.mark.parametrize(
        ("field", "value", "message"),
        [
            ("first_name", "", "First name: This field cannot be blank"),
            ("email", "carl", "Email: Enter a valid email address"),
            ("country", "DEU", "Country: Ensure this value has at most 2 characters"),
            ("organisation", "x" * 201, "Organisation: .* at most 200 characters"),
        ],
    )
    def test_refuses_details_that_cannot_be_kept(
        self, field: str, value: str, message: str
    ) -> None:
        provider = make_provider()

        with refused(DetailsRefused, match=message):
            create_customer(
                provider_id=provider.pk,
                details=replace(CARL, **{field: value}),
                currency="EUR",
                channel=Channel.API,
                at=AT,
                actor_id=None,
            )

    def test_refuses_what_is_no_currency(self) -> None:
        provider = make_provider()

        with refused(CustomerRefused):
            create_customer(
                provider_id=provider.pk,
                details=CARL,
                currency="euro",
                channel=Channel.API,
                at=AT,
                actor_id=None,
            )


class TestTheTag:
    @pytest.mark.parametrize("channel", Channel)
    def test_is_that_of_the_code_given(self, channel: Channel) -> None:
        provider = make_provider()
        meridian, zenith = make_reseller(provider), make_reseller(provider)
        set_default(provider, make_code(meridian))
        code = make_code(zenith, "ZENITH")

        customer = create(provider, " zenith", channel)

        assert (customer.reseller, customer.reseller_code) == (zenith, code)

    @pytest.mark.parametrize("channel", Channel)
    @pytest.mark.parametrize("absent", [CodeChoice.DEFAULT, "", "  "])
    def test_is_that_of_the_default_code_where_none_is_given(
        self, channel: Channel, absent: str | CodeChoice
    ) -> None:
        provider = make_provider()
        code = make_code(make_reseller(provider))
        set_default(provider, code)

        customer = create(provider, absent, channel)

        assert (customer.reseller, customer.reseller_code) == (code.reseller, code)

    def test_is_none_without_a_default_code(self) -> None:
        customer = create(make_provider())

        assert (customer.reseller, customer.reseller_code) == (None, None)

    def test_is_none_while_the_module_is_off(self) -> None:
        provider = make_provider()
        set_default(provider, make_code(make_reseller(provider)))
        ResellerModule.objects.filter(provider=provider).update(is_enabled=False)

        assert create(provider).reseller is None

    def test_is_none_by_an_admins_choice(self) -> None:
        provider = make_provider()
        set_default(provider, make_code(make_reseller(provider)))

        customer = create(provider, CodeChoice.NONE, Channel.CONSOLE)

        assert (customer.reseller, customer.reseller_code) == (None, None)

    @pytest.mark.parametrize("channel", [Channel.SIGN_UP, Channel.API])
    def test_is_not_left_out_by_others(self, channel: Channel) -> None:
        provider = make_provider()

        with refused(UntaggedByAdminOnly):
            create(provider, CodeChoice.NONE, channel)

    @pytest.mark.parametrize("channel", Channel)
    @pytest.mark.parametrize(
        ("code", "refusal"),
        [
            ("NOBODYS", UnknownResellerCode),
            ("FOREIGN", UnknownResellerCode),
            ("DRAFT", ResellerCodeNotPublished),
            ("EXPIRED", ResellerCodeExpired),
            ("DISABLED", ResellerDisabled),
        ],
    )
    def test_creates_nothing_of_a_code_that_is_refused(
        self, channel: Channel, code: str, refusal: type[DomainError]
    ) -> None:
        provider = make_provider()
        reseller = make_reseller(provider)
        make_code(make_reseller(make_provider()), "FOREIGN")
        make_code(reseller, "DRAFT", published_at=None)
        make_code(reseller, "EXPIRED", expires_at=AT)
        make_code(make_reseller(provider, state=Reseller.State.DISABLED), "DISABLED")

        with refused(refusal):
            create(provider, code, channel)

    def test_creates_nothing_of_a_code_while_the_module_is_off(self) -> None:
        provider = make_provider()
        code = make_code(make_reseller(provider))
        ResellerModule.objects.filter(provider=provider).update(is_enabled=False)

        with refused(ResellerModuleOff):
            create(provider, code.code)


class TestTheTagAfterwards:
    @pytest.mark.parametrize("state", Customer.State)
    def test_is_kept_by_the_database(self, state: Customer.State) -> None:
        provider = make_provider()
        meridian, zenith = make_reseller(provider), make_reseller(provider)
        customer = make_customer(provider, meridian, state=state)
        code = make_code(zenith)

        for change in (
            {"reseller": zenith, "reseller_code": code},
            {"reseller": None, "reseller_code": None},
            {"reseller_code": make_code(meridian)},
        ):
            with pytest.raises(IntegrityError, match="is fixed"), transaction.atomic():
                Customer.objects.filter(pk=customer.pk).update(**change)

        customer.refresh_from_db()
        assert customer.reseller == meridian

    def test_stays_none(self) -> None:
        provider = make_provider()
        customer = make_customer(provider)
        code = make_code(make_reseller(provider))

        with pytest.raises(IntegrityError, match="is fixed"), transaction.atomic():
            Customer.objects.filter(pk=customer.pk).update(
                reseller=code.reseller, reseller_code=code
            )

    def test_does_not_keep_the_rest_from_changing(self) -> None:
        provider = make_provider()
        customer = make_customer(provider, make_reseller(provider))

        customer.phone = "1"
        customer.save()

        customer.refresh_from_db()
        assert customer.phone == "1"

    def test_cannot_be_a_code_of_another_reseller(self) -> None:
        provider = make_provider()
        code, other = make_code(make_reseller(provider)), make_reseller(provider)

        with transaction.atomic():
            Customer.objects.create(
                provider=provider,
                number=1,
                currency="EUR",
                state=Customer.State.DRAFT,
                channel=Channel.CONSOLE,
                created_at=AT,
                reseller=other,
                reseller_code=code,
            )

            with pytest.raises(IntegrityError, match="customer_code_of_its_reseller"):
                connection.check_constraints()
            transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
class TestSignUpsAtOnce:
    def test_get_numbers_without_gaps(self) -> None:
        provider = make_provider()

        race(*[lambda: create(provider)] * 5)

        numbers = Customer.objects.order_by("number").values_list("number", flat=True)
        assert list(numbers) == [1, 2, 3, 4, 5]
