import io

import pytest
from django.core.management import call_command
from django.test import Client

from common.commands import Refused
from tenancy.models import BillerEntity, Membership, Provider, User
from tests.factories import make_provider, make_user

PASSWORD = "correct horse battery"
TERMS = [
    "--name=Aurora Telecom",
    "--currency=EUR",
    "--time-zone=Europe/Berlin",
    r"--address=Hauptstrasse 1\n10115 Berlin",
    "--country=DE",
    "--tax-number=DE123456789",
    "--admin-email=admin@aurora.example",
]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def with_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADMIN_PASSWORD", PASSWORD)


class TestCreateProvider:
    def test_lets_the_administrator_sign_in(self, client: Client) -> None:
        out = io.StringIO()

        call_command("create_provider", "aurora", *TERMS, stdout=out)

        assert out.getvalue() == (
            "Aurora Telecom is there as 'aurora'; admin@aurora.example may sign in.\n"
        )
        assert Membership.objects.get().role.name == "Admin"
        seller = BillerEntity.objects.get()
        assert seller.name == "Aurora Telecom"
        assert seller.address == "Hauptstrasse 1\n10115 Berlin"
        assert seller.email == "admin@aurora.example"
        form = {"login": "admin@aurora.example", "password": PASSWORD}
        landed = client.post("/sign-in/", form, follow=True)
        assert landed.request["PATH_INFO"] == "/console/"

    def test_refuses_a_weak_password_and_leaves_nothing(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ADMIN_PASSWORD", "demo")

        with pytest.raises(Refused, match="too short") as refused:
            call_command("create_provider", "aurora", *TERMS)

        assert refused.value.returncode == 2
        assert not Provider.objects.exists()
        assert not User.objects.exists()

    def test_refuses_an_address_in_use_and_leaves_nothing(self) -> None:
        make_user("admin@aurora.example")

        with pytest.raises(Refused, match="already"):
            call_command("create_provider", "aurora", *TERMS)

        assert not Provider.objects.exists()

    def test_refuses_a_slug_in_use(self) -> None:
        make_provider("aurora")

        with pytest.raises(Refused, match="choose another slug"):
            call_command("create_provider", "aurora", *TERMS)

        assert not User.objects.exists()

    def test_asks_nobody_where_nobody_is(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("ADMIN_PASSWORD")
        monkeypatch.setattr("sys.stdin", io.StringIO())

        with pytest.raises(Refused, match="set ADMIN_PASSWORD"):
            call_command("create_provider", "aurora", *TERMS)

        assert not Provider.objects.exists()
