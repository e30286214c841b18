"""Signing up as a provider's customer, and confirming the e-mail that was given."""

from http import HTTPStatus
from typing import Any, cast

from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.account.views import LoginView
from allauth.core import ratelimit
from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, re_path, reverse
from django.utils.html import format_html
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from common import clock
from common.scope import Scope
from customers.models import Customer, SignUpSettings, SignUpTerms, TeamMember
from customers.selectors import current_terms, sign_up_settings
from customers.services.onboarding import CustomerDetails
from customers.services.sign_up import (
    CurrencyNotOffered,
    DomainBlocked,
    SignUp,
    TermsNotAgreed,
    confirm_sign_up,
    sign_up,
)
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
    DomainBlocked: "email",
    PasswordRefused: "password",
    CurrencyNotOffered: "currency",
    TermsNotAgreed: "agrees",
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
    currency = forms.ChoiceField(label="You are billed in")
    email = forms.EmailField(label="E-mail", widget=forms.EmailInput({"autocomplete": "email"}))
    password = forms.CharField(
        widget=forms.PasswordInput({"autocomplete": "new-password"}, render_value=False),
        help_text="At least 12 characters.",
    )
    reseller_code = forms.CharField(
        max_length=40, required=False, help_text="Who brought you here may have given you one."
    )
    terms_version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    agrees = forms.BooleanField(
        label="I agree to the terms",
        error_messages={"required": "Without your agreement no account can be opened."},
    )

    def __init__(
        self,
        *args: Any,
        takes_code: bool,
        currencies: list[str],
        terms: SignUpTerms | None,
        terms_url: str,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.terms = terms
        if not takes_code:
            del self.fields["reseller_code"]
        if len(currencies) > 1:
            cast("forms.ChoiceField", self.fields["currency"]).choices = [
                (currency, currency) for currency in currencies
            ]
        else:
            del self.fields["currency"]
        if terms is None:
            del self.fields["terms_version"], self.fields["agrees"]
        else:
            self.fields["agrees"].help_text = format_html(
                '<a href="{}" target="_blank">Read the terms</a>', terms_url
            )

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
        scope = Scope.system(provider_id)
        settings, terms = sign_up_settings(scope), current_terms(scope)
        if settings.mode == SignUpSettings.Mode.INVITATION:
            return render(request, "sign_up/closed.html", {"provider": provider})
        return form_page(
            cast("SurfaceRequest", request),
            _form_page(provider, settings),
            form=SignUpForm,
            save=lambda form: _save(request, provider, form),
            fields_of=FIELDS_OF,
            takes_code=resellers.module(scope).is_enabled,
            currencies=sorted({provider.currency, *settings.currencies}),
            terms=terms,
            terms_url=reverse("sign_up_terms", args=[provider.slug]),
            initial={
                "kind": ORGANISATION,
                "currency": provider.currency,
                "reseller_code": request.GET.get("code", ""),
            },
        )


def _form_page(provider: Provider, settings: SignUpSettings) -> FormPage:
    return FormPage(
        f"Become a customer of {provider.name}",
        submit="Sign up",
        cancel_url=reverse("provider_sign_in", args=[provider.slug]),
        template="sign_up/sign_up.html",
        context={
            "provider": provider,
            "needs_approval": settings.mode == SignUpSettings.Mode.APPROVAL,
        },
    )


def _save(request: HttpRequest, provider: Provider, form: SignUpForm) -> str:
    """Whether the e-mail was known already stays between us and whoever reads its mail."""
    sent = form.cleaned_data
    given = SignUp(
        details=form.details,
        password=sent["password"],
        reseller_code=sent.get("reseller_code", ""),
        currency=sent.get("currency", ""),
        agreed_version=sent.get("terms_version"),
        address=get_adapter(request).get_client_ip(request),
    )
    try:
        member = sign_up(provider=provider, given=given, at=clock.now())
    except EmailTaken:
        # As long as it takes to keep a password that is new, so that the time tells nothing either.
        User().set_password(given.password)
        _write_to_known(request, provider, sent["email"])
    else:
        email = member.user.email
        address = EmailAddress.objects.create(user=member.user, email=email, primary=True)
        address.send_confirmation(request, signup=True)
    return reverse("sign_up_sent", args=[provider.slug])


def _write_to_known(request: HttpRequest, provider: Provider, email: str) -> None:
    """Who has not confirmed yet gets another link, others hear that they can sign in already."""
    if not _confirm_again(request, email):
        sign_in_url = request.build_absolute_uri(reverse("provider_sign_in", args=[provider.slug]))
        words = {"provider": provider, "sign_in_url": sign_in_url}
        get_adapter(request).send_mail("account/email/known_already", email, words)


def _confirm_again(request: HttpRequest, email: str) -> bool:
    with row_security.among_everybody():
        waiting = EmailAddress.objects.filter(email=email.lower(), verified=False)
        address = waiting.select_related("user").first()
        if address is None or not address.user.is_active:
            return False
        if ratelimit.consume(request, action="confirm_email", key=email.lower()):
            address.send_confirmation(request, signup=True)
        return True


@require_safe
def sign_up_sent(request: HttpRequest, provider_slug: str) -> HttpResponse:
    return _of_provider(request, provider_slug, "sign_up/sent.html")


@require_safe
def sign_up_terms(request: HttpRequest, provider_slug: str) -> HttpResponse:
    return _of_provider(request, provider_slug, "sign_up/terms.html")


@require_POST
def sign_up_again(request: HttpRequest, provider_slug: str) -> HttpResponse:
    """Another link to who waits for one; the answer is the same for every address."""
    if refused := ratelimit.consume_or_429(request, action="signup"):
        return cast("HttpResponse", refused)
    _provider_id(provider_slug)
    _confirm_again(request, request.POST.get("email", ""))
    messages.success(request, "If that address waits for a link, another one is on its way.")
    return redirect("sign_up_sent", provider_slug)


def _of_provider(request: HttpRequest, provider_slug: str, template: str) -> HttpResponse:
    provider_id = _provider_id(provider_slug)
    with row_security.acting_for(provider_id=provider_id, user_id=None):
        provider = Provider.objects.get(pk=provider_id)
        terms = current_terms(Scope.system(provider_id))
        return render(request, template, {"provider": provider, "terms": terms})


class ConfirmForm(Form):
    """Asks for the password: else who signs up with another's e-mail gets an account opened."""

    password = forms.CharField(
        label="The password you chose",
        widget=forms.PasswordInput({"autocomplete": "current-password"}, render_value=False),
    )

    def __init__(self, *args: Any, user: User, **options: Any) -> None:
        super().__init__(*args, **options)
        self.user = user

    def clean_password(self) -> str:
        password = str(self.cleaned_data["password"])
        if not self.user.check_password(password):
            raise forms.ValidationError("The sign-up has another password.")
        return password


@require_http_methods(FORM_METHODS)
def confirm_email(request: HttpRequest, key: str) -> HttpResponse:
    """Where the link in the e-mail leads; a form confirms, as mail programs open links."""
    verification = EmailConfirmationHMAC.from_key(key)
    if verification is None:
        return render(request, "sign_up/confirm.html")
    address = verification.email_address
    is_sent = request.method == "POST"
    form = ConfirmForm(request.POST if is_sent else None, user=address.user)
    if form.is_valid():
        if verification.confirm(request) is not None:
            _let_in(request, address.user)
        return redirect("account_login")
    status = HTTPStatus.UNPROCESSABLE_ENTITY if request.method == "POST" else HTTPStatus.OK
    return render(
        request, "sign_up/confirm.html", {"address": address, "form": form}, status=status
    )


def _let_in(request: HttpRequest, user: User) -> None:
    row_security.introduce(user.pk)
    member = TeamMember.objects.filter(user=user).first()
    if member is not None:
        with row_security.acting_for(provider_id=member.provider_id, user_id=user.pk):
            customer = confirm_sign_up(member=member, at=clock.now())
            provider = Provider.objects.get(pk=member.provider_id)
        if customer.state == Customer.State.DRAFT:
            said = f"Your e-mail is confirmed. {provider} looks at your sign-up and writes to you."
        else:
            said = "Your e-mail is confirmed; you can sign in now."
        messages.success(request, said)


@require_http_methods(FORM_METHODS)
def provider_sign_in(request: HttpRequest, provider_slug: str) -> HttpResponse:
    """The one sign-in page, as the provider's customers and resellers know it."""
    provider_id = _provider_id(provider_slug)
    with row_security.acting_for(provider_id=provider_id, user_id=None):
        provider = Provider.objects.get(pk=provider_id)
    return cast("HttpResponse", LoginView.as_view(extra_context={"provider": provider})(request))


def _provider_id(slug: str) -> int:
    provider_id = addressed_provider_id(slug)
    if provider_id is None:
        raise Http404
    return provider_id


urls = [
    path("sign-up/<slug:provider_slug>/", sign_up_page, name="sign_up"),
    path("sign-up/<slug:provider_slug>/sent/", sign_up_sent, name="sign_up_sent"),
    path("sign-up/<slug:provider_slug>/again/", sign_up_again, name="sign_up_again"),
    path("sign-up/<slug:provider_slug>/terms/", sign_up_terms, name="sign_up_terms"),
    # The name is allauth's, which puts the address into its e-mail by it.
    re_path(r"^e-mail/(?P<key>[-:\w]+)/$", confirm_email, name="account_confirm_email"),
]
