"""Exchange rates in the console: by pair and day, entered by hand or as a file."""

import re
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localdate

from catalogue.models import ExchangeRate
from catalogue.rules.exchange_rate_files import COLUMNS, read_exchange_rates
from catalogue.rules.exchange_rates import (
    RATE_DECIMALS,
    RATE_DIGITS,
    ExchangeRateRefused,
    ExchangeRateTerms,
)
from catalogue.selectors.exchange_rates import exchange_rate, exchange_rates, pair_days
from catalogue.services.exchange_rates import enter_exchange_rates, remove_exchange_rate
from common import clock
from common.csv_files import CsvUnreadable
from common.scope import Surface
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.shared.actions import Action, allowed
from web.shared.charts import line_chart
from web.shared.filters import Filters, since_filter, text_filter, until_filter
from web.shared.form_fields import CsvField, CurrencyField, DateField, ExactField, Form
from web.shared.form_pages import FormPage, Review, confirm_page, form_page
from web.shared.lists import Empty, list_page
from web.shared.months import shown_month
from web.shared.tables import Column, DateColumn, InstantColumn, NumberColumn, Table

READ, WRITE = "catalogue.read", "catalogue.write"
MEANING = (
    "What one unit of a currency is in another on a day. A day without a rate goes by the last one"
    " before it, at most ten days old; charges are never converted by them, only shown."
)


class PairColumn(Column):
    """A currency pair, which leads to its months."""

    def render(self, record: ExchangeRate) -> SafeString:
        pair = f"{record.from_currency}-{record.to_currency}"
        url = reverse("console_exchange_pair", kwargs={"pair": pair})
        month = f"{record.day:%Y-%m}"
        return format_html('<a href="{}?month={}">{}</a>', url, month, _named(pair))

    def export_headings(self, heading: str) -> list[str]:
        return ["from", "to"]

    def export_cells(self, record: ExchangeRate, value: Any) -> list[Any]:
        return [record.from_currency, record.to_currency]


class ExchangeRateTable(Table):
    day = DateColumn("Day")
    pair = PairColumn("Pair", accessor="from_currency")
    rate = NumberColumn("Rate")
    entered_at = InstantColumn("Entered")


class ExchangeRateFilters(Filters):
    sold = text_filter("From", "from_currency__iexact")
    bought = text_filter("To", "to_currency__iexact")
    since = since_filter("Since", "day")
    until = until_filter("Until", "day")


@page_of(Surface.CONSOLE, READ)
def exchange_rate_list(request: SurfaceRequest) -> HttpResponse:
    load = Action("Import", reverse("console_exchange_rate_import"), "arrow-up-tray", needs=WRITE)
    enter = Action(
        "Enter a rate", reverse("console_exchange_rate_enter"), "plus", needs=WRITE, is_main=True
    )
    return list_page(
        request,
        title="Exchange rates",
        lead=MEANING,
        rows=exchange_rates(request.scope),
        table=ExchangeRateTable,
        filters=ExchangeRateFilters,
        name="exchange-rates",
        actions=[load, enter],
        empty=Empty("No exchange rates yet", "Enter one, or import a file of them.", enter),
    )


class ExchangeRateForm(Form):
    from_currency = CurrencyField(label="One unit of")
    to_currency = CurrencyField(label="Is so much in")
    day = DateField(label="On")
    rate = ExactField(label="Rate", decimal_places=RATE_DECIMALS, max_digits=RATE_DIGITS)

    def clean(self) -> dict[str, Any]:
        if not self.errors:
            try:
                self.terms = ExchangeRateTerms(**self.cleaned_data)
            except ExchangeRateRefused as refusal:
                self.add_error(_field_of(self.cleaned_data), str(refusal))
        return self.cleaned_data


def _field_of(values: dict[str, Any]) -> str:
    is_one = values["from_currency"] == values["to_currency"]
    return "to_currency" if is_one else "rate"


