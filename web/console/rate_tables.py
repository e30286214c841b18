"""Rate tables in the console: the list, a new one, and what is changed of one later."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import path, reverse

from catalogue import selectors
from catalogue.models import Product, ProductKind, RateTable
from catalogue.services.rate_tables import (
    RateTableNameTaken,
    change_rate_table,
    create_rate_table,
)
from common import clock
from common.scope import Surface
from reports.selectors.given_up import with_work_given_up
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.console.rate_affected import url_after_table
from web.shared.actions import Action
from web.shared.filters import Filters, choice_filter
from web.shared.form_fields import CurrencyField, Form
from web.shared.form_pages import FormPage, form_page
from web.shared.lists import Empty, list_page
from web.shared.tables import Column, InstantColumn, LinkColumn, Table


class RateTableTable(Table):
    name = LinkColumn("Rate table")
    product = Column("Rates")
    currency = Column("Currency")
    time_zone = Column("Time zone")
    parent = LinkColumn("Searched after it", to="parent")
    created_at = InstantColumn("Created")


class RateTableFilters(Filters):
    searches = ("name__icontains",)
    search_hint = "Name of the table"

    work = choice_filter("Work", "pk", [("FAILED", "Something was given up")], method="of_work")

    def of_work(self, rows: QuerySet[RateTable], name: str, state: str) -> QuerySet[RateTable]:
        return with_work_given_up(rows)


@page_of(Surface.CONSOLE, "catalogue.read")
def rate_table_list(request: SurfaceRequest) -> HttpResponse:
    add = Action(
        "Add rate table",
        reverse("console_rate_table_create"),
        "plus",
        needs="catalogue.write",
        is_main=True,
    )
    return list_page(
        request,
        title="Rate tables",
        rows=selectors.rate_tables(request.scope),
        table=RateTableTable,
        filters=RateTableFilters,
        name="rate-tables",
        actions=[
            Action("Notices by e-mail", reverse("console_rate_emails"), "envelope"),
            add,
        ],
        empty=Empty("No rate tables yet", "A rate table says what calls cost.", add),
    )


def _fee_due_field() -> forms.ChoiceField:
    return forms.ChoiceField(
        label="Connection fee of a call that an allowance covers",
        choices=[("beyond_allowance", "Not due"), ("always", "Due")],
    )


class RateTableForm(Form):
    groups = (
        ("", ("name", "product", "currency", "notes")),
        (
            "How a cost is reckoned",
            ("rounding", "decimals", "increment_base", "boundary", "connection_fee_due"),
        ),
    )

    name = forms.CharField(max_length=100)
    product = forms.ModelChoiceField(
        queryset=Product.objects.none(), empty_label="Choose a product"
    )
    currency = CurrencyField()
    notes = forms.CharField(widget=forms.Textarea, required=False)
    rounding = forms.ChoiceField(
        choices=RateTable.RoundingMode.choices, help_text="Once for each xDR, when all is summed."
    )
    decimals = forms.IntegerField(min_value=0, max_value=8, initial=6)
    increment_base = forms.ChoiceField(
        label="Increments count from",
        choices=[("after_minimum", "The end of the minimum"), ("total", "The start of the call")],
    )
    boundary = forms.ChoiceField(
        label="A call that lasts into another rate",
        choices=[("start", "Has the rate of its start"), ("split", "Is split where it changes")],
    )
    connection_fee_due = _fee_due_field()

    def __init__(self, *args: Any, products: QuerySet[Product], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["product"].queryset = products  # type: ignore[attr-defined]


@page_of(Surface.CONSOLE, "catalogue.write", FORM_METHODS)
def rate_table_create(request: SurfaceRequest) -> HttpResponse:
    def save(form: RateTableForm) -> str:
        table = create_rate_table(
            provider_id=request.scope.provider_id,
            **form.cleaned_data,
            time_zone=request.provider.time_zone,
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(request, f"{table} was added; it holds no rates yet.")
        return _url(table)

    page = FormPage(
        "Add a rate table", submit="Add rate table", cancel_url=reverse("console_rate_tables")
    )
    rated = selectors.products(request.scope).filter(
        kind__in=[ProductKind.VOICE, ProductKind.METERED]
    )
    return form_page(
        request,
        page,
        form=RateTableForm,
        save=save,
        fields_of={RateTableNameTaken: "name"},
        initial={"currency": request.provider.currency},
        products=rated,
    )


class RateTableChangeForm(Form):
    name = forms.CharField(max_length=100)
    notes = forms.CharField(widget=forms.Textarea, required=False)
    connection_fee_due = _fee_due_field()


@page_of(Surface.CONSOLE, "catalogue.write", FORM_METHODS)
def rate_table_change(request: SurfaceRequest, table_id: int) -> HttpResponse:
    """What can become another once rates are there; how costs are reckoned else stays for good."""
    table = selectors.rate_table(request.scope, table_id)

    def save(form: RateTableChangeForm) -> str:
        due = table.connection_fee_due
        changed = change_rate_table(
            table=table, **form.cleaned_data, at=clock.now(), actor_id=request.scope.user_id
        )
        messages.success(request, f"{changed} was changed.")
        is_same = changed.connection_fee_due == due
        return _url(table) if is_same else url_after_table(request, table, otherwise=_url(table))

    page = FormPage(
        f"Change {table}",
        submit="Save",
        cancel_url=_url(table),
        lead="Calls that were rated before keep their cost.",
    )
    kept = {name: getattr(table, name) for name in RateTableChangeForm.base_fields}
    return form_page(
        request,
        page,
        form=RateTableChangeForm,
        save=save,
        fields_of={RateTableNameTaken: "name"},
        initial=kept,
    )


def _url(table: RateTable) -> str:
    return reverse("console_rates", kwargs={"table_id": table.pk})


urls = [
    path("rate-tables/", rate_table_list, name="console_rate_tables"),
    path("rate-tables/new/", rate_table_create, name="console_rate_table_create"),
    path("rate-tables/<int:table_id>/change/", rate_table_change, name="console_rate_table_change"),
]
