"""Biller entities in the console: the sellers of invoices, and how their documents are numbered."""

from dataclasses import asdict

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse

from billing.models import NumberSeries
from billing.rules.numbering import format_number
from billing.selectors.series import SeriesDetail, series_of
from billing.services.biller_entities import (
    EntityTerms,
    add_biller_entity,
    edit_biller_entity,
    make_default_entity,
)
from billing.services.numbering import (
    NextNumberRefused,
    PatternRefused,
    PatternTaken,
    change_series,
)
from common import clock
from common.money import Rounding, RoundingScope
from common.scope import Surface
from tenancy import selectors
from tenancy.models import BillerEntity
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.shared.actions import Action, allowed
from web.shared.filters import Filters
from web.shared.form_fields import CountryField, Form
from web.shared.form_pages import FormPage, Review, confirm_page, form_page
from web.shared.lists import Empty, list_page
from web.shared.tables import Column, LinkColumn, NumberColumn, Table

ENTITIES = "console_biller_entities"
ROUNDINGS = [
    (Rounding.HALF_UP, "Half up: 0.5 to 1"),
    (Rounding.HALF_EVEN, "Half to even: 0.5 to 0"),
]
ROUNDING_SCOPES = [
    (RoundingScope.LINE, "Each line, then their sum"),
    (RoundingScope.INVOICE, "Only the sum of the lines"),
]


class EntityTable(Table):
    name = LinkColumn("Name", orderable=True)
    country = Column("Country")
    tax_number = Column("Tax number")
    email = Column("E-mail")
    credit_days = NumberColumn("Days to pay")
    is_default = Column("Named by")

    def render_is_default(self, value: bool) -> str:
        return "default" if value else "customers' terms"


class EntityFilters(Filters):
    searches = ("name__icontains", "tax_number__icontains")
    search_hint = "Name or tax number"


@page_of(Surface.CONSOLE, "settings.list")
def entity_list(request: SurfaceRequest) -> HttpResponse:
    add = Action(
        "Add biller entity",
        reverse("console_biller_entity_create"),
        "plus",
        needs="settings.write",
        is_main=True,
    )
    return list_page(
        request,
        title="Biller entities",
        lead="The legal entities that your invoices name as seller.",
        rows=selectors.biller_entities(request.scope),
        table=EntityTable,
        filters=EntityFilters,
        name="biller-entities",
        actions=[add],
        empty=Empty("No biller entity", "Invoices need a seller.", action=add),
    )


@page_of(Surface.CONSOLE, "settings.read")
def entity_show(request: SurfaceRequest, entity_id: int) -> HttpResponse:
    entity = selectors.biller_entities(request.scope).get(pk=entity_id)
    context = {
        "entity": entity,
        "rounding": dict(ROUNDINGS)[Rounding(entity.rounding)],
        "rounding_scope": dict(ROUNDING_SCOPES)[RoundingScope(entity.rounding_scope)],
        "series": [
            (series, _example(series), _of_series("console_series_edit", entity, series))
            for series in series_of(request.scope, entity)
        ],
        "actions": allowed(request.scope, _actions(entity)),
    }
    return render(request, "console/settings/biller_entity_show.html", context)


def _address(url_name: str, entity: BillerEntity) -> str:
    return reverse(url_name, kwargs={"entity_id": entity.pk})


def _of_series(url_name: str, entity: BillerEntity, series: SeriesDetail) -> str:
    return reverse(url_name, kwargs={"entity_id": entity.pk, "kind": series.kind.value})


def _example(series: SeriesDetail) -> str:
    return format_number(series.pattern, year=clock.now().year, number=series.next_number)


def _actions(entity: BillerEntity) -> list[Action]:
    default = _address("console_biller_entity_default", entity)
    edit = _address("console_biller_entity_edit", entity)
    return [
        *(
            []
            if entity.is_default
            else [Action("Make default", default, "star", needs="settings.write")]
        ),
        Action("Edit", edit, "pencil-square", needs="settings.write"),
    ]


class EntityForm(Form):
    groups = (
        ("The seller", ("name", "address", "country", "tax_number", "registration")),
        ("How to reach it, and where to pay", ("email", "phone", "bank_details")),
        ("Its invoices", ("credit_days", "rounding", "rounding_scope")),
    )

    name = forms.CharField(max_length=200, help_text="As registered.")
    address = forms.CharField(widget=forms.Textarea({"rows": 3}))
    country = CountryField()
    tax_number = forms.CharField(max_length=40)
    registration = forms.CharField(
        max_length=100, required=False, help_text="Court and number, at the foot of each page."
    )
    email = forms.EmailField(label="E-mail", help_text="Answers to invoices go there.")
    phone = forms.CharField(max_length=40, required=False)
    bank_details = forms.CharField(widget=forms.Textarea({"rows": 3}), required=False)
    credit_days = forms.IntegerField(label="Days to pay", min_value=0, max_value=365)
    rounding = forms.ChoiceField(choices=ROUNDINGS, label="Rounding")
    rounding_scope = forms.ChoiceField(choices=ROUNDING_SCOPES, label="What is rounded")

    @property
    def terms(self) -> EntityTerms:
        given = self.cleaned_data
        return EntityTerms(
            **given
            | {
                "rounding": Rounding(given["rounding"]),
                "rounding_scope": RoundingScope(given["rounding_scope"]),
            }
        )


