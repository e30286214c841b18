"""Resellers in the console: the list, the tree, new ones, and what staff change of one."""

from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse

from common import clock
from customers.selectors import resellers_with_customers
from resellers import selectors
from resellers.models import Reseller, ResellerCode
from resellers.services.module import DefaultCodeRefused, ModuleSettings, change_module
from resellers.services.resellers import (
    ResellerBelowItself,
    ResellerDetails,
    ResellerRefused,
    create_reseller,
    disable_reseller,
    edit_reseller,
    enable_reseller,
    move_reseller,
)
from web.access import FORM_METHODS, SurfaceRequest
from web.console.reseller_pages import address, find, reseller_page
from web.shared.actions import Action, allowed
from web.shared.filters import Filters, choice_filter, since_filter
from web.shared.form_fields import CountryField, CurrencyField, Form
from web.shared.form_pages import FormPage, Review, confirm_page, form_page
from web.shared.lists import Empty, list_page
from web.shared.tables import (
    BadgeColumn,
    Column,
    InstantColumn,
    LinkColumn,
    NumberColumn,
    Table,
)


class ResellerTable(Table):
    number = LinkColumn("Number", orderable=True)
    organisation = LinkColumn("Name", orderable=True)
    parent = LinkColumn("Below", accessor="parent__organisation", to="parent")
    code_names = Column("Codes")
    active_since = InstantColumn("Active since", orderable=True)
    email = Column("E-mail")
    customer_count = NumberColumn("Customers", orderable=True)
    state = BadgeColumn("State", accessor="get_state_display", value="state")


class ResellerFilters(Filters):
    searches = (
        "organisation__icontains",
        "last_name__icontains",
        "email__icontains",
        "number__startswith",
        "code_names__icontains",
    )
    search_hint = "Name, code, e-mail or number"

    state = choice_filter("State", "state", Reseller.State.choices)
    since = since_filter("Active since", "active_since", of_instants=True)


def _add() -> Action:
    return Action(
        "Add reseller",
        reverse("console_reseller_create"),
        "plus",
        needs="resellers.write",
        is_main=True,
    )


@reseller_page("resellers.list")
def reseller_list(request: SurfaceRequest) -> HttpResponse:
    return list_page(
        request,
        title="Resellers",
        rows=resellers_with_customers(request.scope),
        table=ResellerTable,
        filters=ResellerFilters,
        name="resellers",
        actions=[_add()],
        empty=Empty(
            "No resellers yet",
            "A reseller brings customers by its code, or buys wholesale for its own.",
            action=_add(),
        ),
    )


@reseller_page("resellers.list")
def reseller_tree(request: SurfaceRequest) -> HttpResponse:
    tree = selectors.reseller_tree(request.scope)
    rows = {row.pk: row for row in resellers_with_customers(request.scope)}

    def branch(parent_id: int | None) -> list[dict[str, object]]:
        return [
            {"reseller": rows[pk], "below": branch(pk)}
            for pk in sorted(tree.children(parent_id), key=lambda pk: rows[pk].number)
        ]

    context = {"branches": branch(None), "actions": allowed(request.scope, [_add()])}
    return render(request, "console/resellers/reseller_tree.html", context)


class DetailsForm(Form):
    groups = (
        ("Who it is", ("organisation", "first_name", "last_name", "email", "phone")),
        ("Where it is", ("address", "country", "tax_number")),
    )

    organisation = forms.CharField(max_length=200)
    first_name = forms.CharField(max_length=100)
    last_name = forms.CharField(max_length=100)
    email = forms.EmailField(label="E-mail")
    phone = forms.CharField(max_length=40, required=False)
    address = forms.CharField(widget=forms.Textarea, required=False)
    country = CountryField(required=False)
    tax_number = forms.CharField(max_length=40, required=False)

    @property
    def details(self) -> ResellerDetails:
        names = ResellerDetails.__dataclass_fields__
        return ResellerDetails(**{name: self.cleaned_data[name] for name in names})


