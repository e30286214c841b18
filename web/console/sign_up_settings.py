"""How the provider takes in who signs up, in the console."""

import re

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.text import Truncator

from common import clock
from common.scope import Surface
from customers.models import SignUpSettings
from customers.selectors import current_terms, sign_up_settings
from customers.services.sign_up_settings import (
    CurrencyRefused,
    DomainRefused,
    TermsRefused,
    change_sign_up,
    publish_terms,
)
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.shared.actions import Action, allowed
from web.shared.form_fields import Form
from web.shared.form_pages import FormPage, Review, form_page

SIGN_UP = "console_sign_up"
WRITE = "settings.write"
MODES = {
    SignUpSettings.Mode.SELF_SERVICE: "Self-service: open as soon as the e-mail is confirmed",
    SignUpSettings.Mode.APPROVAL: "Approval needed: a draft, until you approve it",
    SignUpSettings.Mode.INVITATION: "By invitation only: you add customers and invite their people",
}


@page_of(Surface.CONSOLE, "settings.read")
def sign_up_show(request: SurfaceRequest) -> HttpResponse:
    actions = [
        Action("Publish terms", reverse("console_sign_up_terms"), "document-check", needs=WRITE),
        Action("Change", reverse("console_sign_up_edit"), "pencil-square", needs=WRITE),
    ]
    page = reverse("sign_up", kwargs={"provider_slug": request.provider.slug})
    settings = sign_up_settings(request.scope)
    context = {
        "settings": settings,
        "mode": MODES[SignUpSettings.Mode(settings.mode)],
        "terms": current_terms(request.scope),
        "address": request.build_absolute_uri(page),
        "actions": allowed(request.scope, actions),
    }
    return render(request, "console/settings/sign_up_show.html", context)


class SignUpForm(Form):
    mode = forms.ChoiceField(
        label="Who signs up", choices=list(MODES.items()), widget=forms.RadioSelect
    )
    currencies = forms.CharField(
        label="Currencies besides your own",
        required=False,
        max_length=200,
        help_text="Such as USD, GBP: who signs up chooses what to be billed in.",
    )
    blocked_domains = forms.CharField(
        label="Blocked mail domains",
        required=False,
        widget=forms.Textarea,
        help_text="One on each line; those below them are blocked too.",
    )

    def clean_currencies(self) -> list[str]:
        return _words(self.cleaned_data["currencies"].upper())

    def clean_blocked_domains(self) -> list[str]:
        return _words(self.cleaned_data["blocked_domains"])


@page_of(Surface.CONSOLE, WRITE, FORM_METHODS)
def sign_up_edit(request: SurfaceRequest) -> HttpResponse:
    def save(form: SignUpForm) -> str:
        change_sign_up(
            provider_id=request.scope.provider_id,
            mode=SignUpSettings.Mode(form.cleaned_data["mode"]),
            currencies=form.cleaned_data["currencies"],
            blocked_domains=form.cleaned_data["blocked_domains"],
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(request, "Sign-ups are taken in like this from now on.")
        return reverse(SIGN_UP)

    settings = sign_up_settings(request.scope)
    page = FormPage("Change how customers sign up", submit="Save", cancel_url=reverse(SIGN_UP))
    return form_page(
        request,
        page,
        form=SignUpForm,
        save=save,
        fields_of={CurrencyRefused: "currencies", DomainRefused: "blocked_domains"},
        initial={
            "mode": settings.mode,
            "currencies": ", ".join(settings.currencies),
            "blocked_domains": "\n".join(settings.blocked_domains),
        },
    )


class TermsForm(Form):
    text = forms.CharField(label="Terms", widget=forms.Textarea({"rows": 20, "class": "long"}))


@page_of(Surface.CONSOLE, WRITE, FORM_METHODS)
def sign_up_terms_publish(request: SurfaceRequest) -> HttpResponse:
    last = current_terms(request.scope)

    def save(form: TermsForm) -> str:
        terms = publish_terms(
            provider_id=request.scope.provider_id,
            text=form.cleaned_data["text"],
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(request, f"{terms} of your terms is published.")
        return reverse(SIGN_UP)

    def review(form: TermsForm) -> Review:
        return Review(
            f"Publish version {last.version + 1 if last else 1} of your terms?",
            lead="Who signs up agrees to it from now on. It never changes again; you can publish"
            " another version. Consents that were given stay with the version they were given to.",
            facts=[("Text", Truncator(form.cleaned_data["text"]).chars(300))],
            submit="Publish",
        )

    page = FormPage("Publish terms", submit="Continue", cancel_url=reverse(SIGN_UP))
    return form_page(
        request,
        page,
        form=TermsForm,
        save=save,
        review=review,
        fields_of={TermsRefused: "text"},
        initial={"text": last.text if last else ""},
    )


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[\s,;]+", text) if word]


urls = [
    path("settings/sign-up/", sign_up_show, name=SIGN_UP),
    path("settings/sign-up/edit/", sign_up_edit, name="console_sign_up_edit"),
    path("settings/sign-up/terms/", sign_up_terms_publish, name="console_sign_up_terms"),
]
