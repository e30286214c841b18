"""The command, with a real worker on the real broker."""

from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from billing.models import BillRun, Document, Invoice
from tenancy.models import Provider
from tests.factories import make_biller_entity, make_customer, make_provider, make_tax_profile
from tests.factories.billing import make_charge, make_chunk, make_usage
from tests.workers import forget_queued_work, running_worker

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def provider(transactional_db: None) -> Iterator[Provider]:
    forget_queued_work()
    provider = make_provider("aurora", name="Aurora")
    make_tax_profile(provider, "19")
    chunk = make_chunk(provider)
    for _ in range(3):
        customer = make_customer(provider)
        make_charge(customer, "1000")
        make_usage(customer, "234.56", chunk=chunk)
    yield provider
    forget_queued_work()


def run(**options: Any) -> str:
    output = StringIO()
    values = {"provider": "aurora", "period": "2026-10", "stdout": output, "stderr": output}
    call_command("run_billing", **values | options)
    return output.getvalue()


class TestRunBilling:
    def test_calculates_then_issues_and_prints_through_a_worker(
        self, provider: Provider, tmp_path: Path
    ) -> None:
        with running_worker(tmp_path):
            estimates = run()
            assert set(Invoice.objects.values_list("state", flat=True)) == {"ESTIMATE"}
            issued = run(approve=True)
            again = run(approve=True)

        for output in (estimates, issued, again):
            assert "3,703.68" in output
            assert "4,407.39" in output
        assert "--approve" in estimates
        assert "issued on" in again
        numbers = Invoice.objects.order_by("number").values_list("number", flat=True)
        assert [number[-6:] for number in numbers if number] == ["000001", "000002", "000003"]
        assert Document.objects.count() == 3
        assert BillRun.objects.get().state == BillRun.State.ISSUED

    def test_ends_although_a_pdf_was_given_up(self, provider: Provider, tmp_path: Path) -> None:
        with running_worker(tmp_path):
            run()
            invoice = Invoice.objects.earliest("pk")
            Document.objects.create(
                provider=provider, invoice=invoice, state=Document.State.FAILED, try_error="why"
            )
            issued = run(approve=True)

        assert "PDFs that could not be made: 1. The invoices' pages say why." in issued
        assert Document.objects.filter(state=Document.State.DONE).count() == 2

    def test_without_a_worker_says_so_and_can_be_repeated(
        self, provider: Provider, tmp_path: Path
    ) -> None:
        with pytest.raises(CommandError, match="no worker") as stopped:
            run(patience=0.5)

        assert stopped.value.returncode == 1
        with running_worker(tmp_path):
            assert "3,703.68" in run()

    def test_names_the_customers_that_failed(self, provider: Provider, tmp_path: Path) -> None:
        broken = make_biller_entity(provider, is_default=False, rounding="SIDEWAYS")
        customer = make_customer(provider, organisation="Broken Ltd", biller_entity=broken)
        make_charge(customer, "1")
        output = StringIO()

        with running_worker(tmp_path), pytest.raises(CommandError, match="1 of 4 payers"):
            run(approve=True, stdout=output, stderr=output)

        assert "Broken Ltd: ValueError" in output.getvalue()
        assert Invoice.objects.filter(state="ISSUED").count() == 3


class TestBadInput:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"provider": "nobody"}, "aurora"),
            ({"period": "October"}, "2026-10"),
            ({"period": "2999-01"}, "is not over"),
        ],
    )
    def test_is_refused_with_status_2(
        self, provider: Provider, options: dict[str, str], message: str
    ) -> None:
        with pytest.raises(CommandError, match=message) as refusal:
            run(**options)

        assert refusal.value.returncode == 2
        assert not BillRun.objects.exists()
