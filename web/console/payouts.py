"""Payouts in the console: statements from draft to settled, and their files."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from common import clock
from common.csv_files import Cell
from common.money import format_money
from common.periods import PeriodNotUnderstood, parse_month
from common.scope import Surface
from ledger.selectors import transfers
from payouts.documents.kept import statement_pdf
from payouts.documents.layout import lay_out
from payouts.documents.statement_csv import COLUMNS, statement_rows
from payouts.models import PayoutStatement, StatementDocument
from payouts.selectors import statement_documents, statements
from payouts.services.approving import SettlementInFuture, approve_statement, settle_statement
from payouts.services.documents import start_statement_document_again
from payouts.services.preparing import prepare_statements
from resellers.models import Reseller
from resellers.selectors import resellers
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.console.documents import make_again_page, ways_to_pdf
from web.shared.actions import Action, allowed
from web.shared.documents import pdf_response
from web.shared.exports import csv_response, xlsx_response
from web.shared.filters import Filters, choice_filter, row_filter, since_filter, until_filter
from web.shared.form_fields import DateField, Form
from web.shared.form_pages import FormPage, Review, confirm_page, form_page
from web.shared.lists import Empty, list_page
from web.shared.tables import BadgeColumn, Column, DateColumn, LinkColumn, MoneyColumn, Table
from web.shared.writing import money_html

State = PayoutStatement.State


class StatementColumn(LinkColumn):
    """The statement's number, or that it is a draft, which leads to it."""

    def render(self, record: PayoutStatement, value: Any, table: Any) -> SafeString:
        return super().render(record=record, value=str(record), table=table)

    def export_cells(self, record: PayoutStatement, value: Any) -> list[Cell]:
        return [str(record)]


class StatementTable(Table):
    name = StatementColumn("Statement", accessor="pk", attrs={"td": {"class": "code"}})
    reseller = LinkColumn("Reseller", to="reseller")
    period_from = DateColumn("Period from")
    period_to = DateColumn("Ends before")
    state = BadgeColumn("State", accessor="get_state_display", value="state")
    accrued_amount = MoneyColumn("Accrued")
    clawed_back_amount = MoneyColumn("Clawed back")
    closing_amount = MoneyColumn("Closing")
    settled_date = DateColumn("Settled")
    settlement_reference = Column("Reference")


def _resellers(request: SurfaceRequest) -> QuerySet[Reseller]:
    return resellers(request.scope)


class StatementFilters(Filters):
    searches = ("number__istartswith", "reseller__organisation__icontains")
    search_hint = "Number or reseller"

    state = choice_filter("State", "state", State.choices)
    reseller = row_filter("Reseller", "reseller", _resellers)
    since = since_filter("Period since", "period_from")
    until = until_filter("Period until", "period_from")
    document = choice_filter("PDF", "document__state", StatementDocument.State.choices)


@page_of(Surface.CONSOLE, "payouts.list")
def statement_list(request: SurfaceRequest) -> HttpResponse:
    prepare = Action(
        "Prepare statements",
        reverse("console_statement_prepare"),
        "plus",
        needs="payouts.write",
        is_main=True,
    )
    return list_page(
        request,
        title="Payout statements",
        rows=statements(request.scope),
        table=StatementTable,
        filters=StatementFilters,
        name="payout-statements",
        empty=Empty("No statements yet", "Prepare those of a month that is over.", prepare),
        actions=[prepare],
    )


