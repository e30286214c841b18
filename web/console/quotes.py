"""What a call that has not happened would cost everybody, and why."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path

from catalogue.rules.tags import TAGS_CHARACTERS
from cdr.models import Source
from cdr.selectors.sources import sources
from cdr.services.quoting import CallToQuote, Quote, quote
from common import clock
from common.scope import Scope, Surface
from customers.models import Customer
from customers.selectors import customers
from resellers.models import Vendor
from resellers.selectors import vendors
from web.access import SurfaceRequest, page_of
from web.shared.form_fields import CountField, Form, InstantField


class QuoteForm(Form):
    groups = (
        ("The call", ("source", "destination_number", "started_at", "volume")),
        ("Who makes it", ("customer", "account_code", "caller_number", "trunk", "caller_ip")),
        ("How it goes", ("vendor", "tags")),
    )

    source = forms.ModelChoiceField(
        queryset=Source.objects.none(),
        empty_label="Choose a source",
        help_text="The switch that would send it.",
    )
    destination_number = forms.CharField(
        label="Number called",
        max_length=64,
        help_text="As dialled; a tech prefix in front of it names a trunk.",
    )
    started_at = InstantField(label="Starts")
    volume = CountField(
        label="Volume", min_value=0, initial=60, help_text="Seconds, of a voice product."
    )
    customer = CountField(
        label="Customer number",
        min_value=1,
        required=False,
        help_text="Or leave it empty, and say what the switch would send.",
    )
    account_code = forms.CharField(max_length=64, required=False)
    caller_number = forms.CharField(max_length=64, required=False)
    trunk = forms.CharField(label="Trunk it comes by", max_length=64, required=False)
    caller_ip = forms.GenericIPAddressField(label="IP address it comes from", required=False)
    vendor = forms.ModelChoiceField(
        queryset=Vendor.objects.none(),
        required=False,
        empty_label="As the number and the source say",
    )
    tags = forms.CharField(
        max_length=TAGS_CHARACTERS,
        required=False,
        help_text="Words that come with the call, besides those of source, trunk and caller.",
    )

    def __init__(self, *args: Any, scope: Scope, **options: Any) -> None:
        super().__init__(*args, **options)
        self.scope = scope
        choices: dict[str, QuerySet[Any]] = {"source": sources(scope), "vendor": vendors(scope)}
        for name, rows in choices.items():
            self.fields[name].queryset = rows  # type: ignore[attr-defined]

    def clean_customer(self) -> Customer | None:
        number = self.cleaned_data["customer"]
        if number is None:
            return None
        found = customers(self.scope).filter(number=number).first()
        if found is None:
            raise forms.ValidationError("No customer has this number.")
        return found

    @property
    def call(self) -> CallToQuote:
        values = self.cleaned_data
        customer, vendor = values["customer"], values["vendor"]
        return CallToQuote(
            source_id=values["source"].pk,
            destination_number=values["destination_number"],
            started_at=values["started_at"],
            volume=values["volume"],
            account_code=values["account_code"],
            caller_number=values["caller_number"],
            trunk=values["trunk"],
            caller_ip=values["caller_ip"],
            tags=values["tags"],
            customer_id=customer and customer.pk,
            vendor_id=vendor and vendor.pk,
        )


@page_of(Surface.CONSOLE, "catalogue.read")
def quote_call(request: SurfaceRequest) -> HttpResponse:
    initial = {"started_at": clock.now(), "source": sources(request.scope).first()}
    form = QuoteForm(request.GET or None, initial=initial, scope=request.scope)
    found: Quote | None = quote(request.scope, form.call) if form.is_valid() else None
    return render(request, "console/rates/quote.html", {"form": form, "quote": found})


urls = [path("price-a-call/", quote_call, name="console_quote")]
