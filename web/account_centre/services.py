"""Services: what the customer has, what it can buy, and ending what it has."""

from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.html import format_html_join

from catalogue.models import CatalogueVersionItem
from common import clock
from common.money import format_money
from common.scope import Surface
from subscriptions.models import Subscription
from subscriptions.selectors import items_on_offer, subscriptions
from subscriptions.services.ending import EndsBeforeStart, end_subscription
from subscriptions.services.purchase import AlreadyMetered, QuantityRefused, subscribe
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.account_centre.own import own_customer, today
from web.shared.actions import Action, Tab, allowed
from web.shared.allowances import included_text
from web.shared.filters import Filters, choice_filter
from web.shared.form_fields import DateField, Form
from web.shared.form_pages import FormPage, Review, form_page
from web.shared.lists import Empty, list_page
from web.shared.tables import (
    BadgeColumn,
    Column,
    DateColumn,
    LinkColumn,
    MoneyColumn,
    NumberColumn,
    Table,
)
from web.shared.tiers import tier_lines
from web.shared.writing import price_html


class ServiceTable(Table):
    product = LinkColumn("Service", accessor="product__name")
    state = BadgeColumn("State", accessor="get_state_display", value="state")
    quantity = NumberColumn("Quantity")
    start_date = DateColumn("From")
    end_date = DateColumn("Until")


class PricedServiceTable(ServiceTable):
    price = MoneyColumn("Price", is_exact=True)
    price_period = Column("Per", accessor="get_price_period_display")


class ServiceFilters(Filters):
    searches = ("product__name__icontains",)
    search_hint = "Service"

    state = choice_filter("State", "state", Subscription.State.choices)


def _tabs(current: str) -> list[Tab]:
    pages = (
        ("Your services", reverse("account_centre_services")),
        ("Catalogue", reverse("account_centre_catalogue")),
    )
    return [Tab(label, url, is_current=url == current) for label, url in pages]


@page_of(Surface.ACCOUNT_CENTRE, "services.read")
def service_list(request: SurfaceRequest) -> HttpResponse:
    sees_money = "money.read" in request.scope.permissions
    url = reverse("account_centre_catalogue")
    return list_page(
        request,
        title="Services",
        rows=subscriptions(request.scope, own_customer(request)),
        table=PricedServiceTable if sees_money else ServiceTable,
        filters=ServiceFilters,
        name="services",
        empty=Empty("No services yet", "Choose one from the catalogue.", Action("Catalogue", url)),
        template="account_centre/services/service_list.html",
        context={"tabs": _tabs(request.path)},
    )


@page_of(Surface.ACCOUNT_CENTRE, "services.read")
def offer(request: SurfaceRequest) -> HttpResponse:
    items = items_on_offer(request.scope, own_customer(request), clock.now())
    context = {"tabs": _tabs(request.path), "items": items}
    return render(request, "account_centre/services/offer.html", context)


@page_of(Surface.ACCOUNT_CENTRE, "services.read")
def service_page(request: SurfaceRequest, subscription_id: int) -> HttpResponse:
    row = subscriptions(request.scope, own_customer(request)).get(pk=subscription_id)
    end = Action(
        "End",
        reverse("account_centre_service_end", kwargs={"subscription_id": row.pk}),
        "stop-circle",
        needs="services.write",
    )
    actions = [end] if row.state == Subscription.State.ACTIVE else []
    context = {"subscription": row, "actions": allowed(request.scope, actions)}
    return render(request, "account_centre/services/service.html", context)


class PurchaseForm(Form):
    quantity = forms.IntegerField(min_value=1, max_value=10_000)
    start_date = DateField(label="From")

    def __init__(self, *args: Any, earliest: date, **options: Any) -> None:
        super().__init__(*args, **options)
        self.earliest = earliest

    def clean_start_date(self) -> date:
        chosen: date = self.cleaned_data["start_date"]
        if chosen < self.earliest:
            raise forms.ValidationError("A service begins today or later.")
        return chosen


