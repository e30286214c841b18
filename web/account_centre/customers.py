"""The customer's own profile."""

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse

from common import clock
from common.scope import Surface
from customers.services.accounts import edit_details
from customers.services.onboarding import CustomerDetails
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.account_centre.own import own_customer
from web.shared.actions import Action, allowed
from web.shared.form_fields import CountryField, Form
from web.shared.form_pages import FormPage, form_page


class ProfileForm(Form):
    groups = (
        ("Who you are", ("organisation", "first_name", "last_name", "email", "phone")),
        ("Where your invoices go", ("address", "country", "tax_number")),
    )

    organisation = forms.CharField(
        max_length=200, required=False, help_text="Leave it empty as a private person."
    )
    first_name = forms.CharField(max_length=100)
    last_name = forms.CharField(max_length=100)
    email = forms.EmailField(
        label="E-mail", help_text="For us to write to; it does not change how you sign in."
    )
    phone = forms.CharField(max_length=40, required=False)
    address = forms.CharField(widget=forms.Textarea, required=False)
    country = CountryField(required=False)
    tax_number = forms.CharField(max_length=40, required=False)


@page_of(Surface.ACCOUNT_CENTRE, "profile.read")
def profile(request: SurfaceRequest) -> HttpResponse:
    customer = own_customer(request)
    edit = Action(
        "Edit", reverse("account_centre_profile_edit"), "pencil-square", needs="profile.write"
    )
    context = {"customer": customer, "actions": allowed(request.scope, [edit])}
    return render(request, "account_centre/team/profile.html", context)


@page_of(Surface.ACCOUNT_CENTRE, "profile.write", FORM_METHODS)
def profile_edit(request: SurfaceRequest) -> HttpResponse:
    customer = own_customer(request)
    url = reverse("account_centre_profile")

    def save(form: ProfileForm) -> str:
        edit_details(
            customer=customer,
            details=CustomerDetails(**form.cleaned_data),
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(request, "Your profile was saved.")
        return url

    page = FormPage(
        "Edit your profile",
        submit="Save",
        cancel_url=url,
        lead="Invoices that were issued keep the names and addresses they have.",
    )
    initial = {name: getattr(customer, name) for name in ProfileForm.base_fields}
    return form_page(request, page, form=ProfileForm, save=save, initial=initial)


urls = [
    path("profile/", profile, name="account_centre_profile"),
    path("profile/edit/", profile_edit, name="account_centre_profile_edit"),
]