class NewResellerForm(DetailsForm):
    groups: ClassVar[Any] = (*DetailsForm.groups, ("Its place", ("currency", "parent")))

    currency = CurrencyField(help_text="What it owes, and what it earns, is in this currency.")
    parent = forms.ModelChoiceField(
        queryset=Reseller.objects.none(),
        required=False,
        label="Below",
        empty_label="At the top, directly below you",
    )

    def __init__(self, *args: Any, parents: QuerySet[Reseller], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["parent"].queryset = parents  # type: ignore[attr-defined]


@reseller_page("resellers.write", FORM_METHODS)
def reseller_create(request: SurfaceRequest) -> HttpResponse:
    def save(form: NewResellerForm) -> str:
        reseller = create_reseller(
            provider_id=request.scope.provider_id,
            details=form.details,
            currency=form.cleaned_data["currency"],
            parent=form.cleaned_data["parent"],
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(request, f"{reseller} was added, number {reseller.number}.")
        return address("console_reseller", reseller)

    page = FormPage(
        "Add a reseller", submit="Add reseller", cancel_url=reverse("console_resellers")
    )
    return form_page(
        request,
        page,
        form=NewResellerForm,
        save=save,
        fields_of={ResellerRefused: "currency"},
        initial={"currency": request.provider.currency},
        parents=selectors.resellers(request.scope),
    )


@reseller_page("resellers.write", FORM_METHODS)
def reseller_edit(request: SurfaceRequest, reseller_id: int) -> HttpResponse:
    reseller = find(request.scope, reseller_id)
    url = address("console_reseller", reseller)

    def save(form: DetailsForm) -> str:
        edit_reseller(
            reseller=reseller,
            details=form.details,
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(request, "The details were saved.")
        return url

    page = FormPage(f"Edit {reseller}", submit="Save", cancel_url=url)
    initial = {name: getattr(reseller, name) for name in DetailsForm.base_fields}
    return form_page(request, page, form=DetailsForm, save=save, initial=initial)


class MoveForm(Form):
    parent = forms.ModelChoiceField(
        queryset=Reseller.objects.none(),
        required=False,
        label="Below",
        empty_label="At the top, directly below you",
    )

    def __init__(self, *args: Any, parents: QuerySet[Reseller], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["parent"].queryset = parents  # type: ignore[attr-defined]


@reseller_page("resellers.write", FORM_METHODS)
def reseller_move(request: SurfaceRequest, reseller_id: int) -> HttpResponse:
    reseller = find(request.scope, reseller_id)
    below = selectors.reseller_tree(request.scope).descendants(reseller.pk)
    url = address("console_reseller", reseller)

    def review(form: MoveForm) -> Review:
        return Review(
            title=f"Move {reseller}?",
            lead="Calls rated from now on are owed along the new line; those rated before stay"
            " with who paid them.",
            facts=[
                ("Now below", reseller.parent or "the top"),
                ("Then below", form.cleaned_data["parent"] or "the top"),
                ("Resellers that move along", len(below)),
            ],
            submit="Move",
        )

    def save(form: MoveForm) -> str:
        parent = form.cleaned_data["parent"]
        move_reseller(
            reseller=reseller, parent=parent, at=clock.now(), actor_id=request.scope.user_id
        )
        messages.success(request, f"{reseller} is {f'below {parent}' if parent else 'at the top'}.")
        return url

    page = FormPage(
        f"Move {reseller}",
        submit="Continue",
        cancel_url=url,
        lead="Everyone below it moves along.",
    )
    return form_page(
        request,
        page,
        form=MoveForm,
        save=save,
        review=review,
        fields_of={ResellerBelowItself: "parent"},
        initial={"parent": reseller.parent},
        parents=selectors.resellers(request.scope).exclude(pk__in=[reseller.pk, *below]),
    )


class NewDefaultForm(Form):
    default_code = forms.ModelChoiceField(
        queryset=ResellerCode.objects.none(),
        required=False,
        label="The new default code",
        empty_label="None: such sign-ups belong to you",
    )

    def __init__(self, *args: Any, codes: QuerySet[ResellerCode], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["default_code"].queryset = codes  # type: ignore[attr-defined]


@reseller_page("resellers.write", FORM_METHODS)
def reseller_disable(request: SurfaceRequest, reseller_id: int) -> HttpResponse:
    reseller = find(request.scope, reseller_id)
    default = selectors.default_code(request.scope)
    if (
        default is not None
        and default.reseller_id == reseller.pk
        and "settings.write" in request.scope.permissions
    ):
        return _disable_after_replacing(request, reseller, default)
    return confirm_page(
        request,
        _what_disabling_means(request, reseller),
        confirm=lambda: _disable(request, reseller),
        cancel_url=address("console_reseller", reseller),
    )


def _disable_after_replacing(
    request: SurfaceRequest, reseller: Reseller, default: ResellerCode
) -> HttpResponse:
    def review(form: NewDefaultForm) -> Review:
        return _what_disabling_means(
            request,
            reseller,
            ("Default code", f"{default} now, {form.cleaned_data['default_code'] or 'none'} then"),
        )

    def save(form: NewDefaultForm) -> str:
        chosen = form.cleaned_data["default_code"]
        settings = selectors.module(request.scope)
        change_module(
            provider_id=request.scope.provider_id,
            settings=ModuleSettings(
                is_enabled=settings.is_enabled,
                default_code_id=chosen and chosen.pk,
                commission_after_disabling=settings.commission_after_disabling,
            ),
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        return _disable(request, reseller)

    page = FormPage(
        f"Disable {reseller}",
        submit="Continue",
        cancel_url=address("console_reseller", reseller),
        lead=f"Sign-ups without a code use {default}, which is this reseller's. First choose"
        " another one.",
    )
    return form_page(
        request,
        page,
        form=NewDefaultForm,
        save=save,
        review=review,
        fields_of={DefaultCodeRefused: "default_code"},
        codes=selectors.possible_default_codes(request.scope).exclude(reseller=reseller),
    )


def _disable(request: SurfaceRequest, reseller: Reseller) -> str:
    disable_reseller(reseller=reseller, at=clock.now(), actor_id=request.scope.user_id)
    messages.success(request, f"{reseller} is disabled.")
    return address("console_reseller", reseller)


def _what_disabling_means(
    request: SurfaceRequest, reseller: Reseller, *facts: tuple[str, object]
) -> Review:
    goes_on = selectors.module(request.scope).commission_after_disabling
    users = selectors.viewers(request.scope, reseller).count()
    return Review(
        title=f"Disable {reseller}?",
        lead="Nothing changes for its customers: they keep its tag, are served and are billed.",
        facts=[
            ("Codes that sign-ups refuse", getattr(reseller, "code_names", "") or "none"),
            ("Users who can no longer sign in", str(users)),
            ("Customers that stay tagged", str(getattr(reseller, "customer_count", 0))),
            ("Commission", "goes on, as set" if goes_on else "stops, as set"),
            *facts,
        ],
        submit="Disable",
        is_dangerous=True,
    )


@reseller_page("resellers.write", FORM_METHODS)
def reseller_enable(request: SurfaceRequest, reseller_id: int) -> HttpResponse:
    reseller = find(request.scope, reseller_id)
    url = address("console_reseller", reseller)

    def confirm() -> str:
        enable_reseller(reseller=reseller, at=clock.now(), actor_id=request.scope.user_id)
        messages.success(request, f"{reseller} is active again.")
        return url

    review = Review(
        title=f"Enable {reseller}?",
        lead="Its published codes are accepted again, and its users can sign in.",
        submit="Enable",
    )
    return confirm_page(request, review, confirm=confirm, cancel_url=url)


urls = [
    path("resellers/", reseller_list, name="console_resellers"),
    path("resellers/tree/", reseller_tree, name="console_reseller_tree"),
    path("resellers/new/", reseller_create, name="console_reseller_create"),
    path("resellers/<int:reseller_id>/edit/", reseller_edit, name="console_reseller_edit"),
    path("resellers/<int:reseller_id>/move/", reseller_move, name="console_reseller_move"),
    path("resellers/<int:reseller_id>/disable/", reseller_disable, name="console_reseller_disable"),
    path("resellers/<int:reseller_id>/enable/", reseller_enable, name="console_reseller_enable"),
]