@page_of(Surface.ACCOUNT_CENTRE, "services.write", FORM_METHODS)
def service_buy(request: SurfaceRequest, item_id: int) -> HttpResponse:
    customer = own_customer(request)
    item = items_on_offer(request.scope, customer, clock.now()).get(pk=item_id)

    def save(form: PurchaseForm) -> str:
        bought = subscribe(
            customer=customer,
            item=item,
            quantity=form.cleaned_data["quantity"],
            start_date=form.cleaned_data["start_date"],
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        is_request = bought.state == Subscription.State.REQUESTED
        done = "is requested; we tell you when it is approved." if is_request else "is yours now."
        messages.success(request, f"{item.product} {done}")
        return reverse("account_centre_service", kwargs={"subscription_id": bought.pk})

    page = FormPage(
        f"Subscribe to {item.product}",
        submit="Continue",
        cancel_url=reverse("account_centre_catalogue"),
        lead=item.product.description,
    )
    return form_page(
        request,
        page,
        form=PurchaseForm,
        save=save,
        review=lambda form: _review(item, form.cleaned_data),
        fields_of={QuantityRefused: "quantity", AlreadyMetered: "start_date"},
        initial={"quantity": 1, "start_date": today()},
        earliest=today(),
    )


def _review(item: CatalogueVersionItem, chosen: dict[str, Any]) -> Review:
    quantity = chosen["quantity"]
    facts: list[tuple[str, object]] = [
        ("Service", item.product),
        ("Quantity", quantity),
        ("From", f"{chosen['start_date']:%d %b %Y}"),
    ]
    if item.tiers:
        lines = format_html_join("", "<div>{}</div>", ((line,) for line in tier_lines(item)))
        facts.append(("Price", lines))
    elif item.price is None:
        facts.append(("Price", "by call, at the rates of the service"))
    else:
        per = item.get_price_period_display().lower() if item.price_period else "once"
        facts += [
            (f"Price of one, {per}", price_html(item.price, item.currency)),
            (f"Together, {per}", price_html(item.price * quantity, item.currency)),
        ]
    facts += [("Includes", included_text(row, quantity)) for row in item.allowances.all()]
    approval = "It needs an approval; nothing is charged before." if item.approval_required else ""
    return Review(
        title=f"Subscribe to {item.product}?",
        lead=approval or "It is charged on your next invoice, with tax where tax is due.",
        facts=facts,
        submit="Request it" if item.approval_required else "Subscribe",
    )


class EndForm(Form):
    end_date = DateField(label="Last day")

    def __init__(self, *args: Any, earliest: date, **options: Any) -> None:
        super().__init__(*args, **options)
        self.earliest = earliest

    def clean_end_date(self) -> date:
        chosen: date = self.cleaned_data["end_date"]
        if chosen < self.earliest:
            raise forms.ValidationError("The last day is today or later.")
        return chosen


@page_of(Surface.ACCOUNT_CENTRE, "services.write", FORM_METHODS)
def service_end(request: SurfaceRequest, subscription_id: int) -> HttpResponse:
    row = subscriptions(request.scope, own_customer(request)).get(pk=subscription_id)
    url = reverse("account_centre_service", kwargs={"subscription_id": row.pk})

    def save(form: EndForm) -> str:
        last = form.cleaned_data["end_date"]
        end_subscription(
            subscription=row, end_date=last, at=clock.now(), actor_id=request.scope.user_id
        )
        messages.success(request, f"{row.product} ends after {last:%d %b %Y}.")
        return url

    def review(form: EndForm) -> Review:
        facts: list[tuple[str, object]] = [
            ("Service", row.product),
            ("Last day", f"{form.cleaned_data['end_date']:%d %b %Y}"),
        ]
        if row.price is not None:
            facts.append(("Price that ends", format_money(row.price * row.quantity, row.currency)))
        return Review(
            title=f"End {row.product}?",
            lead="What was charged for days after it is given back where the service allows it.",
            facts=facts,
            submit="End the service",
            is_dangerous=True,
        )

    page = FormPage(f"End {row.product}", submit="Continue", cancel_url=url)
    return form_page(
        request,
        page,
        form=EndForm,
        save=save,
        review=review,
        fields_of={EndsBeforeStart: "end_date"},
        initial={"end_date": today()},
        earliest=today(),
    )


urls = [
    path("services/", service_list, name="account_centre_services"),
    path("services/<int:subscription_id>/", service_page, name="account_centre_service"),
    path("services/<int:subscription_id>/end/", service_end, name="account_centre_service_end"),
    path("services/catalogue/", offer, name="account_centre_catalogue"),
    path("services/catalogue/<int:item_id>/", service_buy, name="account_centre_service_buy"),
]
