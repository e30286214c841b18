"""What was given up is counted until somebody starts it again, or asks for it anew."""

from collections.abc import Callable

import pytest

from billing.models import InvoiceEmail
from catalogue.models import RateTable
from cdr.models import Mending, XdrChunk, XdrFile
from common.scope import Scope
from reports.selectors.given_up import (
    RATE_WORK,
    GivenUp,
    failed_emails,
    given_up,
    given_up_counts,
    given_up_totals,
    with_work_given_up,
)
from tenancy import row_security
from tenancy.models import Provider
from tests.factories import make_provider, make_reseller, make_what_if
from tests.factories.documents import given_up as document_given_up
from tests.factories.given_up import (
    FAILED,
    MAKERS,
    a_table,
    an_invoice,
    email_of,
    notice_of,
    one_of_each,
    rate_edit_of,
    rate_email,
    rate_export_of,
    rate_import_of,
    relabelling_of,
    rerating_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider() -> Provider:
    return make_provider()


def count(provider: Provider, kind: GivenUp) -> int:
    return given_up_counts(Scope.system(provider.pk), [kind])[kind]


class TestEachKind:
    def test_is_counted_for_its_provider(self) -> None:
        one, other = one_of_each(), make_provider()

        assert given_up_counts(Scope.system(one.pk), list(GivenUp)) == dict.fromkeys(GivenUp, 1)
        assert given_up_counts(Scope.system(other.pk), list(GivenUp)) == dict.fromkeys(GivenUp, 0)

    def test_is_counted_by_the_role_of_the_metrics_for_all_of_them(self) -> None:
        slugs = sorted([one_of_each().slug, one_of_each().slug])

        with row_security.metrics_role():
            totals = given_up_totals()

        assert totals == sorted((slug, str(kind), 1) for slug in slugs for kind in GivenUp)

    def test_is_shown_to_staff_and_not_to_others(self, provider: Provider) -> None:
        for kind, make in MAKERS.items():
            make(provider)

            assert given_up(Scope.system(provider.pk), kind).count() == 1


class TestWhatIsStartedAgainWhereItIs:
    def test_is_counted_while_it_has_failed(self, provider: Provider) -> None:
        for kind in (GivenUp.FILES, GivenUp.CHUNKS, GivenUp.MENDINGS):
            MAKERS[kind](provider)
            MAKERS[kind](provider)

        assert count(provider, GivenUp.FILES) == 2
        XdrFile.objects.filter(state="FAILED").update(state="RECEIVED")
        XdrChunk.objects.filter(state="FAILED").update(state="WAITING")
        Mending.objects.update(state="AT_WORK")
        assert [count(provider, kind) for kind in (GivenUp.FILES, GivenUp.CHUNKS)] == [0, 0]
        assert count(provider, GivenUp.MENDINGS) == 0

    def test_is_no_document_that_will_be_tried_again(self, provider: Provider) -> None:
        document = document_given_up(an_invoice(provider))
        at_first = count(provider, GivenUp.INVOICE_DOCUMENTS)
        document.state = document.State.WAITING
        document.save()

        assert (at_first, count(provider, GivenUp.INVOICE_DOCUMENTS)) == (1, 0)


class TestWhatIsAskedForAnew:
    @pytest.mark.parametrize(
        ("kind", "make"),
        [
            (GivenUp.RATE_IMPORTS, rate_import_of),
            (GivenUp.RATE_EDITS, rate_edit_of),
            (GivenUp.RELABELLINGS, relabelling_of),
            (GivenUp.RATE_EXPORTS, rate_export_of),
            (GivenUp.RATE_NOTICES, lambda table, state="PREPARING", **_: notice_of(table, state)),
        ],
    )
    def test_of_the_rate_table_waits_no_more(
        self, provider: Provider, kind: GivenUp, make: Callable[..., object]
    ) -> None:
        table, other = a_table(provider), a_table(provider)
        make(other)
        make(table, **FAILED)
        make(table, **FAILED)
        twice = count(provider, kind)
        found = list(with_work_given_up(RateTable.objects.filter(provider=provider)))

        make(table)

        assert kind in RATE_WORK
        assert (twice, found) == (1, [table])
        assert count(provider, kind) == 0
        assert not with_work_given_up(RateTable.objects.filter(provider=provider)).exists()

    def test_of_the_provider_waits_no_more(self, provider: Provider) -> None:
        reseller = make_reseller(provider)
        rerating_of(provider, **FAILED)
        make_what_if(reseller, **FAILED)
        before = count(provider, GivenUp.RERATINGS), count(provider, GivenUp.WHAT_IFS)

        rerating_of(provider)
        make_what_if(reseller)

        assert before == (1, 1)
        assert (count(provider, GivenUp.RERATINGS), count(provider, GivenUp.WHAT_IFS)) == (0, 0)

    def test_is_not_what_was_refused(self, provider: Provider) -> None:
        rate_import_of(a_table(provider), state="FAILED", error="Line 2 has no prefix.")
        rate_edit_of(a_table(provider), state="FAILED", error="The table has changed since.")

        assert count(provider, GivenUp.RATE_IMPORTS) == 0
        assert count(provider, GivenUp.RATE_EDITS) == 0


class TestAnEmailOfAnInvoice:
    @pytest.mark.parametrize("state", ["QUEUED", "FAILED"])
    def test_waits_until_another_is_asked_for_that_does_not_fail(
        self, provider: Provider, state: str
    ) -> None:
        invoice = an_invoice(provider)
        email_of(invoice, state="FAILED")
        email_of(an_invoice(provider))
        later = email_of(invoice, state=state)

        found = list(failed_emails(InvoiceEmail.objects.all()))

        assert found == ([later] if state == "FAILED" else [])


class TestAnEmailOfARateNotice:
    @pytest.mark.parametrize(
        ("state", "recipient_count", "waits"),
        [
            ("SENT", 3, 0),
            ("PREPARED", 0, 0),
            ("DISCARDED", 0, 0),
            ("PREPARED", 1, 1),
            ("DISCARDED", 1, 1),
            ("PREPARING", 0, 1),
            ("FAILED", 0, 1),
        ],
    )
    def test_waits_until_a_later_notice_of_the_table_tells_all_there_are(
        self, provider: Provider, state: str, recipient_count: int, waits: int
    ) -> None:
        table = a_table(provider)
        notice_of(table, "SENT", recipient_count=1)
        rate_email(table)
        notice_of(a_table(provider), "SENT", recipient_count=1)
        before = count(provider, GivenUp.RATE_EMAILS)

        notice_of(table, state, recipient_count=recipient_count)

        assert (before, count(provider, GivenUp.RATE_EMAILS)) == (1, waits)
