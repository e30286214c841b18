"""Signing up as a provider's customer, and confirming the e-mail that was given."""

from typing import Any, cast

from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.core import ratelimit
from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, re_path, reverse
from django.views.decorators.http import require_http_methods, require_safe

from common import clock
from common.scope import Scope
from customers.models import TeamMember
from customers.services.onboarding import CustomerDetails
from customers.services.sign_up import confirm_sign_up, sign_up
from payments.selectors.payments import addressed_provider_id
from resellers import selectors as resellers
from tenancy import row_security
from tenancy.models import Provider, User
from tenancy.services.people import EmailRefused, EmailTaken, PasswordRefused
from web.access import FORM_METHODS, SurfaceRequest
from web.shared.form_fields import CountryField, Form
from web.shared.form_pages import FormPage, form_page

ORGANISATION, INDIVIDUAL = "organisation", "individual"
FIELDS_OF = {
    EmailRefused: "email",
    EmailTaken: "email",
    PasswordRefused: "password",
    resellers.UnknownResellerCode: "reseller_code",
    resellers.ResellerCodeNotPublished: "reseller_code",
    resellers.ResellerCodeExpired: "reseller_code",
    resellers.ResellerDisabled: "reseller_code",
}


class SignUpForm(Form):
    kind = forms.ChoiceField(
        label="You are",
        choices=[(ORGANISATION, "An organisation"), (INDIVIDUAL, "A private person")],
        widget=forms.RadioSelect,
        initial=ORGANISATION,
    )
    organisation = forms.CharField(
        label="Organisation", max_length=200, required=False, help_text="Not for a private person."
    )
    first_name = forms.CharField(max_length=100)
    last_name = forms.CharField(max_length=100)
    country = CountryField(required=False, help_text="Two letters, such as DE.")
    email = forms.EmailField(label="E-mail", widget=forms.EmailInput({"autocomplete": "email"}))
    password = forms.CharField(
        widget=forms.PasswordInput({"autocomplete": "new-password"}, render_value=False),
        help_text="At least 12 characters.",
    )
    reseller_code = forms.CharField(
        max_length=40, required=False, help_text="Who brought you here may have given you one."
    )

    def __init__(self, *args: Any, takes_code: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        if not takes_code:
            del self.fields["reseller_code"]

    @property
    def shows_code(self) -> bool:
        """Whether the code's field is open: there is one, or it was wrong."""
        return bool(self["reseller_code"].value() or self["reseller_code"].errors)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("kind") == ORGANISATION and not cleaned.get("organisation"):
            self.add_error("organisation", "Give the organisation's name.")
        return cleaned

    @property
    def details(self) -> CustomerDetails:
        sent = self.cleaned_data
        return CustomerDetails(
            organisation=sent["organisation"] if sent["kind"] == ORGANISATION else "",
            first_name=sent["first_name"],
            last_name=sent["last_name"],
            country=sent["country"],
            email=sent["email"],
        )


@require_http_methods(FORM_METHODS)
def sign_up_page(request: HttpRequest, provider_slug: str) -> HttpResponse:
    if request.method == "POST" and (refused := ratelimit.consume_or_429(request, action="signup")):
        return cast("HttpResponse", refused)
    provider_id = _provider_id(provider_slug)
    with row_security.acting_for(provider_id=provider_id, user_id=None):
        provider = Provider.objects.get(pk=provider_id)
        page = FormPage(
            f"Become a customer of {provider.name}",
            submit="Sign up",
            cancel_url=reverse("account_login"),
            template="sign_up/sign_up.html",
            context={"provider": provider},
        )
        return form_page(
            cast("SurfaceRequest", request),
            page,
            form=SignUpForm,
            save=lambda form: _save(request, provider, form),
            fields_of=FIELDS_OF,
            takes_code=resellers.module(Scope.system(provider_id)).is_enabled,
            initial={"kind": ORGANISATION, "reseller_code": request.GET.get("code", "")},
        )


def _save(request: HttpRequest, provider: Provider, form: SignUpForm) -> str:
    member = sign_up(
        provider=provider,
        details=form.details,
        password=form.cleaned_data["password"],
        reseller_code=form.cleaned_data.get("reseller_code", ""),
        at=clock.now(),
    )
    address = EmailAddress.objects.create(user=member.user, email=member.user.email, primary=True)
    address.send_confirmation(request, signup=True)
    return reverse("sign_up_sent", args=[provider.slug])


@require_safe
def sign_up_sent(request: HttpRequest, provider_slug: str) -> HttpResponse:
    provider_id = _provider_id(provider_slug)
    with row_security.acting_for(provider_id=provider_id, user_id=None):
        provider = Provider.objects.get(pk=provider_id)
    return render(request, "sign_up/sent.html", {"provider": provider})


@require_http_methods(FORM_METHODS)
def confirm_email(request: HttpRequest, key: str) -> HttpResponse:
    """Where the link in the e-mail leads; a button confirms, as mail programs open links."""
    verification = EmailConfirmationHMAC.from_key(key)
    if verification is not None and request.method == "POST":
        if verification.confirm(request) is not None:
            _let_in(verification.email_address.user)
            messages.success(request, "Your e-mail is confirmed; you can sign in now.")
        return redirect("account_login")
    address = verification.email_address if verification else None
    return render(request, "sign_up/confirm.html", {"address": address})


def _let_in(user: User) -> None:
    row_security.introduce(user.pk)
    member = TeamMember.objects.filter(user=user).first()
    if member is not None:
        with row_security.acting_for(provider_id=member.provider_id, user_id=user.pk):
            confirm_sign_up(member=member, at=clock.now())


def _provider_id(slug: str) -> int:
    provider_id = addressed_provider_id(slug)
    if provider_id is None:
        raise Http404
    return provider_id


urls = [
    path("sign-up/<slug:provider_slug>/", sign_up_page, name="sign_up"),
    path("sign-up/<slug:provider_slug>/sent/", sign_up_sent, name="sign_up_sent"),
    # The name is allauth's, which puts the address into its e-mail by it.
    re_path(r"^e-mail/(?P<key>[-:\w]+)/$", confirm_email, name="account_confirm_email"),
]
