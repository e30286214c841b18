import pytest
from django.test import Client

from tests.factories import (
    make_code,
    make_customer,
    make_provider,
    make_reseller,
    make_reseller_user,
    make_staff,
    make_team_member,
)

pytestmark = pytest.mark.django_db


def page(client: Client, path: str) -> str:
    return client.get(path).content.decode()


class TestTheConsole:
    def test_says_for_whom_one_works(self, client: Client) -> None:
        make_provider(name="Borealis Cloud")
        provider = make_provider(name="Aurora Telecom")
        client.force_login(make_staff(provider, "Finance", email="f@aurora.example"))

        text = page(client, "/console/")

        assert '<span class="brand-name">Aurora Telecom</span>' in text
        assert "f@aurora.example" in text
        assert "Borealis" not in text


class TestTheAccountCentre:
    def test_says_who_one_is_and_whose_customer(self, client: Client) -> None:
        provider = make_provider(name="Aurora Telecom")
        make_customer(provider, organisation="Somebody Else")
        customer = make_customer(provider, organisation="<b>Nord & Söhne</b>")
        client.force_login(make_team_member(customer, "BILLING"))

        text = page(client, "/account/")

        assert "&lt;b&gt;Nord &amp; Söhne&lt;/b&gt;" in text
        assert "customer of Aurora Telecom" in text
        assert "Somebody Else" not in text


class TestTheResellerPortal:
    def test_counts_only_its_own_customers(self, client: Client) -> None:
        provider = make_provider(name="Aurora Telecom")
        meridian = make_reseller(provider, organisation="Meridian")
        make_code(meridian, "MERIDIAN")
        zenith = make_reseller(provider, organisation="Zenith")
        for reseller in (meridian, meridian, zenith, None):
            make_customer(provider, reseller)
        client.force_login(make_reseller_user(meridian))

        text = page(client, "/reseller/")

        assert "<dd>MERIDIAN</dd>" in text
        assert "<dd>2</dd>" in text
        assert "Zenith" not in text
