import pytest

from common.scope import Scope, Surface
from customers import selectors
from customers.models import Customer
from tenancy.models import Provider
from tests.factories import (
    make_code,
    make_customer,
    make_provider,
    make_reseller,
    make_team_member,
)

pytestmark = pytest.mark.django_db


def console(provider: Provider) -> Scope:
    return Scope(provider_id=provider.pk, surface=Surface.CONSOLE)


def portal(provider: Provider, reseller_id: int) -> Scope:
    return Scope(provider_id=provider.pk, surface=Surface.RESELLER_PORTAL, reseller_id=reseller_id)


def account_centre(customer: Customer) -> Scope:
    return Scope(
        provider_id=customer.provider_id,
        surface=Surface.ACCOUNT_CENTRE,
        customer_id=customer.pk,
    )


class TestCustomers:
    def test_are_those_that_each_may_see(self) -> None:
        aurora, borealis = make_provider(), make_provider()
        meridian, zenith = make_reseller(aurora), make_reseller(aurora)
        solstice = make_reseller(aurora, meridian)
        direct = make_customer(aurora, number=3)
        hers = make_customer(aurora, meridian, number=2)
        gone = make_customer(aurora, meridian, number=1, state=Customer.State.TERMINATED)
        below = make_customer(aurora, solstice, number=4)
        foreign = make_customer(borealis)

        assert list(selectors.customers(console(aurora))) == [gone, hers, direct, below]
        assert list(selectors.customers(console(borealis))) == [foreign]
        assert list(selectors.customers(portal(aurora, meridian.pk))) == [gone, hers]
        assert list(selectors.customers(portal(aurora, solstice.pk))) == [below]
        assert list(selectors.customers(portal(aurora, zenith.pk))) == []
        assert list(selectors.customers(account_centre(direct))) == [direct]


class TestCustomer:
    def test_is_not_found_by_those_who_may_not_see_it(self) -> None:
        aurora, borealis = make_provider(), make_provider()
        meridian, zenith = make_reseller(aurora), make_reseller(aurora)
        customer, other = make_customer(aurora, meridian), make_customer(aurora, meridian)

        for scope in (console(aurora), portal(aurora, meridian.pk), account_centre(customer)):
            assert selectors.customer(scope, customer.pk) == customer
        for scope in (console(borealis), portal(aurora, zenith.pk), account_centre(other)):
            with pytest.raises(Customer.DoesNotExist):
                selectors.customer(scope, customer.pk)


class TestTeam:
    def test_is_seen_by_itself_and_staff(self) -> None:
        provider = make_provider()
        reseller = make_reseller(provider)
        customer, other = make_customer(provider, reseller), make_customer(provider, reseller)
        user = make_team_member(customer)
        make_team_member(other)

        for scope in (console(provider), account_centre(customer)):
            assert [member.user for member in selectors.team(scope, customer)] == [user]
        for scope in (portal(provider, reseller.pk), account_centre(other)):
            assert not selectors.team(scope, customer).exists()


class TestResellersWithCustomers:
    def test_count_those_that_carry_the_tag(self) -> None:
        aurora = make_provider()
        meridian = make_reseller(aurora, number=1)
        solstice = make_reseller(aurora, meridian, number=2)
        zenith = make_reseller(aurora, number=3)
        for code in ("B", "A"):
            make_code(meridian, code)
        for reseller in (meridian, meridian, meridian, solstice, None):
            make_customer(aurora, reseller)

        rows = selectors.resellers_with_customers(console(aurora))

        assert [(row.pk, vars(row)["code_names"], vars(row)["customer_count"]) for row in rows] == [
            (meridian.pk, "A, B", 3),
            (solstice.pk, solstice.codes.get().code, 1),
            (zenith.pk, "", 0),
        ]
