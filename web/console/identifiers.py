"""The tab of a customer that says by what the switches know it."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import path, reverse
from django.utils.formats import date_format

from catalogue.rules.tags import TAGS_CHARACTERS
from cdr.models import CustomerIdentifier, IdentifiedBy
from cdr.selectors.identifiers import identifiers
from cdr.services.identifiers import (
    IdentifierRefused,
    IdentifierTaken,
    SubscriptionNotTheirs,
    give_identifier,
    tag_identifier,
    take_identifier,
    tie_identifier,
)
from common import clock
from common.scope import Surface
from customers.models import Customer
from customers.selectors import customer as customer_by_id
from subscriptions.models import Subscription
from subscriptions.selectors import going_on
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.console.customer_tabs import frame
from web.console.steps import Step, StepsColumn
from web.shared.actions import Action
from web.shared.form_fields import Form
from web.shared.form_pages import FormPage, Review, confirm_page, form_page
from web.shared.lists import Empty, list_page
from web.shared.tables import Column, Table

LABELS = {kind: kind.label for kind in IdentifiedBy}


class IdentifierTable(Table):
    kind = Column("Kind")
    value = Column("Value", attrs={"td": {"class": "code"}})
    tags = Column("Tags")
    subscription = Column("For its own allowances", accessor="subscription__product__name")

    def render_kind(self, value: str, record: CustomerIdentifier) -> str:
        return LABELS[CustomerIdentifier.Kind(record.kind)]


def _steps(row: CustomerIdentifier) -> list[Step]:
    of_row = {"customer_id": row.customer_id, "identifier_id": row.pk}
    return [
        ("Tags", reverse("console_identifier_tags", kwargs=of_row)),
        ("Subscription", reverse("console_identifier_subscription", kwargs=of_row)),
        ("Take away", reverse("console_identifier_take", kwargs=of_row)),
    ]


class TakeableTable(IdentifierTable):
    steps = StepsColumn(_steps)


def _tab(customer: Customer) -> str:
    return reverse("console_identifiers", kwargs={"customer_id": customer.pk})


@page_of(Surface.CONSOLE, "customers.read")
def identifier_list(request: SurfaceRequest, customer_id: int) -> HttpResponse:
    customer = customer_by_id(request.scope, customer_id)
    give = Action(
        "Add an account code or number",
        reverse("console_identifier_give", kwargs={"customer_id": customer.pk}),
        "plus",
        needs="customers.write",
        is_main=True,
    )
    may_change = "customers.write" in request.scope.permissions
    context = frame(request, customer)
    return list_page(
        request,
        title=f"Account codes and numbers of {customer}",
        rows=identifiers(request.scope, customer),
        table=TakeableTable if may_change else IdentifierTable,
        name=f"identifiers-{customer.number}",
        empty=Empty(
            "No account code and no number",
            "Until it has one, usage cannot be told to be this customer's, and waits in suspense.",
            give,
        ),
        template="console/customers/identifier_list.html",
        context=context | {"give": give if may_change else None},
    )


class SubscriptionField(forms.ModelChoiceField):  # type: ignore[type-arg]  # django has none
    """One of a customer's subscriptions, told apart by what it includes and since when."""

    def label_from_instance(self, row: Subscription) -> str:
        names = ", ".join(allowance.name for allowance in row.item.allowances.all())
        included = f", includes {names}" if names else ""
        return f"{row.product}, since {date_format(row.start_date, 'DATE_FORMAT')}{included}"


class TagsForm(Form):
    tags = forms.CharField(
        max_length=TAGS_CHARACTERS,
        required=False,
        help_text="Words separated by commas that its usage carries. Rates with such a tag come"
        " first.",
    )


