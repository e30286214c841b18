"""Everything pages are made of, on one page, for who makes pages; in development only."""

from decimal import Decimal

from django import forms
from django.conf import settings
from django.contrib.messages.storage.base import Message
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import path

from common.scope import Surface
from web.access import SurfaceRequest, page_of
from web.shared.actions import Action, Tab
from web.shared.charts import bar_chart, line_chart
from web.shared.form_fields import CurrencyField, DateField, Form, MoneyField

_MONTHS = ["May", "Jun", "Jul", "Aug", "Sep", "Oct"]


class ExampleForm(Form):
    amount = MoneyField(currency="EUR", label="Amount", help_text="What the customer paid.")
    currency = CurrencyField()
    paid_on = DateField(label="Paid on", required=False)
    is_final = forms.BooleanField(label="It is the last payment", required=False)
    notes = forms.MultipleChoiceField(
        label="Send it to",
        choices=[("billing", "Billing contacts"), ("technical", "Technical contacts")],
        widget=forms.CheckboxSelectMultiple,
    )


@page_of(Surface.CONSOLE)
def components(request: SurfaceRequest) -> HttpResponse:
    if settings.MODE != "development":
        raise Http404
    context = {
        "actions": [
            Action("Export", "#", "arrow-down-tray"),
            Action("Add customer", "#", "plus", is_main=True),
        ],
        "tabs": [Tab("Overview", "#", is_current=True), Tab("Invoices", "#"), Tab("Usage", "#")],
        "facts": [("Customer number", 1042), ("Currency", "EUR"), ("Reseller", None)],
        "states": ["ACTIVE", "PENDING", "FAILED", "CANCELLED", "MANUAL"],
        "form": ExampleForm(),
        "wrong_form": ExampleForm({"amount": "ten", "currency": "EURO"}),
        "toasts": [Message(25, "The invoice was issued."), Message(40, "Nothing was changed.")],
        "amount": Decimal("1234567.5"),
        "bars": bar_chart(
            "Revenue by month",
            _MONTHS,
            {"Usage": [Decimal(n) for n in (820, 932, 901, 1290, 1330, 1520)]},
            unit="EUR",
        ),
        "lines": line_chart(
            "Calls by month",
            _MONTHS,
            {
                "Voice": [Decimal(n) for n in (320, 302, 341, 374, 390, 450)],
                "Messages": [Decimal(n) for n in (120, 132, 101, 134, 190, 230)],
            },
        ),
    }
    return render(request, "console/components.html", context)


urls = [path("_components/", components, name="console_components")]
