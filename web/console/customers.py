"""Customers in the console: the list, new ones, and what staff change of one."""

from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import path, reverse

from catalogue import selectors as catalogue
from catalogue.models import Catalogue
from common import clock
from common.scope import Surface
from customers import selectors
from customers.models import Customer
from customers.rules.states import following
from customers.services.accounts import change_state, edit_details
from customers.services.catalogues import assign_catalogue, clear_catalogue
from customers.services.onboarding import CodeChoice, CustomerDetails, create_customer
from payments.selectors.service_balance import service_balance
from resellers import selectors as resellers
from resellers.models import Reseller
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.console import customer_tabs
from web.shared.actions import Action
from web.shared.filters import Filters, choice_filter, row_filter, since_filter
from web.shared.form_fields import CountryField, CurrencyField, Form
from web.shared.form_pages import FormPage, Review, form_page
from web.shared.lists import Empty, list_page
from web.shared.tables import BadgeColumn, Column, InstantColumn, LinkColumn, Table
from web.shared.writing import money_html

CONSEQUENCES = {
    Customer.State.DRAFT: "It is not served yet.",
    Customer.State.ACTIVE: "It is served, may buy, and is invoiced.",
    Customer.State.RESTRICTED: "It is served as before, but can buy nothing more.",
    Customer.State.DISABLED: "It is no longer served, and can only pay what it owes.",
    Customer.State.TERMINATED: "It ends for good: nothing of the account ever changes again.",
}


class CustomerTable(Table):
    name = LinkColumn("Name")
    number = LinkColumn("Number", orderable=True)
    email = Column("E-mail")
    state = BadgeColumn("State", accessor="get_state_display", value="state")
    reseller = LinkColumn("Reseller", accessor="reseller__organisation", to="reseller")
    code = Column("Code", accessor="reseller_code__code")
    currency = Column("Currency")
    created_at = InstantColumn("Created", orderable=True)


def _resellers(request: SurfaceRequest) -> QuerySet[Reseller]:
    return resellers.resellers(request.scope)


class CustomerFilters(Filters):
    searches = (
        "organisation__icontains",
        "last_name__icontains",
        "email__icontains",
        "number__startswith",
    )
    search_hint = "Name, e-mail or number"

    state = choice_filter("State", "state", Customer.State.choices)
    reseller = row_filter("Reseller", "reseller", _resellers)
    since = since_filter("Created since", "created_at", of_instants=True)


@page_of(Surface.CONSOLE, "customers.list")
def customer_list(request: SurfaceRequest) -> HttpResponse:
    add = Action(
        "Add customer",
        reverse("console_customer_create"),
        "plus",
        needs="customers.write",
        is_main=True,
    )
    return list_page(
        request,
        title="Customers",
        rows=selectors.customers(request.scope),
        table=CustomerTable,
        filters=CustomerFilters,
        name="customers",
        actions=[add],
        empty=Empty(
            "No customers yet",
            "They sign up with a reseller's code, or you add them here.",
            action=add,
        ),
    )


class DetailsForm(Form):
    groups = (
        ("Who it is", ("organisation", "first_name", "last_name", "email", "phone")),
        ("Where its invoices go", ("address", "country", "tax_number")),
    )

    organisation = forms.CharField(
        max_length=200, required=False, help_text="Leave it empty for a private person."
    )
    first_name = forms.CharField(max_length=100)
    last_name = forms.CharField(max_length=100)
    email = forms.EmailField(label="E-mail")
    phone = forms.CharField(max_length=40, required=False)
    address = forms.CharField(widget=forms.Textarea, required=False)
    country = CountryField(required=False)
    tax_number = forms.CharField(max_length=40, required=False)

    @property
    def details(self) -> CustomerDetails:
        names = CustomerDetails.__dataclass_fields__
        return CustomerDetails(**{name: self.cleaned_data[name] for name in names})


class NewCustomerForm(DetailsForm):
    groups: ClassVar[Any] = (
        *DetailsForm.groups,
        ("Billing and reseller", ("currency", "reseller_code", "without_reseller")),
    )

    currency = CurrencyField(help_text="It is billed in this currency from the first day.")
    reseller_code = forms.CharField(
        max_length=40,
        required=False,
        help_text="Who brought the customer; it can never be changed. Empty: the default code.",
    )
    without_reseller = forms.BooleanField(
        label="No reseller, not even the default one", required=False
    )

    @property
    def code(self) -> str | CodeChoice:
        if self.cleaned_data["without_reseller"]:
            return CodeChoice.NONE
        return self.cleaned_data["reseller_code"] or CodeChoice.DEFAULT


