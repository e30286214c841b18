"""Taxes in the console: what customers' invoices add."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.urls import path, reverse
from django.utils.formats import date_format

from billing.models import Tax
from billing.selectors.tax_profiles import taxes
from billing.services.taxes import (
    TaxEndsBeforeItBegins,
    TaxPercentRefused,
    TaxTerms,
    add_tax,
    change_tax,
)
from common import clock
from common.errors import DomainError
from common.scope import Surface
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.shared.actions import Action
from web.shared.form_fields import DateField, ExactField, Form
from web.shared.form_pages import FormPage, Review, form_page
from web.shared.lists import Empty, list_page
from web.shared.tables import Column, DateColumn, LinkColumn, NumberColumn, Table
from web.shared.writing import plain_number

TAXES = "console_taxes"
FIELDS_OF: dict[type[DomainError], str] = {
    TaxPercentRefused: "percent",
    TaxEndsBeforeItBegins: "valid_to",
}


class TaxTable(Table):
    name = Column("Name")
    percent = NumberColumn("Percent")
    priority = NumberColumn("Priority")
    valid_from = DateColumn("From", default="always")
    valid_to = DateColumn("Ends before", default="never")


class ChangeableTaxTable(TaxTable):
    name = LinkColumn("Name")


@page_of(Surface.CONSOLE, "settings.list")
def tax_list(request: SurfaceRequest) -> HttpResponse:
    may_change = "settings.write" in request.scope.permissions
    add = Action(
        "Add tax", reverse("console_tax_create"), "plus", needs="settings.write", is_main=True
    )
    return list_page(
        request,
        title="Taxes",
        lead="What invoices add to the net amount, save for exempt customers. Taxes of one priority"
        " share a base; the next priority is taken on top of those before it.",
        rows=taxes(request.scope),
        table=ChangeableTaxTable if may_change else TaxTable,
        name="taxes",
        actions=[add],
        empty=Empty("No taxes", "Invoices are net until you add one.", action=add),
    )


class TaxForm(Form):
    name = forms.CharField(max_length=60, help_text="As on invoices, such as VAT.")
    percent = ExactField(decimal_places=4, max_digits=7)
    priority = forms.IntegerField(min_value=1, max_value=99, initial=1)
    valid_from = DateField(label="From", required=False, help_text="Empty: always was.")
    valid_to = DateField(
        label="Ends before", required=False, help_text="The first day without it. Empty: never."
    )


def _review(form: TaxForm) -> Review:
    given: dict[str, Any] = form.cleaned_data
    return Review(
        title=f"Tax {given['name']} at {plain_number(given['percent'])} %?",
        lead="Estimates calculated from now on have it. Issued invoices keep their taxes.",
        facts=[
            ("Percent", f"{plain_number(given['percent'])} %"),
            ("Priority", str(given["priority"])),
            ("From", _day(given["valid_from"]) or "always"),
            ("Ends before", _day(given["valid_to"]) or "never"),
        ],
        submit="Save",
    )


def _day(day: Any) -> str:
    return date_format(day, "DATE_FORMAT") if day else ""


@page_of(Surface.CONSOLE, "settings.write", FORM_METHODS)
def tax_create(request: SurfaceRequest) -> HttpResponse:
    def save(form: TaxForm) -> str:
        tax = add_tax(
            provider_id=request.scope.provider_id,
            terms=TaxTerms(**form.cleaned_data),
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(request, f"{tax} was added.")
        return reverse(TAXES)

    page = FormPage("Add a tax", submit="Continue", cancel_url=reverse(TAXES))
    return form_page(request, page, form=TaxForm, save=save, review=_review, fields_of=FIELDS_OF)


@page_of(Surface.CONSOLE, "settings.write", FORM_METHODS)
def tax_edit(request: SurfaceRequest, tax_id: int) -> HttpResponse:
    tax: Tax = taxes(request.scope).get(pk=tax_id)

    def save(form: TaxForm) -> str:
        change_tax(
            tax=tax,
            terms=TaxTerms(**form.cleaned_data),
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(request, f"{form.cleaned_data['name']} was saved.")
        return reverse(TAXES)

    page = FormPage(
        f"Edit {tax}",
        submit="Continue",
        cancel_url=reverse(TAXES),
        lead="Where the law changes, let this one end and add another that begins then.",
    )
    initial = {name: getattr(tax, name) for name in TaxForm.base_fields}
    return form_page(
        request, page, form=TaxForm, save=save, review=_review, fields_of=FIELDS_OF, initial=initial
    )


urls = [
    path("settings/taxes/", tax_list, name=TAXES),
    path("settings/taxes/new/", tax_create, name="console_tax_create"),
    path("settings/taxes/<int:tax_id>/", tax_edit, name="console_tax"),
]
