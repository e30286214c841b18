"""Rate tables in the console: the list, the rates of one, and what staff change of them."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse

from catalogue import selectors
from catalogue.models import Product, ProductKind, Rate, RateTable
from catalogue.rules.rate_terms import RateRefused, RateTerms
from catalogue.services.rate_tables import RateTableNameTaken, create_rate_table
from catalogue.services.rates import add_rate, change_rate
from common import clock
from common.scope import Surface
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.console import (
    rate_affected,
    rate_closing,
    rate_comparison,
    rate_edit_list,
    rate_edits,
    rate_history,
    rate_prices,
    rates_at,
)
from web.console.rate_affected import url_after
from web.console.rate_columns import (
    ConditionsColumn,
    HistoryColumn,
    IntervalColumn,
    PrefixColumn,
    RateFilters,
    TickColumn,
    conditions_of,
    frame,
    history_url,
)
from web.shared.actions import Action, allowed
from web.shared.filters import Filters
from web.shared.form_fields import (
    CountField,
    CurrencyField,
    ExactField,
    Form,
    InstantField,
)
from web.shared.form_pages import FormPage, form_page
from web.shared.lists import Empty, list_page
from web.shared.tables import (
    BadgeColumn,
    Column,
    InstantColumn,
    LinkColumn,
    MoneyColumn,
    Table,
)

PRICES = ("rate", "initial_rate", "connection_fee", "min_cost", "max_cost", "attempt_fee")
KEPT = "Calls that were rated before keep their cost."


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
        actions=[add],
        empty=Empty("No rate tables yet", "A rate table says what calls cost.", add),
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
    product = forms.ModelChoiceField(queryset=Product.objects.none())
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
    connection_fee_due = forms.ChoiceField(
        label="Connection fee of a call that an allowance covers",
        choices=[("beyond_allowance", "Not due"), ("always", "Due")],
    )

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


class RateTableRates(Table):
    prefix = PrefixColumn()
    destination = Column("Destination")
    rate = MoneyColumn("Rate", currency="rate_table__currency", is_exact=True)
    intervals = IntervalColumn()
    connection_fee = MoneyColumn("Fee", currency="rate_table__currency", is_exact=True)
    effective_from = InstantColumn("From")
    effective_to = InstantColumn("Until")
    conditions = ConditionsColumn()
    status = BadgeColumn("Status", accessor="get_status_display", value="status")
    history = HistoryColumn()
    chosen = TickColumn()


@page_of(Surface.CONSOLE, "catalogue.read")
def rate_list(request: SurfaceRequest, table_id: int) -> HttpResponse:
    table = selectors.rate_table(request.scope, table_id)
    of_table = {"table_id": table.pk}
    write = "catalogue.write"
    compare = Action("Compare", f"{reverse('console_rate_comparison')}?left={table.pk}", "scale")
    price = Action("Price a call", reverse("console_rate_price", kwargs=of_table), "calculator")
    export = Action("Export", reverse("console_rates_export", kwargs=of_table), "arrow-down-tray")
    notify = Action("Notify", reverse("console_rate_notices", kwargs=of_table), "envelope")
    deck = Action(
        "Code deck", reverse("console_rate_table_deck", kwargs=of_table), "tag", needs=write
    )
    imports = Action("Imports", reverse("console_rate_imports", kwargs=of_table), "clock")
    load = Action(
        "Import",
        reverse("console_rate_import_upload", kwargs=of_table),
        "arrow-up-tray",
        needs=write,
    )
    add = Action(
        "Add rate",
        reverse("console_rate_create", kwargs=of_table),
        "plus",
        needs=write,
        is_main=True,
    )
    return list_page(
        request,
        title=table.name,
        lead=f"{table.product} in {table.currency}, per {table.product.rating_unit};"
        f" minimum and increment in {table.product.volume_unit}s.",
        rows=selectors.rates(request.scope, table).select_related("rate_table", "time_profile"),
        table=RateTableRates,
        filters=RateFilters,
        name=f"rates-{table.pk}",
        actions=[compare, price, deck, notify, export, imports, load, add],
        empty=Empty("No rates yet", "Import a file of them, or add one here.", load),
        template="console/rates/rate_list.html",
        context={**frame(request, table), "may_write": write in request.scope.permissions},
    )


class RateForm(Form):
    groups = (
        ("Where to", ("prefix", "destination")),
        ("When", ("effective_from", "effective_to")),
        ("Price", PRICES),
        ("How it is counted", ("minimum", "increment", "grace", "status")),
    )

    # Django's forms have a prefix of their own; pages have one form each and need none.
    prefix = forms.CharField(  # type: ignore[assignment]
        max_length=15, required=False, help_text="Leading digits; empty fits any number."
    )
    destination = forms.CharField(
        max_length=120, required=False, help_text="Empty: that of the table's code deck."
    )
    effective_from = InstantField(label="In force from")
    effective_to = InstantField(
        label="Until", required=False, help_text="Empty: until the next rate of the prefix."
    )
    rate = ExactField()
    initial_rate = ExactField(
        required=False, help_text="Inside the minimum, where it differs from the rate."
    )
    connection_fee = ExactField(initial=0)
    min_cost = ExactField(label="Costs at least", required=False)
    max_cost = ExactField(label="Costs at most", required=False)
    attempt_fee = ExactField(initial=0, help_text="For a call that was not answered.")
    minimum = CountField(initial=1, help_text="The least that is billed.")
    increment = CountField(initial=1, help_text="The step billed after the minimum.")
    grace = CountField(initial=0, help_text="Free up to this volume.")
    status = forms.ChoiceField(choices=Rate.Status.choices, initial=Rate.Status.ACTIVE)

    def __init__(self, *args: Any, kept: dict[str, Any] | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.kept = kept or {}

    def clean(self) -> dict[str, Any]:
        """Build the terms, so that what no rate may hold is said at its field."""
        cleaned: dict[str, Any] = self.cleaned_data
        if not self.errors:
            cleaned |= self._untouched_instants()
            try:
                self.terms = RateTerms(**{**self.kept, **cleaned})
            except RateRefused as refusal:
                column = refusal.column if refusal.column in self.fields else None
                self.add_error(column, str(refusal))
        return cleaned

    def _untouched_instants(self) -> dict[str, datetime]:
        """Instants of the rate that were left as shown: the form shows no seconds, it has them."""
        known = {name: self.kept.get(name) for name in ("effective_from", "effective_to")}
        return {
            name: at
            for name, at in known.items()
            if at is not None and at.replace(second=0, microsecond=0) == self.cleaned_data[name]
        }


@page_of(Surface.CONSOLE, "catalogue.write", FORM_METHODS)
def rate_create(request: SurfaceRequest, table_id: int) -> HttpResponse:
    table = selectors.rate_table(request.scope, table_id)

    def save(form: RateForm) -> str:
        added = add_rate(
            table=table, terms=form.terms, at=clock.now(), actor_id=request.scope.user_id
        )
        messages.success(request, f"The rate of {form.terms.prefix or 'any number'} was added.")
        since = form.terms.effective_from
        return url_after(request, added, since=since, otherwise=_url(table))

    page = FormPage(
        f"Add a rate to {table}",
        submit="Add rate",
        cancel_url=_url(table),
        lead=f"Amounts are in {table.currency} per {table.product.rating_unit}. {KEPT}",
    )
    initial = {"effective_from": clock.now()}
    return form_page(
        request,
        page,
        form=RateForm,
        save=save,
        fields_of={RateRefused: "destination"},
        initial=initial,
    )


@page_of(Surface.CONSOLE, "catalogue.read")
def rate_detail(request: SurfaceRequest, rate_id: int) -> HttpResponse:
    rate = selectors.rate(request.scope, rate_id)
    of_rate = {"rate_id": rate.pk}
    close = Action(
        "Close", reverse("console_rate_close", kwargs=of_rate), "stop", needs="catalogue.write"
    )
    change = Action(
        "Change",
        reverse("console_rate_change", kwargs=of_rate),
        "pencil-square",
        needs="catalogue.write",
    )
    history = Action("History", history_url(rate.rate_table_id, rate.prefix), "clock")
    actions = [history, change] if rate.effective_to is not None else [history, close, change]
    context = {
        "rate": rate,
        "table": rate.rate_table,
        "conditions": conditions_of(rate),
        "actions": allowed(request.scope, actions),
    }
    return render(request, "console/rates/rate_detail.html", context)


@page_of(Surface.CONSOLE, "catalogue.write", FORM_METHODS)
def rate_change(request: SurfaceRequest, rate_id: int) -> HttpResponse:
    rate = selectors.rate(request.scope, rate_id)

    def save(form: RateForm) -> str:
        change_rate(rate=rate, terms=form.terms, at=clock.now(), actor_id=request.scope.user_id)
        messages.success(request, "The rate was changed.")
        since = min(rate.effective_from, form.terms.effective_from)
        return url_after(request, rate, since=since, otherwise=_rate_url(rate))

    page = FormPage(
        f"Change the rate of {rate.prefix or 'any number'}",
        submit="Save",
        cancel_url=_rate_url(rate),
        lead=f"In {rate.rate_table}, in {rate.rate_table.currency}. {KEPT}",
    )
    terms = {name: getattr(rate, name) for name in RateTerms.__dataclass_fields__}
    return form_page(
        request,
        page,
        form=RateForm,
        save=save,
        fields_of={RateRefused: "destination"},
        initial={name: _typed(value) for name, value in terms.items()},
        kept=terms,
    )


def _typed(value: object) -> object:
    """A value as somebody would type it: amounts without the zeros that storing them adds."""
    return f"{value.normalize():f}" if isinstance(value, Decimal) else value


def _url(table: RateTable) -> str:
    return reverse("console_rates", kwargs={"table_id": table.pk})


def _rate_url(rate: Rate) -> str:
    return reverse("console_rate", kwargs={"rate_id": rate.pk})


urls = [
    path("rate-tables/", rate_table_list, name="console_rate_tables"),
    path("rate-tables/new/", rate_table_create, name="console_rate_table_create"),
    path("rate-tables/<int:table_id>/", rate_list, name="console_rates"),
    path("rate-tables/<int:table_id>/new/", rate_create, name="console_rate_create"),
    path("rate-tables/rates/<int:rate_id>/", rate_detail, name="console_rate"),
    path("rate-tables/rates/<int:rate_id>/change/", rate_change, name="console_rate_change"),
    *rate_closing.urls,
    *rate_prices.urls,
    *rates_at.urls,
    *rate_history.urls,
    *rate_comparison.urls,
    *rate_edits.urls,
    *rate_edit_list.urls,
    *rate_affected.urls,
]
