"""The first lock alone: scoped querysets, asked by the owner of the tables without row security."""

import pytest

from billing.models import Invoice
from common.scope import Scope, Surface
from customers.models import Customer, TeamMember
from resellers.models import Reseller, Vendor
from tenancy.models import Provider, Role
from tests.factories import (
    make_customer,
    make_product,
    make_provider,
    make_rate_table,
    make_reseller,
    make_team_member,
    make_vendor,
)

pytestmark = pytest.mark.django_db


class TestVisibleTo:
    """Two of everything: providers, resellers in the first, customers of each reseller."""

    @pytest.fixture(autouse=True)
    def two_of_everything(self) -> None:
        self.provider, self.other = make_provider("aurora"), make_provider("borealis")
        self.meridian = make_reseller(self.provider)
        self.zenith = make_reseller(self.provider)
        self.of_meridian = make_customer(self.provider, self.meridian)
        self.of_zenith = make_customer(self.provider, self.zenith)
        self.direct = make_customer(self.provider)
        self.foreign = make_customer(self.other, make_reseller(self.other))
        for customer in (self.of_meridian, self.direct, self.foreign):
            make_team_member(customer)

    def console(self, provider: Provider) -> Scope:
        return Scope(provider_id=provider.pk, surface=Surface.CONSOLE, user_id=1)

    def account_centre(self, customer: Customer) -> Scope:
        return Scope(
            provider_id=customer.provider_id,
            surface=Surface.ACCOUNT_CENTRE,
            customer_id=customer.pk,
        )

    def portal(self, reseller: Reseller) -> Scope:
        return Scope(
            provider_id=reseller.provider_id,
            surface=Surface.RESELLER_PORTAL,
            reseller_id=reseller.pk,
        )

    def customers(self, scope: Scope) -> set[Customer]:
        return set(Customer.objects.visible_to(scope))

    def test_shows_staff_and_the_system_their_whole_provider(self) -> None:
        mine = {self.of_meridian, self.of_zenith, self.direct}

        assert self.customers(self.console(self.provider)) == mine
        assert self.customers(Scope.system(self.provider.pk)) == mine
        assert self.customers(self.console(self.other)) == {self.foreign}

    def test_shows_a_customer_only_themselves(self) -> None:
        assert self.customers(self.account_centre(self.direct)) == {self.direct}
        assert self.customers(self.account_centre(self.foreign)) == {self.foreign}

    def test_shows_a_customer_only_their_own_team(self) -> None:
        members = TeamMember.objects.visible_to(self.account_centre(self.direct))

        assert [member.customer for member in members] == [self.direct]

    def test_shows_a_reseller_only_the_customers_tagged_with_it(self) -> None:
        assert self.customers(self.portal(self.meridian)) == {self.of_meridian}
        assert self.customers(self.portal(self.zenith)) == {self.of_zenith}

    def test_shows_a_portal_nothing_of_a_model_that_has_no_tie_to_it(self) -> None:
        make_vendor(make_rate_table(make_product(self.provider)), owner=self.meridian)

        for scope in (self.portal(self.meridian), self.account_centre(self.of_meridian)):
            assert not Role.objects.visible_to(scope).exists()
            assert not Vendor.objects.visible_to(scope).exists()
        assert not TeamMember.objects.visible_to(self.portal(self.meridian)).exists()
        assert Role.objects.visible_to(self.console(self.provider)).count() == 7

    def test_mixes_no_scope_of_one_provider_with_parties_of_another(self) -> None:
        scope = Scope(
            provider_id=self.other.pk, surface=Surface.ACCOUNT_CENTRE, customer_id=self.direct.pk
        )

        assert self.customers(scope) == set()
        assert not Invoice.objects.visible_to(scope).exists()


class TestAScope:
    def test_needs_its_party_on_a_portal_and_has_none_elsewhere(self) -> None:
        for surface, customer_id, reseller_id in (
            (Surface.ACCOUNT_CENTRE, None, None),
            (Surface.ACCOUNT_CENTRE, None, 1),
            (Surface.RESELLER_PORTAL, 1, None),
            (Surface.CONSOLE, 1, None),
            (Surface.SYSTEM, None, 1),
        ):
            with pytest.raises(AssertionError):
                Scope(
                    provider_id=1,
                    surface=surface,
                    customer_id=customer_id,
                    reseller_id=reseller_id,
                )
