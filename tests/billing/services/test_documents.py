"""Rendering once, keeping it, and finding what was never rendered."""

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, InternalError, transaction
from pytest_django import DjangoCaptureOnCommitCallbacks

from billing.models import Document, Invoice
from billing.selectors.invoices import UnknownInvoice
from billing.services.credit_notes import credit_in_full
from billing.services.documents import (
    queue_missing,
    render_invoices,
    store_credit_note_document,
    store_invoice_document,
)
from common.tries import PAUSE
from tests.factories import make_customer, make_provider
from tests.factories.billing import IN_NOVEMBER, calculate_run, invoice_of, issue_run, make_charge
from tests.factories.tries import refused

pytestmark = pytest.mark.django_db

LATER = IN_NOVEMBER + timedelta(minutes=6)


@pytest.fixture
def invoice() -> Invoice:
    customer = make_customer(make_provider())
    make_charge(customer, "100")
    issue_run(customer.provider)
    return invoice_of(customer)


class TestRenderingInvoices:
    def test_keeps_the_pdf_and_its_hash(self, invoice: Invoice) -> None:
        assert render_invoices(invoice_ids=[invoice.pk], at=LATER) == 1

        document = Document.objects.get(invoice=invoice)
        content = document.pdf
        assert content.startswith(b"%PDF-")
        assert document.sha256 == hashlib.sha256(content).hexdigest()
        assert document.rendered_at == LATER

    def test_again_renders_nothing(self, invoice: Invoice) -> None:
        render_invoices(invoice_ids=[invoice.pk], at=IN_NOVEMBER)

        assert render_invoices(invoice_ids=[invoice.pk], at=LATER) == 0
        assert Document.objects.get().rendered_at == IN_NOVEMBER

    def test_goes_on_with_the_others_where_one_fails(self) -> None:
        provider = make_provider()
        customers = [make_customer(provider) for _ in range(3)]
        for customer in customers:
            make_charge(customer, "100")
        issue_run(provider)
        first, *others = sorted(invoice_of(customer).pk for customer in customers)
        ids = [first, *others]

        with (
            refused(
                "UPDATE",
                "billing_document",
                when=f"NEW.state = 'DONE' AND NEW.invoice_id = {first}",
            ),
            pytest.raises(InternalError, match="out of order"),
        ):
            render_invoices(invoice_ids=ids, at=LATER)

        kept = Document.objects.filter(state="DONE").order_by("invoice")
        assert list(kept.values_list("invoice", flat=True)) == others
        assert render_invoices(invoice_ids=ids, at=LATER + PAUSE) == 1

    def test_at_the_same_moment_keeps_the_first(self, invoice: Invoice) -> None:
        provider_id = invoice.provider_id
        store_invoice_document(provider_id=provider_id, invoice_id=invoice.pk, at=IN_NOVEMBER)

        store_invoice_document(provider_id=provider_id, invoice_id=invoice.pk, at=LATER)

        assert Document.objects.get().rendered_at == IN_NOVEMBER

    def test_leaves_estimates_alone(self) -> None:
        customer = make_customer(make_provider())
        make_charge(customer, "100")
        calculate_run(customer.provider)
        estimate = invoice_of(customer)

        assert render_invoices(invoice_ids=[estimate.pk], at=LATER) == 0
        with pytest.raises(UnknownInvoice):
            store_invoice_document(
                provider_id=customer.provider_id, invoice_id=estimate.pk, at=LATER
            )

    def test_of_another_provider_is_refused(self, invoice: Invoice) -> None:
        with pytest.raises(UnknownInvoice):
            store_invoice_document(provider_id=make_provider().pk, invoice_id=invoice.pk, at=LATER)

    def test_makes_a_document_nothing_can_change(self, invoice: Invoice) -> None:
        render_invoices(invoice_ids=[invoice.pk], at=LATER)

        with pytest.raises(IntegrityError), transaction.atomic():
            Document.objects.update(content=b"other")


class TestRenderingACreditNote:
    def test_happens_once(self, invoice: Invoice) -> None:
        note = credit_in_full(invoice_id=invoice.pk, reason="Wrong", at=LATER, actor_id=None)
        keys = {"provider_id": note.provider_id, "credit_note_id": note.pk}

        assert store_credit_note_document(at=LATER, **keys)
        assert not store_credit_note_document(at=LATER, **keys)

        assert Document.objects.get(credit_note=note).pdf.startswith(b"%PDF-")


class TestTheSweep:
    def test_queues_what_was_never_rendered(
        self,
        invoice: Invoice,
        sent: list[tuple[str, dict[str, Any]]],
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    ) -> None:
        note = credit_in_full(invoice_id=invoice.pk, reason="Wrong", at=IN_NOVEMBER, actor_id=None)

        with django_capture_on_commit_callbacks(execute=True):
            assert queue_missing(at=LATER) == 2

        assert sent == [
            ("billing.render_documents", {"invoice_ids": [invoice.pk]}),
            (
                "billing.render_credit_note",
                {"provider_id": note.provider_id, "credit_note_id": note.pk},
            ),
        ]

    def test_leaves_the_youngest_to_their_own_tasks(self, invoice: Invoice) -> None:
        assert queue_missing(at=IN_NOVEMBER + timedelta(minutes=4)) == 0

    def test_finds_nothing_when_all_are_rendered(self, invoice: Invoice) -> None:
        render_invoices(invoice_ids=[invoice.pk], at=LATER)

        assert queue_missing(at=LATER) == 0
