"""Charges in the console that no invoice has asked for yet, and adding one by hand."""

from decimal import Decimal
from itertools import groupby
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime

from billing.selectors.charges import unbilled_charges
from billing.selectors.unbilled import unbilled_lines
from common import clock
from common.scope import Surface
from customers.models import Customer
from customers.selectors import customer
from payments.selectors.service_balance import first_unbilled_day, service_balance
from subscriptions.models import Charge
from subscriptions.services.one_time import OneTimeChargeRefused, add_one_time_charge
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.console.customer_tabs import frame
from web.shared.filters import Filters, choice_filter, since_filter, until_filter
from web.shared.form_fields import DateField, ExactField, Form
from web.shared.form_pages import FormPage, Review, form_page
from web.shared.lists import Empty, list_page
from web.shared.tables import (
    BadgeColumn,
    Column,
    DateColumn,
    InstantColumn,
    LinkColumn,
    MoneyColumn,
    Table,
)
from web.shared.writing import price_html


class ChargeTable(Table):
    customer = LinkColumn("Customer", accessor="customer__name", to="customer")
    description = Column("Charge")
    kind = BadgeColumn("Kind", accessor="get_kind_display", value="kind")
    period_from = DateColumn("From")
    posted_at = InstantColumn("Posted")
    net_amount = MoneyColumn("Net", is_exact=True)


class ChargeFilters(Filters):
    searches = (
        "description__icontains",
        "customer__organisation__icontains",
        "customer__last_name__icontains",
    )
    search_hint = "Customer or charge"

    kind = choice_filter("Kind", "kind", Charge.Kind.choices)
    since = since_filter("From", "period_from")
    until = until_filter("Until", "period_from")


@page_of(Surface.CONSOLE, "invoices.list")
def charge_list(request: SurfaceRequest) -> HttpResponse:
    return list_page(
        request,
        title="Unbilled charges",
        lead="Recurring and one-time charges of everybody; usage is on each customer's page.",
        rows=unbilled_charges(request.scope),
        table=ChargeTable,
        filters=ChargeFilters,
        name="unbilled-charges",
        empty=Empty("Everything is billed", "New charges wait here for the next bill run."),
    )


@page_of(Surface.CONSOLE, "invoices.read")
def customer_unbilled(request: SurfaceRequest, customer_id: int) -> HttpResponse:
    payer = customer(request.scope, customer_id)
    since = first_unbilled_day(request.scope)
    lines = unbilled_lines(request.scope, payer, since)
    context = {
        "groups": [
            (group, list(rows)) for group, rows in groupby(lines, key=lambda row: row.group)
        ],
        "balance": service_balance(request.scope, customer_id=payer.pk),
        **frame(request, payer),
    }
    return render(request, "console/billing/customer_unbilled.html", context)


class ChargeForm(Form):
    description = forms.CharField(max_length=300, help_text="Printed on the invoice.")
    charge_date = DateField(label="Of the day")

    def __init__(self, *args: Any, currency: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["net_amount"] = ExactField(
            decimal_places=4,
            max_digits=14,
            label=f"Net amount, in {currency}",
            help_text="Before tax; below zero it is a discount.",
        )


@page_of(Surface.CONSOLE, "invoices.write", FORM_METHODS)
def charge_create(request: SurfaceRequest, customer_id: int) -> HttpResponse:
    payer = customer(request.scope, customer_id)

    def save(form: ChargeForm) -> str:
        add_one_time_charge(
            customer=payer, **form.cleaned_data, at=clock.now(), actor_id=request.scope.user_id
        )
        messages.success(request, f"{payer} is asked for it on its next invoice.")
        return _unbilled_address(payer)

    page = FormPage(
        f"Charge {payer} once",
        submit="Continue",
        cancel_url=_unbilled_address(payer),
        lead="It goes on the next invoice only.",
    )
    return form_page(
        request,
        page,
        form=ChargeForm,
        save=save,
        review=lambda form: _review(form, payer),
        fields_of={OneTimeChargeRefused: "net_amount"},
        initial={"charge_date": localtime(clock.now()).date()},
        currency=payer.currency,
    )


def _review(form: ChargeForm, payer: Customer) -> Review:
    given = form.cleaned_data
    amount: Decimal = given["net_amount"]
    return Review(
        title=f"{'Charge' if amount > 0 else 'Give back to'} {payer} once?",
        facts=[
            ("Net amount", price_html(amount, payer.currency)),
            ("Description", given["description"]),
            ("Of the day", date_format(given["charge_date"], "DATE_FORMAT")),
        ],
        submit="Add to the next invoice",
    )


def _unbilled_address(payer: Customer) -> str:
    return reverse("console_customer_unbilled", kwargs={"customer_id": payer.pk})


urls = [
    path("billing/unbilled/", charge_list, name="console_charges"),
    path(
        "customers/<int:customer_id>/unbilled/", customer_unbilled, name="console_customer_unbilled"
    ),
    path(
        "customers/<int:customer_id>/unbilled/charge/", charge_create, name="console_charge_create"
    ),
]
