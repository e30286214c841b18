"""What a call would cost by a rate table, and why."""

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse

from catalogue import selectors
from catalogue.rules.units import UnitsRefused
from cdr.rating import Explanation, InvalidRate, Usage
from cdr.selectors.explaining import explain_usage
from common import clock
from common.scope import Surface
from web.access import SurfaceRequest, page_of
from web.shared.form_fields import CountField, Form, InstantField


class PriceForm(Form):
    number = forms.RegexField(
        r"^\+?[0-9]{1,30}$",
        label="Number called",
        help_text="With the country code, as +4930123456.",
        error_messages={"invalid": "Write the number as digits, with the country code."},
    )
    volume = CountField(label="Volume", min_value=0, initial=60)
    started_at = InstantField(label="Starts")


@page_of(Surface.CONSOLE, "catalogue.read")
def rate_price(request: SurfaceRequest, table_id: int) -> HttpResponse:
    table = selectors.rate_table(request.scope, table_id)
    form = PriceForm(request.GET or None, initial={"started_at": clock.now()})
    form.fields["volume"].help_text = f"In {table.product.volume_unit}s."
    explanation: Explanation | None = None
    if form.is_valid():
        try:
            explanation = explain_usage(
                request.scope,
                table_id=table.pk,
                usage=Usage(
                    number=form.cleaned_data["number"].removeprefix("+"),
                    started_at=form.cleaned_data["started_at"],
                ),
                volume=form.cleaned_data["volume"],
            )
        except (InvalidRate, UnitsRefused) as refusal:
            form.add_error(None, str(refusal))
    context = {
        "table": table,
        "form": form,
        "explanation": explanation,
        "table_url": reverse("console_rates", kwargs={"table_id": table.pk}),
    }
    return render(request, "console/rates/rate_price.html", context)


urls = [path("rate-tables/<int:table_id>/price/", rate_price, name="console_rate_price")]
