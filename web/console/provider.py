"""What the provider says of itself, in the console."""

from zoneinfo import available_timezones

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse

from billing.services.providers import TimeZoneFixed, change_provider, is_time_zone_fixed
from common import clock
from common.scope import Surface
from tenancy.selectors import default_biller_entity
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.shared.actions import Action, allowed
from web.shared.form_fields import CurrencyField, Form
from web.shared.form_pages import FormPage, form_page

PROVIDER = "console_provider"


@page_of(Surface.CONSOLE, "settings.read")
def provider_show(request: SurfaceRequest) -> HttpResponse:
    edit = Action("Edit", reverse("console_provider_edit"), "pencil-square", needs="settings.write")
    context = {
        "seller": default_biller_entity(request.scope),
        "is_time_zone_fixed": is_time_zone_fixed(request.provider),
        "actions": allowed(request.scope, [edit]),
    }
    return render(request, "console/settings/provider_show.html", context)


def _time_zones() -> list[tuple[str, str]]:
    """Those named by place; the others are old names, and offsets that know no summer time."""
    places = sorted(zone for zone in available_timezones() if "/" in zone and "Etc/" not in zone)
    return [(zone, zone.replace("_", " ")) for zone in ("UTC", *places)]


class ProviderForm(Form):
    name = forms.CharField(max_length=200, help_text="As customers and resellers see it.")
    currency = CurrencyField(
        help_text="Proposed for new customers, resellers and prices; those there are keep theirs."
    )
    time_zone = forms.ChoiceField(
        choices=_time_zones, help_text="Its days are those of usage, charges and invoices."
    )


@page_of(Surface.CONSOLE, "settings.write", FORM_METHODS)
def provider_edit(request: SurfaceRequest) -> HttpResponse:
    def save(form: ProviderForm) -> str:
        provider = change_provider(
            provider_id=request.scope.provider_id,
            **form.cleaned_data,
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(request, f"{provider} was saved.")
        return reverse(PROVIDER)

    provider = request.provider
    page = FormPage(f"Edit {provider}", submit="Save", cancel_url=reverse(PROVIDER))
    return form_page(
        request,
        page,
        form=ProviderForm,
        save=save,
        fields_of={TimeZoneFixed: "time_zone"},
        initial={
            "name": provider.name,
            "currency": provider.currency,
            "time_zone": provider.time_zone,
        },
    )


urls = [
    path("settings/", provider_show, name=PROVIDER),
    path("settings/edit/", provider_edit, name="console_provider_edit"),
]