@page_of(Surface.CONSOLE, WRITE, FORM_METHODS)
def exchange_rate_enter(request: SurfaceRequest) -> HttpResponse:
    def save(form: ExchangeRateForm) -> str:
        terms = form.terms
        enter_exchange_rates(
            provider_id=request.scope.provider_id,
            rates=[terms],
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(request, f"{terms} was entered.")
        pair = f"{terms.from_currency}-{terms.to_currency}"
        return f"{_pair_url(pair)}?month={terms.day:%Y-%m}"

    page = FormPage(
        "Enter an exchange rate",
        submit="Enter",
        cancel_url=reverse("console_exchange_rates"),
        lead="A rate that the pair has on that day is replaced.",
    )
    initial = {name: request.GET.get(name, "") for name in ("from_currency", "to_currency", "day")}
    return form_page(
        request,
        page,
        form=ExchangeRateForm,
        save=save,
        fields_of={ExchangeRateRefused: "rate"},
        initial={**initial, "day": initial["day"] or localdate(clock.now())},
    )


class ExchangeRateImportForm(Form):
    file = CsvField(help_text=f"CSV with the columns {', '.join(COLUMNS)}; days as 2026-10-31.")


@page_of(Surface.CONSOLE, WRITE, FORM_METHODS)
def exchange_rate_import(request: SurfaceRequest) -> HttpResponse:
    def save(form: ExchangeRateImportForm) -> str:
        entered = enter_exchange_rates(
            provider_id=request.scope.provider_id,
            rates=read_exchange_rates(form.cleaned_data["file"]),
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(
            request,
            f"{entered.added:,} rates were added and {entered.changed:,} replaced;"
            f" {entered.unchanged:,} were there already.",
        )
        return reverse("console_exchange_rates")

    page = FormPage(
        "Import exchange rates",
        submit="Import",
        cancel_url=reverse("console_exchange_rates"),
        lead="All of the file or, where a line is wrong, nothing. Rates of a pair and day that are"
        " there already are replaced.",
    )
    return form_page(
        request,
        page,
        form=ExchangeRateImportForm,
        save=save,
        fields_of=dict.fromkeys((CsvUnreadable, ExchangeRateRefused), "file"),
    )


@page_of(Surface.CONSOLE, READ)
def exchange_pair(request: SurfaceRequest, pair: str) -> HttpResponse:
    """A month of a pair, every day of it: those without a rate say which one counts."""
    currencies = re.fullmatch(r"([A-Z]{3})-([A-Z]{3})", pair)
    if currencies is None:
        raise Http404
    shown = shown_month(request)
    days = pair_days(request.scope, currencies[1], currencies[2], shown.period)
    enter = Action("Enter a rate", f"{_enter_url(currencies)}", "plus", needs=WRITE, is_main=True)
    context = {
        "name": _named(pair),
        "enter_url": _enter_url(currencies),
        "shown": shown,
        "days": days,
        "today": localdate(clock.now()),
        "missing_count": sum(each.entered is None for each in days),
        "chart": line_chart(
            f"One {currencies[1]} in {currencies[2]}",
            [str(each.day.day) for each in days],
            {"Rate": [each.entered.rate if each.entered else None for each in days]},
            unit=currencies[2],
        ),
        "actions": allowed(request.scope, [enter]),
        "may_change": WRITE in request.scope.permissions,
    }
    return render(request, "console/rates/exchange_pair.html", context)


@page_of(Surface.CONSOLE, WRITE, FORM_METHODS)
def exchange_rate_remove(request: SurfaceRequest, rate_id: int) -> HttpResponse:
    rate = exchange_rate(request.scope, rate_id)
    back = f"{_pair_url(f'{rate.from_currency}-{rate.to_currency}')}?month={rate.day:%Y-%m}"

    def confirm() -> str:
        remove_exchange_rate(rate=rate, at=clock.now(), actor_id=request.scope.user_id)
        messages.success(request, f"{rate} was removed.")
        return back

    review = Review(
        f"Remove the rate {rate}",
        lead="The day goes by the last rate before it from then on.",
        headings=("Day", "Rate"),
        rows=[(rate.day, f"{rate.rate.normalize():f}")],
        submit="Remove the rate",
        is_dangerous=True,
    )
    return confirm_page(request, review, confirm=confirm, cancel_url=back)


def _named(pair: str) -> str:
    return pair.replace("-", " to ")


def _pair_url(pair: str) -> str:
    return reverse("console_exchange_pair", kwargs={"pair": pair})


def _enter_url(currencies: re.Match[str]) -> str:
    url = reverse("console_exchange_rate_enter")
    return f"{url}?from_currency={currencies[1]}&to_currency={currencies[2]}"


urls = [
    path("exchange-rates/", exchange_rate_list, name="console_exchange_rates"),
    path("exchange-rates/new/", exchange_rate_enter, name="console_exchange_rate_enter"),
    path("exchange-rates/import/", exchange_rate_import, name="console_exchange_rate_import"),
    path(
        "exchange-rates/<int:rate_id>/remove/",
        exchange_rate_remove,
        name="console_exchange_rate_remove",
    ),
    path("exchange-rates/pairs/<slug:pair>/", exchange_pair, name="console_exchange_pair"),
]