class SubscriptionForm(Form):
    subscription = SubscriptionField(
        queryset=Subscription.objects.none(),
        required=False,
        empty_label="None",
        help_text="What that one includes for itself, usage under it can use.",
    )

    def __init__(self, *args: Any, subscriptions: QuerySet[Subscription], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["subscription"].queryset = subscriptions  # type: ignore[attr-defined]


class IdentifierForm(TagsForm, SubscriptionForm):
    field_order = ("kind", "value", "tags", "subscription")

    kind = forms.ChoiceField(label="Kind", choices=list(LABELS.items()))
    value = forms.CharField(
        label="Account code, trunk, address or number",
        help_text="An account code or trunk as the switch writes it, an address such as 192.0.2.7"
        " or a network such as 192.0.2.0/24, or a number with its country, such as +49 30 1234567."
        " Of several networks that hold an address the longest counts, before all the address.",
    )


@page_of(Surface.CONSOLE, "customers.write", FORM_METHODS)
def identifier_give(request: SurfaceRequest, customer_id: int) -> HttpResponse:
    customer = customer_by_id(request.scope, customer_id)

    def save(form: IdentifierForm) -> str:
        given = give_identifier(
            customer=customer,
            kind=CustomerIdentifier.Kind(form.cleaned_data["kind"]),
            value=form.cleaned_data["value"],
            tags=form.cleaned_data["tags"],
            subscription=form.cleaned_data["subscription"],
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(
            request, f"Usage under {given.value} is charged to {customer} from now on."
        )
        return _tab(customer)

    page = FormPage(
        f"Add an account code or number of {customer}",
        submit="Add",
        cancel_url=_tab(customer),
        lead="Usage under it is charged to this customer. What waits for it in suspense is rated"
        " when it is tried again.",
    )
    return form_page(
        request,
        page,
        form=IdentifierForm,
        save=save,
        fields_of={
            IdentifierRefused: "value",
            IdentifierTaken: "value",
            SubscriptionNotTheirs: "subscription",
        },
        subscriptions=going_on(request.scope, customer),
    )


@page_of(Surface.CONSOLE, "customers.write", FORM_METHODS)
def identifier_take(request: SurfaceRequest, customer_id: int, identifier_id: int) -> HttpResponse:
    customer = customer_by_id(request.scope, customer_id)
    row = identifiers(request.scope, customer).get(pk=identifier_id)

    def confirm() -> str:
        take_identifier(identifier=row, at=clock.now(), actor_id=request.scope.user_id)
        messages.success(request, f"{row.value} is nobody's now.")
        return _tab(customer)

    review = Review(
        title=f"Take {row.value} away from {customer}?",
        lead="Usage under it waits in suspense from now on. What was rated stays as it is.",
        facts=[(LABELS[CustomerIdentifier.Kind(row.kind)], row.value), ("Customer", customer)],
        submit="Take it away",
        is_dangerous=True,
    )
    return confirm_page(request, review, confirm=confirm, cancel_url=_tab(customer))


@page_of(Surface.CONSOLE, "customers.write", FORM_METHODS)
def identifier_tags(request: SurfaceRequest, customer_id: int, identifier_id: int) -> HttpResponse:
    customer = customer_by_id(request.scope, customer_id)
    row = identifiers(request.scope, customer).get(pk=identifier_id)

    def save(form: TagsForm) -> str:
        tagged = tag_identifier(
            identifier=row,
            tags=form.cleaned_data["tags"],
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(request, f"Usage of {tagged.value} carries {tagged.tags or 'no tag'} now.")
        return _tab(customer)

    page = FormPage(
        f"Tags of {row.value}",
        submit="Save",
        cancel_url=_tab(customer),
        lead="They hold for usage from now on; what was rated stays as it is.",
    )
    return form_page(request, page, form=TagsForm, save=save, initial={"tags": row.tags})


@page_of(Surface.CONSOLE, "customers.write", FORM_METHODS)
def identifier_subscription(
    request: SurfaceRequest, customer_id: int, identifier_id: int
) -> HttpResponse:
    customer = customer_by_id(request.scope, customer_id)
    row = identifiers(request.scope, customer).get(pk=identifier_id)

    def save(form: SubscriptionForm) -> str:
        chosen = form.cleaned_data["subscription"]
        tie_identifier(
            identifier=row, subscription=chosen, at=clock.now(), actor_id=request.scope.user_id
        )
        told = f"belongs to {chosen.product}" if chosen else "belongs to no subscription"
        messages.success(request, f"Usage of {row.value} {told} now.")
        return _tab(customer)

    page = FormPage(
        f"Subscription of {row.value}",
        submit="Save",
        cancel_url=_tab(customer),
        lead="It holds for usage that is rated from now on.",
    )
    return form_page(
        request,
        page,
        form=SubscriptionForm,
        save=save,
        fields_of={SubscriptionNotTheirs: "subscription"},
        initial={"subscription": row.subscription_id},
        subscriptions=going_on(request.scope, customer),
    )


_AT = "customers/<int:customer_id>/identifiers/"
urls = [
    path(_AT, identifier_list, name="console_identifiers"),
    path(f"{_AT}new/", identifier_give, name="console_identifier_give"),
    path(f"{_AT}<int:identifier_id>/tags/", identifier_tags, name="console_identifier_tags"),
    path(
        f"{_AT}<int:identifier_id>/subscription/",
        identifier_subscription,
        name="console_identifier_subscription",
    ),
    path(f"{_AT}<int:identifier_id>/take/", identifier_take, name="console_identifier_take"),
]
