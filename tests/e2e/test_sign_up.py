"""Signing up in a browser, the team, and how their pages look."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from customers.models import Customer, SignUpSettings
from customers.services.sign_up_settings import change_sign_up, publish_terms
from tenancy.models import Provider
from tests.e2e.visits import Visit
from tests.factories import (
    make_code,
    make_customer,
    make_provider,
    make_reseller,
    make_staff,
    make_team_member,
)

AT = datetime(2026, 10, 1, 9, tzinfo=UTC)
TERMS = "You pay every invoice in fourteen days.\n\nWe keep your records for ten years."

pytestmark = pytest.mark.django_db(transaction=True)
Visits = Callable[..., Visit]


@pytest.fixture
def provider() -> Provider:
    provider = make_provider("aurora", name="Aurora Telecom")
    change_sign_up(
        provider_id=provider.pk,
        mode=SignUpSettings.Mode.APPROVAL,
        currencies=["USD", "GBP"],
        blocked_domains=["trash.example"],
        at=AT,
        actor_id=None,
    )
    publish_terms(provider_id=provider.pk, text=TERMS, at=AT, actor_id=None)
    return provider


class TestSigningUp:
    def test_without_a_script(self, visit: Visits, provider: Provider) -> None:
        make_code(make_reseller(provider), "MERIDIAN")
        page = visit(java_script_enabled=False).open("/sign-up/aurora/?code=MERIDIAN")

        page.get_by_label("Organisation optional").fill("Nord")
        page.get_by_label("First name").fill("Nora")
        page.get_by_label("Last name").fill("Nord")
        page.get_by_label("You are billed in").select_option("USD")
        page.get_by_label("E-mail").fill("nora@nord.example")
        page.get_by_label("Password").fill("correct horse battery")
        page.get_by_role("button", name="Sign up").click()
        expect(page.get_by_text("Without your agreement")).to_be_visible()
        expect(page.get_by_label("First name")).to_have_value("Nora")
        page.get_by_label("Password").fill("correct horse battery")
        page.get_by_label("I agree to the terms").check()
        page.get_by_role("button", name="Sign up").click()

        expect(page.get_by_role("heading", name="Look into your mail")).to_be_visible()
        customer = Customer.objects.get()
        assert (customer.currency, str(customer.reseller_code)) == ("USD", "MERIDIAN")

    def test_looks_as_it_should(self, visit: Visits, provider: Provider) -> None:
        window = visit()

        window.look_at("/sign-up/aurora/", "sign-up")
        window.look_at("/sign-up/aurora/terms/", "sign-up-terms")
        window.look_at("/sign-up/aurora/sent/", "sign-up-sent")
        SignUpSettings.objects.update(mode=SignUpSettings.Mode.INVITATION)
        window.look_at("/sign-up/aurora/", "sign-up-closed")


class TestTheConsole:
    def test_looks_as_it_should(self, visit: Visits, provider: Provider) -> None:
        waiting = make_customer(provider, state="DRAFT", channel="SIGN_UP")
        member = make_team_member(waiting, email="nora@nord.example", name="Nora Nord")
        of_it = f"/console/customers/{waiting.pk}/"
        window = visit(make_staff(provider))

        window.look_at("/console/settings/sign-up/", "console-sign-up")
        window.look_at("/console/settings/sign-up/edit/", "console-sign-up-edit")
        window.look_at("/console/settings/sign-up/terms/", "console-sign-up-terms")
        window.look_at(of_it, "console-customer-waiting")
        window.look_at(f"{of_it}approve/", "console-customer-approve")
        window.look_at(f"{of_it}refuse/", "console-customer-refuse")
        window.look_at(f"{of_it}team/", "console-customer-team")
        window.look_at(f"{of_it}team/new/", "console-customer-team-invite")
        window.look_at(
            f"/console/customers/team/{member.team_member.pk}/", "console-customer-team-member"
        )


class TestTheTeam:
    def test_looks_as_it_should(self, visit: Visits, provider: Provider) -> None:
        customer = make_customer(provider, organisation="Nord")
        boss = make_team_member(customer, email="boss@nord.example", name="Berta Boss")
        make_team_member(customer, "BILLING", email="money@nord.example", last_login=AT)
        new = make_team_member(customer, "TECHNICAL", email="tina@nord.example").team_member
        window = visit(boss)

        window.look_at("/account/team/", "account-team")
        window.look_at("/account/team/new/", "account-team-invite")
        window.look_at(f"/account/team/{new.pk}/", "account-team-member")
        window.look_at(f"/account/team/{new.pk}/remove/", "account-team-remove")
