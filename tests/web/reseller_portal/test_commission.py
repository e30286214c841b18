"""A reseller's own commission statements, where the provider opens them."""

from http import HTTPStatus

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from payouts.models import PayoutStatement
from payouts.services.accrual import accrue
from payouts.services.approving import approve_statement
from payouts.services.documents import store_document
from payouts.services.preparing import prepare_statements
from resellers.models import Reseller
from tests.factories import make_customer, make_provider, make_reseller, make_staff
from tests.factories.payouts import OCTOBER, day, issue, make_plan, pay
from tests.web.reseller_portal.pages import (
    PAGES,
    STATEMENTS,
    open_to,
    page,
    shown_without_selectors,
    words_of,
)

pytestmark = pytest.mark.django_db


def earn(reseller: Reseller) -> PayoutStatement:
    """The reseller's October statement of 100.00 EUR, approved."""
    make_plan(reseller)
    customer = make_customer(reseller.provider, reseller, organisation="Nord")
    issue(customer, at=day(10, 1))
    pay(customer, "1180", at=day(10, 20))
    accrue(provider_id=reseller.provider_id, at=day(11, 1))
    (statement,) = prepare_statements(
        provider_id=reseller.provider_id,
        period=OCTOBER,
        reseller=reseller,
        at=day(11, 1),
        actor_id=None,
    )
    staff = make_staff(reseller.provider)
    return approve_statement(statement=statement, at=day(11, 2), actor_id=staff.pk)


class TestCommission:
    def test_has_ones_own_approved_statements(
        self, viewer: Client, meridian: Reseller, below: Reseller
    ) -> None:
        open_to(meridian, "sees_commission", "sees_branch")
        statement, other = earn(meridian), earn(below)

        text = words_of(viewer, STATEMENTS)

        assert f"{statement.number} 1 Oct 2026 1 Nov 2026 Approved 100.00 EUR" in text
        assert str(other.number) not in text

    def test_shows_a_statement_with_what_earned_it_and_its_files(
        self, viewer: Client, meridian: Reseller
    ) -> None:
        open_to(meridian, "sees_commission")
        statement = earn(meridian)
        address = f"{STATEMENTS}{statement.pk}/"

        text = words_of(viewer, address)

        assert "Closing 100.00 EUR" in text
        assert "Payment received 1,000.00 EUR 10 % 100.00 EUR" in text
        csv = viewer.get(f"{address}accruals.csv").content.decode().splitlines()
        assert len(csv) == 2
        assert ",Nord," in csv[1]
        assert csv[1].endswith(",1000.00,10.0000,100.00,EUR")
        xlsx = viewer.get(f"{address}accruals.xlsx")
        assert xlsx.content.startswith(b"PK")
        fresh = viewer.get(f"{address}pdf/")
        assert fresh.content.startswith(b"%PDF-")
        kept = store_document(statement=statement, at=day(11, 3))
        assert viewer.get(f"{address}pdf/").content == kept

    @pytest.mark.parametrize("file", ["", "pdf/", "accruals.csv", "accruals.xlsx"])
    def test_of_anybody_else_or_a_draft_is_not_found(
        self, viewer: Client, meridian: Reseller, below: Reseller, file: str
    ) -> None:
        open_to(meridian, *PAGES)
        foreign = make_reseller(make_provider())
        make_plan(meridian)
        customer = make_customer(meridian.provider, meridian)
        issue(customer, at=day(10, 1))
        pay(customer, "1180", at=day(10, 20))
        others = [earn(below), earn(make_reseller(meridian.provider)), earn(foreign)]
        (draft,) = prepare_statements(
            provider_id=meridian.provider_id,
            period=OCTOBER,
            reseller=meridian,
            at=day(11, 1),
            actor_id=None,
        )

        for statement in (*others, draft):
            answer = viewer.get(f"{STATEMENTS}{statement.pk}/{file}")
            assert answer.status_code == HTTPStatus.NOT_FOUND

    def test_asks_no_query_for_each(
        self,
        viewer: Client,
        meridian: Reseller,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        open_to(meridian, "sees_commission")
        earn(meridian)

        with django_assert_max_num_queries(30):
            page(viewer, STATEMENTS)

    def test_is_locked_in_the_database_too(self, meridian: Reseller, below: Reseller) -> None:
        statement = earn(meridian)
        earn(below)
        tables = ("payouts_payoutstatement", "payouts_accrual")
        for table in tables:
            assert shown_without_selectors(meridian, f"SELECT id FROM {table}") == []

        open_to(meridian, "sees_commission", "sees_branch")

        shown = shown_without_selectors(meridian, f"SELECT id FROM {tables[0]}")
        assert shown == [(statement.pk,)]
        of = shown_without_selectors(meridian, f"SELECT statement_id FROM {tables[1]}")
        assert of == [(statement.pk,)]
        assert shown_without_selectors(meridian, "SELECT id FROM payments_payment") == []
