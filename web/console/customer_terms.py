"""How a customer is billed, changed in the console."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import path

from catalogue.models import ProductKind, RateTable
from catalogue.selectors import rate_tables
from common import clock
from common.money import round_money
from common.scope import Surface
from customers import selectors
from customers.models import Customer
from customers.services.accounts import BillingTerms, edit_billing_terms
from tenancy.models import BillerEntity
from tenancy.selectors import biller_entities
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.console import customer_tabs
from web.shared.form_fields import Form, MoneyField
from web.shared.form_pages import FormPage, form_page


class TermsForm(Form):
    groups = (
        ("Invoices", ("is_billable", "biller_entity", "tax_category")),
        ("Usage", ("credit_limit", "rate_table")),
    )

    is_billable = forms.BooleanField(
        label="Bill runs invoice it",
        required=False,
        help_text="Off: its charges wait, unbilled, until it is switched on again.",
    )
    biller_entity = forms.ModelChoiceField(
        label="Seller on its invoices",
        queryset=BillerEntity.objects.none(),
        required=False,
        empty_label="The default one",
    )
    tax_category = forms.ChoiceField(choices=Customer.TaxCategory.choices)
    rate_table = forms.ModelChoiceField(
        queryset=RateTable.objects.none(), required=False, empty_label="Of its catalogue"
    )

    def __init__(
        self,
        *args: Any,
        currency: str,
        sellers: QuerySet[BillerEntity],
        tables: QuerySet[RateTable],
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.fields["credit_limit"] = MoneyField(
            currency=currency,
            label=f"Credit limit, in {currency}",
            help_text="What it may owe and use before its service balance is below zero.",
        )
        self.fields["biller_entity"].queryset = sellers  # type: ignore[attr-defined]
        self.fields["rate_table"].queryset = tables  # type: ignore[attr-defined]

    @property
    def terms(self) -> BillingTerms:
        seller, table = self.cleaned_data["biller_entity"], self.cleaned_data["rate_table"]
        return BillingTerms(
            tax_category=Customer.TaxCategory(self.cleaned_data["tax_category"]),
            credit_limit=self.cleaned_data["credit_limit"],
            is_billable=self.cleaned_data["is_billable"],
            biller_entity_id=seller and seller.pk,
            rate_table_id=table and table.pk,
        )


@page_of(Surface.CONSOLE, "customers.write", FORM_METHODS)
def customer_terms(request: SurfaceRequest, customer_id: int) -> HttpResponse:
    customer = selectors.customer(request.scope, customer_id)
    url = customer_tabs.url(customer)

    def save(form: TermsForm) -> str:
        edit_billing_terms(
            customer=customer, terms=form.terms, at=clock.now(), actor_id=request.scope.user_id
        )
        messages.success(request, "The billing terms were saved.")
        return url

    page = FormPage(
        f"Billing terms of {customer}",
        submit="Save",
        cancel_url=url,
        lead="They hold from the next estimate on; issued invoices stay as they are.",
    )
    voice = rate_tables(request.scope).filter(product__kind=ProductKind.VOICE)
    return form_page(
        request,
        page,
        form=TermsForm,
        save=save,
        initial={
            "credit_limit": round_money(customer.credit_limit, customer.currency),
            **{name: getattr(customer, name) for name in TermsForm.base_fields},
        },
        currency=customer.currency,
        sellers=biller_entities(request.scope),
        tables=voice.filter(currency=customer.currency),
    )


urls = [
    path(
        "customers/<int:customer_id>/billing-terms/",
        customer_terms,
        name="console_customer_terms",
    ),
]
