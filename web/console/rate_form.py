"""One rate in the console: added, and changed by who has seen it as it is."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.urls import path, reverse

from catalogue import selectors
from catalogue.models import Rate, RateTable
from catalogue.rules.rate_terms import RateRefused, RateTerms
from catalogue.services.rates import add_rate, change_rate, written_terms
from common import clock
from common.scope import Surface
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.console.rate_affected import url_after
from web.console.seen_form import SeenForm
from web.shared.form_fields import CountField, ExactField, InstantField
from web.shared.form_pages import FormPage, form_page

PRICES = ("rate", "initial_rate", "connection_fee", "min_cost", "max_cost", "attempt_fee")
KEPT = "Calls that were rated before keep their cost."


class RateForm(SeenForm):
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
        cleaned = super().clean()
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


@page_of(Surface.CONSOLE, "catalogue.write", FORM_METHODS)
def rate_change(request: SurfaceRequest, rate_id: int) -> HttpResponse:
    rate = selectors.rate(request.scope, rate_id)

    def save(form: RateForm) -> str:
        with form.telling_changes():
            change_rate(
                rate=rate,
                terms=form.terms,
                seen=form.seen_values,
                at=clock.now(),
                actor_id=request.scope.user_id,
            )
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
        initial={name: _typed(value) for name, value in terms.items()}
        | {"seen": written_terms(terms)},
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
    path("rate-tables/<int:table_id>/new/", rate_create, name="console_rate_create"),
    path("rate-tables/rates/<int:rate_id>/change/", rate_change, name="console_rate_change"),
]