@page_of(Surface.CONSOLE, "settings.write", FORM_METHODS)
def entity_create(request: SurfaceRequest) -> HttpResponse:
    def save(form: EntityForm) -> str:
        entity = add_biller_entity(
            provider_id=request.scope.provider_id,
            terms=form.terms,
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(request, f"{entity} was added; name it in customers' billing terms.")
        return _address("console_biller_entity", entity)

    page = FormPage("Add a biller entity", submit="Add", cancel_url=reverse(ENTITIES))
    return form_page(request, page, form=EntityForm, save=save, initial={"credit_days": 14})


@page_of(Surface.CONSOLE, "settings.write", FORM_METHODS)
def entity_edit(request: SurfaceRequest, entity_id: int) -> HttpResponse:
    entity = selectors.biller_entities(request.scope).get(pk=entity_id)
    url = _address("console_biller_entity", entity)

    def save(form: EntityForm) -> str:
        edit_biller_entity(
            entity=entity, terms=form.terms, at=clock.now(), actor_id=request.scope.user_id
        )
        messages.success(request, "Saved. Issued documents keep what they say.")
        return url

    page = FormPage(
        f"Edit {entity}",
        submit="Save",
        cancel_url=url,
        lead="It holds from the next estimate on; issued documents keep what they say.",
    )
    initial = {name: getattr(entity, name) for name in EntityForm.base_fields}
    return form_page(request, page, form=EntityForm, save=save, initial=initial)


@page_of(Surface.CONSOLE, "settings.write", FORM_METHODS)
def entity_default(request: SurfaceRequest, entity_id: int) -> HttpResponse:
    entity = selectors.biller_entities(request.scope).get(pk=entity_id)
    url = _address("console_biller_entity", entity)

    def confirm() -> str:
        make_default_entity(entity=entity, at=clock.now(), actor_id=request.scope.user_id)
        messages.success(request, f"{entity} is the default seller from now on.")
        return url

    review = Review(
        title=f"Make {entity} the default seller?",
        lead="The next invoices of all customers whose terms name no seller are its own.",
        facts=[
            ("Default now", selectors.default_biller_entity(request.scope)),
            ("Default then", entity),
        ],
        submit="Make default",
    )
    return confirm_page(request, review, confirm=confirm, cancel_url=url)


class SeriesForm(Form):
    pattern = forms.CharField(
        max_length=40, help_text="{number:06} is the number with six digits, {year} that of issue."
    )
    next_number = forms.IntegerField(
        min_value=1,
        max_value=10**12,
        help_text="Can be chosen before the first document, to go on from another system's.",
    )


@page_of(Surface.CONSOLE, "settings.write", FORM_METHODS)
def series_edit(request: SurfaceRequest, entity_id: int, kind: str) -> HttpResponse:
    entity = selectors.biller_entities(request.scope).get(pk=entity_id)
    if kind not in NumberSeries.Kind:
        raise Http404
    [series] = [row for row in series_of(request.scope, entity) if row.kind == kind]
    url = _address("console_biller_entity", entity)

    def save(form: SeriesForm) -> str:
        changed = change_series(
            entity=entity,
            kind=series.kind,
            **form.cleaned_data,
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(request, f"{series.kind.label} are numbered {changed} from now on.")
        return url

    page = FormPage(
        f"Numbers of {series.kind.label.lower()}",
        submit="Save",
        cancel_url=url,
        lead=f"Of {entity}. The next one is {_example(series)}; issued documents keep theirs.",
    )
    shown = asdict(series)
    return form_page(
        request,
        page,
        form=SeriesForm,
        save=save,
        fields_of={
            PatternRefused: "pattern",
            PatternTaken: "pattern",
            NextNumberRefused: "next_number",
        },
        initial={name: shown[name] for name in ("pattern", "next_number")},
    )


_ENTITY = "settings/biller-entities/<int:entity_id>/"
urls = [
    path("settings/biller-entities/", entity_list, name=ENTITIES),
    path("settings/biller-entities/new/", entity_create, name="console_biller_entity_create"),
    path(_ENTITY, entity_show, name="console_biller_entity"),
    path(f"{_ENTITY}edit/", entity_edit, name="console_biller_entity_edit"),
    path(f"{_ENTITY}default/", entity_default, name="console_biller_entity_default"),
    path(f"{_ENTITY}numbers/<str:kind>/", series_edit, name="console_series_edit"),
]
