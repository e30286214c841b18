"""What was given up: the first page and the metrics say so, and lead to the list of just that."""

import re

import pytest
from django.test import Client

from reports.selectors.given_up import GivenUp
from tenancy.models import Provider
from tests.factories import make_customer, make_provider
from tests.factories.given_up import (
    MAKERS,
    a_table,
    an_invoice,
    email_of,
    notice_of,
    one_of_each,
    rate_email,
)
from tests.payments.books import pay_offline
from tests.web.console.pages import as_role, page, query_count, table
from web.console.given_up import COUNTED_ELSEWHERE

pytestmark = pytest.mark.django_db
HOME, METRICS = "/console/", "/console/usage/metrics/"
OF_FINANCE_ONLY = {
    "Credit notes whose PDF could not be made",
    "Payers that bill runs could not bill",
}


@pytest.fixture
def provider() -> Provider:
    """Next to one that has one of each, too."""
    one_of_each()
    return one_of_each()


def shown(text: str) -> dict[str, tuple[str, str]]:
    """What the metrics say was given up: by its name the list and the count."""
    section = text[text.index("Given up, waiting for somebody") :]
    section = section[: section.index("</section>")]
    found = re.findall(r'<a href="([^"]+)">([^<]+)</a><span[^>]*>([^<]+)</span>', section)
    return {name: (url, count) for url, name, count in found}


class TestTheFirstPage:
    def test_warns_of_each_kind_and_leads_to_it(self, provider: Provider) -> None:
        admin = as_role(provider, "Admin")
        of_metrics = shown(page(admin, METRICS))

        text = page(admin, HOME)

        warned = {name for name in of_metrics if name in text}
        assert len(of_metrics) == len(GivenUp)
        assert len(warned) == len(GivenUp) - len(COUNTED_ELSEWHERE)
        assert all(f'href="{of_metrics[name][0]}"' in text for name in warned)

    def test_asks_as_often_with_much_as_with_nothing(self, provider: Provider) -> None:
        nothing = query_count(as_role(make_provider(), "Admin"), HOME)

        assert query_count(as_role(provider, "Admin"), HOME) <= nothing + 1


class TestTheMetricsPage:
    def test_counts_what_the_user_may_read(self, provider: Provider) -> None:
        of_finance = shown(page(as_role(provider, "Finance"), METRICS))
        of_service = shown(page(as_role(provider, "Service"), METRICS))

        assert {count for _, count in of_finance.values()} == {"1"}
        assert of_finance.keys() >= OF_FINANCE_ONLY
        assert not OF_FINANCE_ONLY & of_service.keys()
        assert "xDR files that failed" in of_service

    def test_says_so_where_nothing_was(self) -> None:
        text = page(as_role(make_provider(), "Admin"), METRICS)

        assert shown(text) == {}
        assert "Nothing: what workers cannot do in five tries is counted here" in text


class TestTheListItLeadsTo:
    @pytest.fixture
    def admin(self) -> Client:
        """Of a provider that has what did not fail, too."""
        provider = make_provider()
        email_of(an_invoice(provider), state="QUEUED")
        rate_email(a_table(provider), state="QUEUED")
        pay_offline(make_customer(provider), "7.00")
        told = a_table(provider)
        rate_email(told)
        notice_of(told, "SENT", recipient_count=1)
        self.provider = provider
        return as_role(provider, "Admin")

    @pytest.mark.parametrize("kind", sorted(set(GivenUp) - {GivenUp.BILL_RUN_PAYERS}))
    def test_shows_that_and_nothing_else(self, admin: Client, kind: GivenUp) -> None:
        MAKERS[kind](self.provider)
        [(url, count)] = shown(page(admin, METRICS)).values()

        rows = table(admin, f"{url}{'&' if '?' in url else '?'}format=csv")

        assert (len(rows), count) == (1, "1")
