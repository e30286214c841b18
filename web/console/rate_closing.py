"""Closing a rate: the instant from which it no longer applies."""

from django.contrib import messages
from django.http import HttpResponse
from django.urls import path

from catalogue import selectors
from catalogue.rules.rate_terms import RateRefused
from catalogue.services.rates import RateAlreadyEnded, close_rate
from common import clock
from common.scope import Surface
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.console.rate_affected import url_after
from web.shared.form_fields import Form, InstantField
from web.shared.form_pages import FormPage, form_page
from web.shared.links import url_of


class CloseForm(Form):
    effective_to = InstantField(
        label="Until", help_text="The first instant that the rate no longer applies to."
    )


@page_of(Surface.CONSOLE, "catalogue.write", FORM_METHODS)
def rate_close(request: SurfaceRequest, rate_id: int) -> HttpResponse:
    rate = selectors.rate(request.scope, rate_id)

    def save(form: CloseForm) -> str:
        close_rate(
            rate=rate,
            effective_to=form.cleaned_data["effective_to"],
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(request, "The rate ends then.")
        since = form.cleaned_data["effective_to"]
        return url_after(request, rate, since=since, otherwise=url_of(request.scope, rate))

    page = FormPage(
        f"Close the rate of {rate.prefix or 'any number'}",
        submit="Close the rate",
        cancel_url=url_of(request.scope, rate),
        lead="From then on a shorter prefix answers; where there is none, calls wait in suspense.",
    )
    return form_page(
        request,
        page,
        form=CloseForm,
        save=save,
        fields_of=dict.fromkeys((RateAlreadyEnded, RateRefused), "effective_to"),
        initial={"effective_to": clock.now()},
    )


urls = [
    path("rate-tables/rates/<int:rate_id>/close/", rate_close, name="console_rate_close"),
]