class PrepareForm(Form):
    month = forms.CharField(
        max_length=7,
        help_text="Such as 2026-10.",
        widget=forms.TextInput(attrs={"class": "code", "placeholder": "2026-10"}),
    )
    reseller = forms.ModelChoiceField(
        queryset=Reseller.objects.none(), required=False, empty_label="All of them"
    )

    def __init__(self, *args: Any, rows: QuerySet[Reseller], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["reseller"].queryset = rows  # type: ignore[attr-defined]


@page_of(Surface.CONSOLE, "payouts.write", FORM_METHODS)
def statement_prepare(request: SurfaceRequest) -> HttpResponse:
    def save(form: PrepareForm) -> str:
        prepared = prepare_statements(
            provider_id=request.provider.pk,
            period=parse_month(form.cleaned_data["month"]),
            reseller=form.cleaned_data["reseller"],
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(request, f"Statements prepared: {len(prepared)}.")
        return reverse("console_statements")

    page = FormPage(
        "Prepare payout statements",
        submit="Prepare",
        cancel_url=reverse("console_statements"),
        lead="Drafts of what each reseller earned or carries over; approved ones stay as they are.",
    )
    return form_page(
        request,
        page,
        form=PrepareForm,
        save=save,
        fields_of={PeriodNotUnderstood: "month"},
        rows=resellers(request.scope),
    )


@page_of(Surface.CONSOLE, "payouts.read")
def statement_show(request: SurfaceRequest, statement_id: int) -> HttpResponse:
    statement = statements(request.scope).get(pk=statement_id)
    document = statement_documents(request.scope).filter(statement=statement).first()
    context = {
        "statement": statement,
        "layout": lay_out(statement),
        "transfers": transfers(request.scope, document=f"payout_statement:{statement.pk}"),
        "document": document,
        "actions": allowed(request.scope, _actions(statement, document)),
    }
    return render(request, "console/payouts/statement_show.html", context)


@page_of(Surface.CONSOLE, "payouts.read")
def statement_document(request: SurfaceRequest, statement_id: int) -> HttpResponse:
    statement = statements(request.scope).select_related("provider").get(pk=statement_id)
    return pdf_response(request, str(statement), lambda: statement_pdf(request.scope, statement))


@page_of(Surface.CONSOLE, "payouts.write", FORM_METHODS)
def statement_document_again(request: SurfaceRequest, statement_id: int) -> HttpResponse:
    statement = statements(request.scope).get(pk=statement_id)
    return make_again_page(
        request,
        statement_documents(request.scope).get(statement=statement),
        name=f"statement {statement}",
        start=lambda: start_statement_document_again(
            statement=statement, at=clock.now(), actor_id=request.scope.user_id
        ),
        cancel_url=_address(statement),
    )


@page_of(Surface.CONSOLE, "payouts.read")
def statement_file(request: SurfaceRequest, statement_id: int, kind: str) -> HttpResponse:
    statement = statements(request.scope).get(pk=statement_id)
    respond = {"csv": csv_response, "xlsx": xlsx_response}[kind]
    return respond(f"payout-{statement.pk}", COLUMNS, statement_rows(statement))


@page_of(Surface.CONSOLE, "payouts.write", FORM_METHODS)
def statement_approve(request: SurfaceRequest, statement_id: int) -> HttpResponse:
    statement = statements(request.scope).get(pk=statement_id)

    def confirm() -> str:
        approved = approve_statement(
            statement=statement, at=clock.now(), actor_id=request.scope.user_id
        )
        messages.success(request, f"The statement is approved as {approved}.")
        return _address(statement)

    closing = format_money(statement.closing_amount, statement.currency)
    review = Review(
        title=f"Approve the statement of {statement.reseller} over {closing}?",
        lead="It gets its number, and its figures are fixed from then on.",
        facts=_figures(statement),
        submit="Approve",
    )
    return confirm_page(request, review, confirm=confirm, cancel_url=_address(statement))


class SettleForm(Form):
    settled_date = DateField(label="Paid on")
    mode = forms.ChoiceField(choices=PayoutStatement.Mode.choices, label="How it was paid")
    reference = forms.CharField(max_length=100, help_text="Of the bank or the cheque.")


@page_of(Surface.CONSOLE, "payouts.write", FORM_METHODS)
def statement_settle(request: SurfaceRequest, statement_id: int) -> HttpResponse:
    statement = statements(request.scope).get(pk=statement_id)
    closing = format_money(statement.closing_amount, statement.currency)

    def review(form: SettleForm) -> Review:
        given = form.cleaned_data
        return Review(
            title=f"Record that {statement.reseller} was paid {closing}?",
            lead="The books take it as paid from the bank. A statement is settled once.",
            facts=[
                *_figures(statement),
                ("Paid on", date_format(given["settled_date"], "DATE_FORMAT")),
                ("How it was paid", PayoutStatement.Mode(given["mode"]).label.capitalize()),
                ("Reference", given["reference"]),
            ],
            submit="Record the payout",
            is_dangerous=True,
        )

    def save(form: SettleForm) -> str:
        settle_statement(
            statement=statement,
            settled_date=form.cleaned_data["settled_date"],
            mode=PayoutStatement.Mode(form.cleaned_data["mode"]),
            reference=form.cleaned_data["reference"],
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(request, f"{closing} to {statement.reseller} is recorded.")
        return _address(statement)

    return form_page(
        request,
        FormPage(
            f"Settle {statement}",
            submit="Continue",
            cancel_url=_address(statement),
            lead=f"{closing} is payable to {statement.reseller}, outside of this system.",
        ),
        form=SettleForm,
        save=save,
        review=review,
        fields_of={SettlementInFuture: "settled_date"},
        initial={"settled_date": localtime(clock.now()).date()},
    )


def _figures(statement: PayoutStatement) -> list[tuple[str, object]]:
    currency = statement.currency
    return [
        ("Opening", money_html(statement.opening_amount, currency)),
        ("Accrued", money_html(statement.accrued_amount, currency)),
        ("Clawed back", money_html(statement.clawed_back_amount, currency)),
        ("Settled before", money_html(-statement.settled_before_amount, currency)),
        ("Closing", money_html(statement.closing_amount, currency)),
    ]


def _address(statement: PayoutStatement) -> str:
    return reverse("console_statement", kwargs={"statement_id": statement.pk})


def _actions(statement: PayoutStatement, document: StatementDocument | None) -> list[Action]:
    of_statement = {"statement_id": statement.pk}
    actions = []
    if statement.state == State.DRAFT:
        address = reverse("console_statement_approve", kwargs=of_statement)
        actions.append(Action("Approve", address, "check", needs="payouts.write", is_main=True))
    if statement.state == State.APPROVED and statement.closing_amount > 0:
        address = reverse("console_statement_settle", kwargs=of_statement)
        actions.append(Action("Settle", address, "banknotes", needs="payouts.write", is_main=True))
    pdf = reverse("console_statement_pdf", kwargs=of_statement)
    return [
        *actions,
        *ways_to_pdf(
            document,
            [Action("PDF", pdf, "document-text")],
            again=reverse("console_statement_pdf_again", kwargs=of_statement),
            needs="payouts.write",
        ),
        Action("CSV", reverse("console_statement_csv", kwargs=of_statement), "arrow-down-tray"),
        Action("Excel", reverse("console_statement_xlsx", kwargs=of_statement), "arrow-down-tray"),
    ]


urls = [
    path("payouts/", statement_list, name="console_statements"),
    path("payouts/prepare/", statement_prepare, name="console_statement_prepare"),
    path("payouts/<int:statement_id>/", statement_show, name="console_statement"),
    path("payouts/<int:statement_id>/pdf/", statement_document, name="console_statement_pdf"),
    path(
        "payouts/<int:statement_id>/pdf/again/",
        statement_document_again,
        name="console_statement_pdf_again",
    ),
    path(
        "payouts/<int:statement_id>/accruals.csv",
        statement_file,
        {"kind": "csv"},
        name="console_statement_csv",
    ),
    path(
        "payouts/<int:statement_id>/accruals.xlsx",
        statement_file,
        {"kind": "xlsx"},
        name="console_statement_xlsx",
    ),
    path(
        "payouts/<int:statement_id>/approve/", statement_approve, name="console_statement_approve"
    ),
    path("payouts/<int:statement_id>/settle/", statement_settle, name="console_statement_settle"),
]
