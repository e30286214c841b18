"""The sandbox gateway's own payment page, which plays another company's: no session, no surface."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from urllib.parse import urlencode

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_http_methods

from common import clock
from payments.models import SandboxCheckout
from payments.selectors.payments import addressed_provider_id
from payments.services.sandbox import (
    Card,
    Delivery,
    GatewayUnknown,
    OrderClosed,
    OrderUnknown,
    answer_challenge,
    order_at_sandbox,
    pay_with_card,
    send_messages,
)
from tenancy.models import Provider
from tenancy.row_security import acting_for
from web.access import FORM_METHODS

# What each test card does, in the words of its payer.
CARDS = {
    Card.SUCCESS: "Succeeds at once",
    Card.DECLINE: "Is declined",
    Card.CHALLENGE: "Asks for a confirmation by the bank (3-D Secure)",
    Card.DELAYED: "Succeeds, but the merchant hears of it ten minutes later",
    Card.DUPLICATE: "Succeeds, and the merchant hears of it twice",
    Card.OUT_OF_ORDER: "Succeeds, and the merchant hears of it in the wrong order",
}
_View = Callable[[HttpRequest, Provider, SandboxCheckout], HttpResponse]


class CardForm(forms.Form):
    card = forms.ChoiceField(
        label="Test card",
        choices=[(card.value, f"{card.value} · {effect}") for card, effect in CARDS.items()],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose a card to pay with."},
    )


class AnswerForm(forms.Form):
    answer = forms.ChoiceField(
        choices=[("confirm", "Confirm"), ("refuse", "Refuse")],
        error_messages=dict.fromkeys(
            ("required", "invalid_choice"), "Say whether it is you who pays."
        ),
    )


def _of_order(view: _View) -> Callable[[HttpRequest, str, str], HttpResponse]:
    """Show a page of one order of one provider; its reference is secret, and all it takes."""

    @wraps(view)
    @require_http_methods(FORM_METHODS)
    def shown(request: HttpRequest, provider_slug: str, reference: str) -> HttpResponse:
        provider_id = addressed_provider_id(provider_slug)
        if provider_id is None:
            raise Http404
        try:
            with acting_for(provider_id=provider_id, user_id=None):
                order = order_at_sandbox(provider_id=provider_id, reference=reference)
                return view(request, Provider.objects.get(pk=provider_id), order)
        except (GatewayUnknown, OrderUnknown) as missing:
            raise Http404 from missing

    return shown


@_of_order
def checkout(request: HttpRequest, provider: Provider, order: SandboxCheckout) -> HttpResponse:
    if order.state == SandboxCheckout.State.CHALLENGED:
        return redirect("sandbox_challenge", provider.slug, order.reference)
    form = CardForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            deliveries = pay_with_card(
                provider_id=provider.pk,
                reference=order.reference,
                card=Card(form.cleaned_data["card"]),
                at=clock.now(),
            )
        except OrderClosed as refusal:
            form.add_error(None, str(refusal))
        else:
            return _went_on(provider, order, deliveries)
    return _page(request, "sandbox/checkout.html", provider, order, form)


@_of_order
def challenge(request: HttpRequest, provider: Provider, order: SandboxCheckout) -> HttpResponse:
    if order.state != SandboxCheckout.State.CHALLENGED:
        return redirect("sandbox_checkout", provider.slug, order.reference)
    form = AnswerForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            deliveries = answer_challenge(
                provider_id=provider.pk,
                reference=order.reference,
                is_confirmed=form.cleaned_data["answer"] == "confirm",
                at=clock.now(),
            )
        except OrderClosed:  # answered in another window just now
            return redirect("sandbox_checkout", provider.slug, order.reference)
        return _went_on(provider, order, deliveries)
    return _page(request, "sandbox/challenge.html", provider, order, form)


def _went_on(
    provider: Provider, order: SandboxCheckout, deliveries: list[Delivery]
) -> HttpResponse:
    """Tell the merchant, and send the payer on: to the bank, or back to the merchant."""
    send_messages(provider_slug=provider.slug, deliveries=deliveries)
    order.refresh_from_db()
    if order.state == SandboxCheckout.State.CHALLENGED:
        return redirect("sandbox_challenge", provider.slug, order.reference)
    return HttpResponseRedirect(_back(order))


def _back(order: SandboxCheckout) -> str:
    return f"{order.return_url}?{urlencode({'order': order.order_number})}"


def _page(
    request: HttpRequest,
    template: str,
    provider: Provider,
    order: SandboxCheckout,
    form: forms.Form,
) -> HttpResponse:
    context = {
        "merchant": provider.name,
        "order": order,
        "is_open": order.state == SandboxCheckout.State.OPEN,
        "back_url": _back(order),
        "form": form,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, template, context, status=status)


urls = [
    path("sandbox/<slug:provider_slug>/<slug:reference>/", checkout, name="sandbox_checkout"),
    path(
        "sandbox/<slug:provider_slug>/<slug:reference>/bank/", challenge, name="sandbox_challenge"
    ),
]
