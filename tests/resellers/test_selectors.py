from datetime import UTC, datetime, timedelta

import pytest

from common.errors import DomainError
from common.scope import Scope, Surface
from resellers import selectors
from resellers.models import Reseller, ResellerModule
from resellers.selectors import find_code
from tenancy.models import Provider
from tests.factories import (
    make_billing_mode,
    make_code,
    make_customer,
    make_product,
    make_provider,
    make_rate_table,
    make_reseller,
    make_vendor,
)

AT = datetime(2026, 10, 1, 9, tzinfo=UTC)

pytestmark = pytest.mark.django_db


class TestFindCode:
    def test_reads_it_in_whatever_case(self) -> None:
        provider = make_provider()
        reseller = make_reseller(provider)
        code = make_code(reseller, "Spring-26")
        make_code(make_reseller(make_provider()), "SPRING-26")

        found = find_code(Scope.system(provider.pk), " sPRING-26 ", AT)

        assert (found, found.reseller) == (code, reseller)

    def test_is_good_until_its_expiry(self) -> None:
        provider = make_provider()
        code = make_code(make_reseller(provider), expires_at=AT)
        scope = Scope.system(provider.pk)

        assert find_code(scope, code.code, AT - timedelta(microseconds=1)) == code
        with pytest.raises(selectors.ResellerCodeExpired):
            find_code(scope, code.code, AT)

    @pytest.mark.parametrize(
        ("text", "refusal"),
        [
            ("NOBODYS", selectors.UnknownResellerCode),
            ("FOREIGN", selectors.UnknownResellerCode),
            ("", selectors.UnknownResellerCode),
            ("DRAFT", selectors.ResellerCodeNotPublished),
            ("LATER", selectors.ResellerCodeNotPublished),
            ("EXPIRED", selectors.ResellerCodeExpired),
            ("DISABLED", selectors.ResellerDisabled),
        ],
    )
    def test_refuses_each_for_its_own_reason(self, text: str, refusal: type[DomainError]) -> None:
        provider = make_provider()
        reseller = make_reseller(provider)
        make_code(make_reseller(make_provider()), "FOREIGN")
        make_code(reseller, "DRAFT", published_at=None)
        make_code(reseller, "LATER", published_at=AT + timedelta(seconds=1))
        make_code(reseller, "EXPIRED", expires_at=AT - timedelta(days=1))
        make_code(make_reseller(provider, state=Reseller.State.DISABLED), "DISABLED")

        with pytest.raises(DomainError) as caught:
            find_code(Scope.system(provider.pk), text, AT)

        assert type(caught.value) is refusal

    def test_refuses_all_where_the_module_is_off(self) -> None:
        provider = make_provider()
        code = make_code(make_reseller(provider))
        ResellerModule.objects.filter(provider=provider).update(is_enabled=False)

        with pytest.raises(selectors.ResellerModuleOff):
            find_code(Scope.system(provider.pk), code.code, AT)


class TestResellers:
    def test_are_listed_by_number_with_their_codes(self) -> None:
        aurora = make_provider()
        zenith = make_reseller(aurora, number=2)
        meridian = make_reseller(aurora, number=1)
        make_code(meridian, "SUMMER")
        make_code(meridian, "AUTUMN")
        make_reseller(make_provider())

        rows = selectors.resellers(Scope.system(aurora.pk))

        assert [(row.pk, vars(row)["code_names"]) for row in rows] == [
            (meridian.pk, "AUTUMN, SUMMER"),
            (zenith.pk, ""),
        ]

    def test_show_a_reseller_itself_and_a_customer_none(self) -> None:
        provider = make_provider()
        meridian = make_reseller(provider)
        make_reseller(provider, meridian)
        customer = make_customer(provider, meridian)

        assert list(selectors.resellers(portal(provider, meridian))) == [meridian]
        account_centre = Scope(
            provider_id=provider.pk, surface=Surface.ACCOUNT_CENTRE, customer_id=customer.pk
        )
        assert not selectors.resellers(account_centre).exists()


class TestResellerTree:
    def test_is_that_of_one_provider(self) -> None:
        aurora = make_provider()
        meridian = make_reseller(aurora)
        solstice = make_reseller(aurora, meridian)
        make_reseller(make_provider())

        tree = selectors.reseller_tree(Scope.system(aurora.pk))

        assert tree.parents == {meridian.pk: None, solstice.pk: meridian.pk}


class TestBillingMode:
    def test_is_on_from_its_start_until_its_end(self) -> None:
        provider = make_provider()
        reseller = make_reseller(provider)
        table = make_rate_table(make_product(provider))
        end = AT + timedelta(days=1)
        make_billing_mode(reseller, table, valid_from=AT, valid_to=end)
        later = make_billing_mode(reseller, table, valid_from=end + timedelta(days=1))
        scope = Scope.system(provider.pk)

        def on(at: datetime) -> list[Reseller]:
            return list(selectors.resellers_in_billing_mode(scope, at))

        assert on(AT - timedelta(microseconds=1)) == []
        assert on(AT) == [reseller]
        assert on(end) == []
        assert on(later.valid_from) == [reseller]
        assert selectors.billing_modes(scope, reseller)[0] == later


class TestPortals:
    def test_see_the_resellers_own_codes(self) -> None:
        provider = make_provider()
        reseller, other = make_reseller(provider), make_reseller(provider)
        code = make_code(reseller)
        make_code(other)
        scope = portal(provider, reseller)

        assert list(selectors.codes(scope, reseller)) == [code]
        assert not selectors.codes(scope, other).exists()

    def test_see_neither_vendors_nor_billing_mode(self) -> None:
        provider = make_provider()
        reseller = make_reseller(provider)
        table = make_rate_table(make_product(provider))
        make_vendor(table, reseller)
        make_billing_mode(reseller, table)
        scope = portal(provider, reseller)

        assert not selectors.vendors(scope).exists()
        assert not selectors.billing_modes(scope, reseller).exists()
        assert selectors.vendors(Scope.system(provider.pk)).count() == 1


def portal(provider: Provider, reseller: Reseller) -> Scope:
    return Scope(provider_id=provider.pk, surface=Surface.RESELLER_PORTAL, reseller_id=reseller.pk)


class TestPossibleDefaultCodes:
    def test_are_those_that_every_sign_up_could_use(self) -> None:
        provider = make_provider()
        active = make_reseller(provider)
        disabled = make_reseller(provider, state=Reseller.State.DISABLED)
        good = make_code(active)
        make_code(active, published_at=None)
        make_code(active, expires_at=datetime(2030, 1, 1, tzinfo=UTC))
        make_code(disabled)
        make_code(make_reseller(make_provider()))

        assert list(selectors.possible_default_codes(Scope.system(provider.pk))) == [good]
