"""The rates of a table in the console, and one of them."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse

from catalogue import selectors
from common.scope import Surface
from web.access import SurfaceRequest, page_of
from web.console import (
    rate_affected,
    rate_closing,
    rate_comparison,
    rate_edit_list,
    rate_edits,
    rate_form,
    rate_history,
    rate_prices,
    rate_tables,
    rates_at,
)
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
from web.shared.lists import Empty, list_page
from web.shared.tables import (
    BadgeColumn,
    Column,
    InstantColumn,
    MoneyColumn,
    Table,
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
    change = Action(
        "Change",
        reverse("console_rate_table_change", kwargs=of_table),
        "pencil-square",
        needs=write,
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
        actions=[compare, price, change, deck, notify, export, imports, load, add],
        empty=Empty("No rates yet", "Import a file of them, or add one here.", load),
        template="console/rates/rate_list.html",
        context={**frame(request, table), "may_write": write in request.scope.permissions},
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


urls = [
    path("rate-tables/<int:table_id>/", rate_list, name="console_rates"),
    path("rate-tables/rates/<int:rate_id>/", rate_detail, name="console_rate"),
    *rate_tables.urls,
    *rate_form.urls,
    *rate_closing.urls,
    *rate_prices.urls,
    *rates_at.urls,
    *rate_history.urls,
    *rate_comparison.urls,
    *rate_edits.urls,
    *rate_edit_list.urls,
    *rate_affected.urls,
]
