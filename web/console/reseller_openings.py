"""What a reseller sees in its portal beyond its customers and codes, as the provider opens it."""

from collections.abc import Iterator

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path

from common import clock
from resellers.models import Reseller
from resellers.rules.openings import OPENINGS
from resellers.services.openings import change_openings
from web.access import FORM_METHODS, SurfaceRequest
from web.console.reseller_pages import address, find, frame, reseller_page
from web.shared.actions import Action
from web.shared.form_fields import Form
from web.shared.form_pages import FormPage, form_page

# Column of the reseller -> what is opened, and what that means.
WORDS = {
    "sees_usage_totals": (
        "Usage totals",
        "Calls and volume of each of its customers by month, without amounts.",
    ),
    "sees_invoice_status": (
        "Invoice status",
        "Numbers, dates and states of its customers' invoices, without amounts and lines.",
    ),
    "sees_commission": (
        "Commission and payouts",
        "Its own payout statements once they are approved, with PDF, CSV and Excel.",
    ),
    "sees_branch": (
        "Sub-resellers",
        "The resellers below it and their customers, with what else is opened here.",
    ),
}
assert WORDS.keys() == OPENINGS.keys()


def _openings(reseller: Reseller) -> Iterator[tuple[str, str, bool]]:
    for name, (label, meaning) in WORDS.items():
        yield label, meaning, getattr(reseller, name)


@reseller_page("resellers.read")
def reseller_portal(request: SurfaceRequest, reseller_id: int) -> HttpResponse:
    reseller = find(request.scope, reseller_id)
    change = Action(
        "Change",
        address("console_reseller_portal_edit", reseller),
        "pencil-square",
        needs="resellers.write",
        is_main=True,
    )
    context = {"openings": _openings(reseller), **frame(request, reseller, change)}
    return render(request, "console/resellers/reseller_portal.html", context)


class OpeningsForm(Form):
    sees_usage_totals = forms.BooleanField(required=False)
    sees_invoice_status = forms.BooleanField(required=False)
    sees_commission = forms.BooleanField(required=False)
    sees_branch = forms.BooleanField(required=False)

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        for name, (label, meaning) in WORDS.items():
            self.fields[name].label, self.fields[name].help_text = label, meaning


@reseller_page("resellers.write", FORM_METHODS)
def reseller_portal_edit(request: SurfaceRequest, reseller_id: int) -> HttpResponse:
    reseller = find(request.scope, reseller_id)
    url = address("console_reseller_portal", reseller)

    def save(form: OpeningsForm) -> str:
        change_openings(
            reseller=reseller,
            opened={name for name in OPENINGS if form.cleaned_data[name]},
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(request, f"What {reseller} sees was saved.")
        return url

    page = FormPage(
        f"What {reseller} sees in its portal",
        submit="Save",
        cancel_url=url,
        lead="It holds from its next click on. It always sees its customers and codes, and in"
        " billing mode what it owes.",
    )
    initial = {name: getattr(reseller, name) for name in OPENINGS}
    return form_page(request, page, form=OpeningsForm, save=save, initial=initial)


urls = [
    path("resellers/<int:reseller_id>/portal/", reseller_portal, name="console_reseller_portal"),
    path(
        "resellers/<int:reseller_id>/portal/edit/",
        reseller_portal_edit,
        name="console_reseller_portal_edit",
    ),
]
