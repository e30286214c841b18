"""Credit notes in the console: the list, each of them, and crediting an invoice."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse

from billing.documents.kept import credit_note_pdf
from billing.models import CreditNote, Document, Invoice, InvoiceLine
from billing.rules.crediting import Creditable
from billing.selectors.credit_notes import credit_notes, creditable_lines
from billing.selectors.details import credit_note_detail
from billing.selectors.documents import documents
from billing.selectors.invoices import invoice_by_id
from billing.services.credit_notes import (
    CreditAmountRefused,
    CreditExceedsInvoice,
    LineNotCreditable,
    all_to_credit,
    amount_to_credit,
    credit_amount,
    credit_in_full,
    credit_lines,
    creditable,
    lines_to_credit,
)
from billing.services.documents import start_credit_note_document_again
from common import clock
from common.errors import DomainError
from common.money import ZERO, format_money
from common.scope import Surface
from resellers.models import Reseller
from resellers.selectors import resellers
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.console.documents import make_again_page, ways_to_pdf
from web.shared.actions import Action, allowed
from web.shared.documents import pdf_response
from web.shared.filters import (
    Filters,
    choice_filter,
    since_filter,
    tag_filter,
    text_filter,
    until_filter,
)
from web.shared.form_fields import Form, MoneyField
from web.shared.form_pages import FormPage, Review, form_page
from web.shared.links import url_of
from web.shared.lists import Empty, list_page
from web.shared.tables import Column, DateColumn, LinkColumn, MoneyColumn, Table
from web.shared.writing import money_html

CODE = {"td": {"class": "code"}}
FULL, LINES, AMOUNT = "FULL", "LINES", "AMOUNT"
WAYS = [(FULL, "All that is left"), (LINES, "Chosen lines"), (AMOUNT, "An amount with tax")]


class CreditNoteTable(Table):
    number = LinkColumn("Number", attrs=CODE)
    invoice = LinkColumn("Invoice", to="invoice", attrs=CODE)
    customer = LinkColumn("Customer", accessor="customer__name", to="customer")
    reason = Column("Reason")
    issue_date = DateColumn("Issued")
    net_amount = MoneyColumn("Net")
    tax_amount = MoneyColumn("Tax")
    gross_amount = MoneyColumn("Gross")


def _resellers(request: SurfaceRequest) -> QuerySet[Reseller]:
    return resellers(request.scope)


class CreditNoteFilters(Filters):
    searches = (
        "number__istartswith",
        "invoice__number__istartswith",
        "customer__organisation__icontains",
        "customer__last_name__icontains",
    )
    joined = ("invoice",)
    search_hint = "Number, invoice or customer"

    reseller = tag_filter("Reseller", "invoice__tagged_reseller", _resellers)
    currency = text_filter("Currency", "currency__iexact")
    document = choice_filter("PDF", "document__state", Document.State.choices)
    since = since_filter("Issued since", "issue_date")
    until = until_filter("Issued until", "issue_date")


@page_of(Surface.CONSOLE, "money.list")
def credit_note_list(request: SurfaceRequest) -> HttpResponse:
    return list_page(
        request,
        title="Credit notes",
        rows=credit_notes(request.scope),
        table=CreditNoteTable,
        filters=CreditNoteFilters,
        name="credit-notes",
        empty=Empty("No credit notes", "An issued invoice is corrected by one, from its page."),
    )


@page_of(Surface.CONSOLE, "money.read")
def credit_note_show(request: SurfaceRequest, credit_note_id: int) -> HttpResponse:
    note = credit_notes(request.scope).get(pk=credit_note_id)
    of_note = {"credit_note_id": note.pk}
    address = reverse("console_credit_note_pdf", kwargs=of_note)
    document = documents(request.scope).filter(credit_note=note).first()
    shown = [
        Action("View PDF", address, "document-text"),
        Action("Download", f"{address}?download", "arrow-down-tray"),
    ]
    again = reverse("console_credit_note_pdf_again", kwargs=of_note)
    actions = ways_to_pdf(document, shown, again=again, needs="money.write")
    context = {
        "note": note,
        "payer": note.customer or note.invoice.reseller,
        "detail": credit_note_detail(request.scope, note.pk),
        "due_credit_amount": note.gross_amount - note.excess_amount,
        "document": document,
        "actions": allowed(request.scope, actions),
    }
    return render(request, "console/billing/credit_note_show.html", context)


@page_of(Surface.CONSOLE, "money.read")
def credit_note_document(request: SurfaceRequest, credit_note_id: int) -> HttpResponse:
    note = credit_notes(request.scope).get(pk=credit_note_id)
    return pdf_response(request, note.number, lambda: credit_note_pdf(request.scope, note.pk))


@page_of(Surface.CONSOLE, "money.write", FORM_METHODS)
def credit_note_document_again(request: SurfaceRequest, credit_note_id: int) -> HttpResponse:
    note = credit_notes(request.scope).get(pk=credit_note_id)
    return make_again_page(
        request,
        documents(request.scope).get(credit_note=note),
        name=f"credit note {note}",
        start=lambda: start_credit_note_document_again(
            note=note, at=clock.now(), actor_id=request.scope.user_id
        ),
        cancel_url=url_of(request.scope, note),
    )


class CreditForm(Form):
    way = forms.ChoiceField(choices=WAYS, label="What to credit")
    amount = forms.DecimalField(required=False)
    lines = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Only for chosen lines; each is taken back whole with its taxes.",
    )
    reason = forms.CharField(max_length=300, help_text="Printed on the credit note.")

    def __init__(
        self, *args: Any, invoice: Invoice, lines: list[InvoiceLine], **options: Any
    ) -> None:
        super().__init__(*args, **options)
        currency = invoice.currency
        self.fields["amount"] = MoneyField(
            currency=currency,
            label=f"Amount with tax, in {currency}",
            required=False,
            help_text="Only for an amount.",
        )
        self.fields["lines"].choices = [  # type: ignore[attr-defined]
            (line.pk, f"{line.description}: {format_money(line.net_amount, currency)}")
            for line in lines
        ]
        if not lines:
            self.fields["lines"].help_text = "Every line was credited before."

    @property
    def gross_amount(self) -> Decimal:
        return self.cleaned_data["amount"] or ZERO

    @property
    def line_ids(self) -> list[int]:
        return [int(line_id) for line_id in self.cleaned_data["lines"]]


@page_of(Surface.CONSOLE, "money.write", FORM_METHODS)
def credit_note_create(request: SurfaceRequest, invoice_id: int) -> HttpResponse:
    invoice = invoice_by_id(request.scope, invoice_id)

    def save(form: CreditForm) -> str:
        note = _credit(invoice, form, actor_id=request.scope.user_id)
        messages.success(request, f"Credit note {note} was issued.")
        return reverse("console_credit_note", kwargs={"credit_note_id": note.pk})

    left = creditable(invoice)
    page = FormPage(
        f"Credit invoice {invoice}",
        submit="Continue",
        cancel_url=reverse("console_invoice", kwargs={"invoice_id": invoice.pk}),
        lead=f"{format_money(left.gross_amount, invoice.currency)} is left to credit.",
    )
    fields: dict[type[DomainError], str] = {
        LineNotCreditable: "lines",
        CreditAmountRefused: "amount",
        CreditExceedsInvoice: "amount",
    }
    return form_page(
        request,
        page,
        form=CreditForm,
        save=save,
        review=lambda form: _review(invoice, form),
        fields_of=fields,
        invoice=invoice,
        lines=list(creditable_lines(request.scope, invoice.pk)),
    )


def _credit(invoice: Invoice, form: CreditForm, *, actor_id: int | None) -> CreditNote:
    at, reason = clock.now(), form.cleaned_data["reason"]
    match form.cleaned_data["way"]:
        case "LINES":
            return credit_lines(
                invoice_id=invoice.pk,
                line_ids=form.line_ids,
                reason=reason,
                at=at,
                actor_id=actor_id,
            )
        case "AMOUNT":
            return credit_amount(
                invoice_id=invoice.pk,
                gross_amount=form.gross_amount,
                reason=reason,
                at=at,
                actor_id=actor_id,
            )
        case _:
            return credit_in_full(invoice_id=invoice.pk, reason=reason, at=at, actor_id=actor_id)


def _review(invoice: Invoice, form: CreditForm) -> Review:
    amounts, lines = _amounts(invoice, form)
    currency = invoice.currency
    excess = max(ZERO, amounts.gross_amount - invoice.due_amount)
    return Review(
        title=f"Credit {format_money(amounts.gross_amount, currency)} of invoice {invoice}?",
        lead="A credit note is issued at once and can never be changed or taken back.",
        facts=[
            ("Net", money_html(amounts.net_amount, currency)),
            ("Tax", money_html(amounts.tax_amount, currency)),
            ("Gross", money_html(amounts.gross_amount, currency)),
            ("Brings down what is due by", money_html(amounts.gross_amount - excess, currency)),
            ("Goes to the wallet", money_html(excess, currency)),
            ("Reason", form.cleaned_data["reason"]),
        ],
        headings=["Line", "Net"] if lines else [],
        rows=[(line.description, money_html(line.net_amount, currency)) for line in lines],
        submit="Issue the credit note",
        is_dangerous=True,
    )


def _amounts(invoice: Invoice, form: CreditForm) -> tuple[Creditable, list[InvoiceLine]]:
    match form.cleaned_data["way"]:
        case "LINES":
            return lines_to_credit(invoice, form.line_ids)
        case "AMOUNT":
            return amount_to_credit(invoice, form.gross_amount), []
        case _:
            return all_to_credit(invoice), []


urls = [
    path("billing/credit-notes/", credit_note_list, name="console_credit_notes"),
    path(
        "billing/credit-notes/<int:credit_note_id>/", credit_note_show, name="console_credit_note"
    ),
    path(
        "billing/credit-notes/<int:credit_note_id>/pdf/",
        credit_note_document,
        name="console_credit_note_pdf",
    ),
    path(
        "billing/credit-notes/<int:credit_note_id>/pdf/again/",
        credit_note_document_again,
        name="console_credit_note_pdf_again",
    ),
    path(
        "billing/invoices/<int:invoice_id>/credit/",
        credit_note_create,
        name="console_credit_note_create",
    ),
]