@page_of(Surface.CONSOLE, "customers.write", FORM_METHODS)
def customer_create(request: SurfaceRequest) -> HttpResponse:
    def save(form: NewCustomerForm) -> str:
        customer = create_customer(
            provider_id=request.scope.provider_id,
            details=form.details,
            currency=form.cleaned_data["currency"],
            channel=Customer.Channel.CONSOLE,
            reseller_code=form.code,
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(request, f"{customer} was added as a draft, number {customer.number}.")
        return customer_tabs.url(customer)

    page = FormPage(
        "Add a customer", submit="Add customer", cancel_url=reverse("console_customers")
    )
    return form_page(
        request,
        page,
        form=NewCustomerForm,
        save=save,
        fields_of={
            resellers.UnknownResellerCode: "reseller_code",
            resellers.ResellerCodeNotPublished: "reseller_code",
            resellers.ResellerCodeExpired: "reseller_code",
            resellers.ResellerDisabled: "reseller_code",
            resellers.ResellerModuleOff: "reseller_code",
        },
        initial={"currency": request.provider.currency},
    )


@page_of(Surface.CONSOLE, "customers.write", FORM_METHODS)
def customer_edit(request: SurfaceRequest, customer_id: int) -> HttpResponse:
    customer = selectors.customer(request.scope, customer_id)

    def save(form: DetailsForm) -> str:
        edit_details(
            customer=customer,
            details=form.details,
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(request, "The details were saved.")
        return customer_tabs.url(customer)

    page = FormPage(f"Edit {customer}", submit="Save", cancel_url=customer_tabs.url(customer))
    initial = {name: getattr(customer, name) for name in DetailsForm.base_fields}
    return form_page(request, page, form=DetailsForm, save=save, initial=initial)


class StateForm(Form):
    state = forms.ChoiceField(label="New state")
    reason = forms.CharField(max_length=200, help_text="Kept in the account's history.")

    def __init__(self, *args: Any, states: list[str], **options: Any) -> None:
        super().__init__(*args, **options)
        choices = [(state, Customer.State(state).label.capitalize()) for state in states]
        self.fields["state"] = forms.ChoiceField(label="New state", choices=choices)


@page_of(Surface.CONSOLE, "customers.write", FORM_METHODS)
def customer_state(request: SurfaceRequest, customer_id: int) -> HttpResponse:
    customer = selectors.customer(request.scope, customer_id)

    def review(form: StateForm) -> Review:
        state = Customer.State(form.cleaned_data["state"])
        balance = service_balance(request.scope, customer_id=customer.pk)
        return Review(
            title=f"{state.label.capitalize()}: {customer}?",
            lead=CONSEQUENCES[state],
            facts=[
                ("Present state", customer.get_state_display()),
                ("Owes on invoices", money_html(balance.receivable_amount, balance.currency)),
                ("Not billed yet", money_html(balance.unbilled_amount, balance.currency)),
                ("In the wallet", money_html(balance.wallet_amount, balance.currency)),
            ],
            submit="Change the state",
            is_dangerous=state in (Customer.State.DISABLED, Customer.State.TERMINATED),
        )

    def save(form: StateForm) -> str:
        changed = change_state(
            customer=customer,
            state=Customer.State(form.cleaned_data["state"]),
            reason=form.cleaned_data["reason"],
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(request, f"{changed} is {changed.get_state_display().lower()} now.")
        return customer_tabs.url(customer)

    page = FormPage(
        f"Change the state of {customer}",
        submit="Continue",
        cancel_url=customer_tabs.url(customer),
        lead=f"It is {customer.get_state_display().lower()} at present.",
    )
    states = sorted(following(customer.state))
    return form_page(request, page, form=StateForm, save=save, review=review, states=states)


class CatalogueForm(Form):
    catalogue = forms.ModelChoiceField(
        queryset=Catalogue.objects.none(), required=False, empty_label="The default catalogue"
    )

    def __init__(self, *args: Any, catalogues: QuerySet[Catalogue], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["catalogue"].queryset = catalogues  # type: ignore[attr-defined]


@page_of(Surface.CONSOLE, "customers.write", FORM_METHODS)
def customer_catalogue(request: SurfaceRequest, customer_id: int) -> HttpResponse:
    customer = selectors.customer(request.scope, customer_id)

    def save(form: CatalogueForm) -> str:
        chosen = form.cleaned_data["catalogue"]
        at, actor_id = clock.now(), request.scope.user_id
        if chosen is None:
            clear_catalogue(customer=customer, at=at, actor_id=actor_id)
        else:
            assign_catalogue(
                customer=customer, catalogue=chosen, replace=True, at=at, actor_id=actor_id
            )
        messages.success(request, f"{customer} buys from {chosen or 'the default catalogue'} now.")
        return customer_tabs.url(customer)

    page = FormPage(
        f"Catalogue of {customer}",
        submit="Assign",
        cancel_url=customer_tabs.url(customer),
        lead="Present subscriptions keep their price; the next ones come from this catalogue.",
    )
    custom = catalogue.catalogues(request.scope).filter(is_default=False, is_enabled=True)
    return form_page(
        request,
        page,
        form=CatalogueForm,
        save=save,
        initial={"catalogue": customer.custom_catalogue},
        catalogues=custom,
    )


urls = [
    path("customers/", customer_list, name="console_customers"),
    path("customers/new/", customer_create, name="console_customer_create"),
    path("customers/<int:customer_id>/edit/", customer_edit, name="console_customer_edit"),
    path("customers/<int:customer_id>/state/", customer_state, name="console_customer_state"),
    path(
        "customers/<int:customer_id>/catalogue/",
        customer_catalogue,
        name="console_customer_catalogue",
    ),
    *customer_tabs.urls,
]
