"""Approving or refusing who signed up, where the provider decides itself."""

from smtplib import SMTPException

from allauth.account.adapter import get_adapter
from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.urls import path, reverse

from common import clock
from common.scope import Surface
from customers import selectors
from customers.models import Customer
from customers.services.accounts import change_state
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.console.customer_tabs import awaits_approval, url
from web.shared.form_fields import Form
from web.shared.form_pages import FormPage, Review, confirm_page, form_page


def _waiting(request: SurfaceRequest, waiting_id: int) -> Customer:
    """:raises Http404: if nobody decides about this customer any more."""
    customer = selectors.customer(request.scope, waiting_id)
    if not awaits_approval(customer):
        raise Http404
    return customer


@page_of(Surface.CONSOLE, "customers.write", FORM_METHODS)
def customer_approve(request: SurfaceRequest, waiting_id: int) -> HttpResponse:
    customer = _waiting(request, waiting_id)

    def confirm() -> str:
        _decide(request, customer, Customer.State.ACTIVE, "The sign-up was approved.")
        return url(customer)

    review = Review(
        f"Approve {customer}?",
        lead="Its account opens, and it is told so by e-mail.",
        facts=[
            ("Contact", f"{customer.first_name} {customer.last_name}"),
            ("E-mail", customer.email),
            ("Country", customer.country),
            ("Billed in", customer.currency),
            ("Reseller code", customer.reseller_code),
        ],
        submit="Approve",
    )
    return confirm_page(request, review, confirm=confirm, cancel_url=url(customer))


class RefusalForm(Form):
    reason = forms.CharField(
        max_length=500,
        widget=forms.Textarea,
        help_text="They read it in the e-mail, and it is kept in the customer's activity.",
    )


@page_of(Surface.CONSOLE, "customers.write", FORM_METHODS)
def customer_refuse(request: SurfaceRequest, waiting_id: int) -> HttpResponse:
    customer = _waiting(request, waiting_id)

    def save(form: RefusalForm) -> str:
        _decide(request, customer, Customer.State.TERMINATED, form.cleaned_data["reason"])
        return url(customer)

    page = FormPage(
        f"Refuse {customer}",
        submit="Refuse",
        cancel_url=url(customer),
        lead="The account is terminated before it was opened, for good.",
    )
    return form_page(request, page, form=RefusalForm, save=save)


def _decide(
    request: SurfaceRequest, customer: Customer, state: Customer.State, reason: str
) -> None:
    changed = change_state(
        customer=customer,
        state=state,
        reason=reason,
        at=clock.now(),
        actor_id=request.scope.user_id,
    )
    messages.success(request, f"{changed} is {changed.get_state_display().lower()} now.")
    words = {
        "customer": changed,
        "provider": request.provider,
        "is_approved": state == Customer.State.ACTIVE,
        "reason": reason,
        "sign_in_url": f"{settings.PUBLIC_URL}{reverse('account_login')}",
    }
    try:
        get_adapter(request).send_mail("account/email/sign_up_decided", changed.email, words)
    except (OSError, SMTPException):
        messages.warning(request, f"The e-mail to {changed.email} was not sent; write to them.")


urls = [
    path("customers/<int:waiting_id>/approve/", customer_approve, name="console_customer_approve"),
    path("customers/<int:waiting_id>/refuse/", customer_refuse, name="console_customer_refuse"),
]
