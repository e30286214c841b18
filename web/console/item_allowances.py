"""What the items of a catalogue's draft, and of its versions, include of usage."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import path, reverse

from catalogue import selectors
from catalogue.models import (
    AllowanceTerms,
    Catalogue,
    CatalogueItem,
    CatalogueItemAllowance,
    Product,
    ProductKind,
)
from catalogue.rules.allowances import (
    PRIORITY_LIMIT,
    Allowance,
    parse_destinations,
    written_destinations,
)
from catalogue.rules.prefixes import PrefixNotUnderstood
from catalogue.rules.units import UNITS, UnitsRefused, in_largest_unit, volume_in
from catalogue.selectors.allowances import item_allowances, version_allowances
from catalogue.services.allowances import (
    AllowanceNameTaken,
    add_allowance,
    change_allowance,
    remove_allowance,
    written_allowance,
)
from common import clock
from common.scope import Surface
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.console.catalogue_pages import find
from web.console.seen_form import SeenForm
from web.console.steps import Step, StepsColumn
from web.shared.actions import Action
from web.shared.allowances import destinations_text, included_text
from web.shared.form_fields import ExactField
from web.shared.form_pages import FormPage, Review, confirm_page, form_page
from web.shared.lists import Empty, list_page
from web.shared.tables import Column, NumberColumn, Table
from web.shared.writing import volume_text

SHARINGS = {
    "OWN": "Own: only usage under numbers of that very subscription",
    "SHARED": "Shared: all usage of the customer",
    "POOLED": "Pooled: all usage, and allowances of this name are one pool",
}


class AllowanceTable(Table):
    name = Column("Name")
    usage_product = Column("Of", accessor="usage_product__name")
    volume = NumberColumn("A month, each")
    sharing = Column("For")
    priority = NumberColumn("Priority")
    destinations = Column("To numbers that begin with", empty_values=())
    rolls_over = Column("Rolls over")

    def render_volume(self, record: AllowanceTerms, value: int) -> str:
        return volume_text(value, record.usage_product.volume_unit)

    def render_sharing(self, record: AllowanceTerms) -> str:
        return SHARINGS[record.sharing].partition(":")[0].lower()

    def render_destinations(self, value: list[str]) -> str:
        return destinations_text(value)

    def render_rolls_over(self, value: bool) -> str:
        return "once" if value else "no"


def _address(url_name: str, item: CatalogueItem, **more: int) -> str:
    of_item = {"catalogue_id": item.catalogue_id, "item_id": item.pk}
    return reverse(url_name, kwargs=of_item | more)


def _steps(row: CatalogueItemAllowance) -> list[Step]:
    return [
        ("Change", _address("console_item_allowance_change", row.item, allowance_id=row.pk)),
        ("Remove", _address("console_item_allowance_remove", row.item, allowance_id=row.pk)),
    ]


class ChangeableAllowanceTable(AllowanceTable):
    steps = StepsColumn(_steps)


class VersionAllowanceTable(AllowanceTable):
    item = Column("Item", accessor="item__product__name")
    currency = Column("Currency", accessor="item__currency")

    class Meta:
        sequence = ("item", "currency", "...")


def _item(request: SurfaceRequest, catalogue_id: int, item_id: int) -> CatalogueItem:
    catalogue: Catalogue = find(request.scope, catalogue_id)
    return selectors.draft_items(request.scope, catalogue).get(pk=item_id)


@page_of(Surface.CONSOLE, "catalogue.read")
def item_allowance_list(request: SurfaceRequest, catalogue_id: int, item_id: int) -> HttpResponse:
    item = _item(request, catalogue_id, item_id)
    may_change = "catalogue.write" in request.scope.permissions
    add = Action(
        "Add allowance",
        _address("console_item_allowance_add", item),
        "plus",
        needs="catalogue.write",
        is_main=True,
    )
    return list_page(
        request,
        title=f"Allowances of {item.product}, {item.currency}",
        lead="Usage that every subscription to it includes each month, once the draft is"
        " published. The lowest priority is used up first.",
        rows=item_allowances(request.scope, item),
        table=ChangeableAllowanceTable if may_change else AllowanceTable,
        name=f"allowances-of-item-{item.pk}",
        actions=[add],
        empty=Empty(
            "It includes no usage",
            "Every call and every unit is charged from the first on.",
            action=add,
        ),
        template="console/catalogue/allowance_list.html",
        context={
            "parent_label": "Draft",
            "parent_url": reverse("console_catalogue", kwargs={"catalogue_id": catalogue_id}),
        },
    )


@page_of(Surface.CONSOLE, "catalogue.read")
def version_allowance_list(request: SurfaceRequest, version_id: int) -> HttpResponse:
    version = selectors.version(request.scope, version_id)
    return list_page(
        request,
        title=f"Allowances of version {version.number} of {version.catalogue}",
        lead="Usage that subscriptions bought from it include each month, for good.",
        rows=version_allowances(request.scope, version),
        table=VersionAllowanceTable,
        name=f"allowances-of-version-{version.number}",
        empty=Empty("No item of it includes usage"),
        template="console/catalogue/allowance_list.html",
        context={
            "parent_label": f"Version {version.number}",
            "parent_url": reverse("console_catalogue_version", kwargs={"version_id": version_id}),
        },
    )


class AllowanceForm(SeenForm):
    groups = (
        ("What is included", ("name", "usage_product", "volume", "unit", "destinations")),
        ("How it is used up", ("sharing", "priority", "rolls_over")),
    )

    name = forms.CharField(
        max_length=100,
        help_text="Customers see it. Pooled allowances of one name are one pool.",
    )
    usage_product = forms.ModelChoiceField(
        label="Usage of", queryset=Product.objects.none(), empty_label="Choose a product"
    )
    volume = ExactField(
        label="Volume a month",
        min_value=0,
        help_text="For each one bought, whatever the quantity.",
    )
    unit = forms.ChoiceField(choices=[(unit, unit) for unit in UNITS])
    destinations = forms.CharField(
        label="Only to numbers that begin with",
        widget=forms.Textarea(attrs={"rows": 2, "class": "code"}),
        max_length=10_000,
        required=False,
        help_text="As in rate files: 4930, 440-442, 443(0-2)1. Empty: all.",
    )
    sharing = forms.ChoiceField(label="For", choices=list(SHARINGS.items()))
    priority = forms.IntegerField(
        min_value=0, max_value=PRIORITY_LIMIT, help_text="The lowest is used up first."
    )
    rolls_over = forms.BooleanField(
        label="What is left can be used in the next month", required=False
    )

    def __init__(self, *args: Any, products: QuerySet[Product], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["usage_product"].queryset = products  # type: ignore[attr-defined]

    def clean_destinations(self) -> tuple[str, ...]:
        try:
            return parse_destinations(self.cleaned_data["destinations"])
        except PrefixNotUnderstood as error:
            raise forms.ValidationError(f"Not understood: {error}.") from error

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        product: Product | None = values.get("usage_product")
        volume: Decimal | None = values.get("volume")
        if product is not None and volume is not None and "unit" in values:
            try:
                values["volume"] = volume_in(product.volume_unit, volume, values["unit"])
            except UnitsRefused as error:
                self.add_error("unit", str(error))
        return values

    @property
    def allowance(self) -> Allowance:
        values = {
            name: value
            for name, value in self.cleaned_data.items()
            if name not in ("usage_product", "unit")
        }
        return Allowance(**values, usage_product_id=self.cleaned_data["usage_product"].pk)


def _form_page(
    request: SurfaceRequest,
    page: FormPage,
    save: Callable[[AllowanceForm], str],
    initial: dict[str, object],
) -> HttpResponse:
    usage = selectors.products(request.scope).filter(
        kind__in=(ProductKind.VOICE, ProductKind.METERED)
    )
    return form_page(
        request,
        page,
        form=AllowanceForm,
        save=save,
        fields_of={AllowanceNameTaken: "name"},
        initial=initial,
        products=usage,
    )


@page_of(Surface.CONSOLE, "catalogue.write", FORM_METHODS)
def item_allowance_add(request: SurfaceRequest, catalogue_id: int, item_id: int) -> HttpResponse:
    item = _item(request, catalogue_id, item_id)
    url = _address("console_item_allowances", item)

    def save(form: AllowanceForm) -> str:
        row = add_allowance(
            item=item, allowance=form.allowance, at=clock.now(), actor_id=request.scope.user_id
        )
        messages.success(request, f"{item.product} includes {row} in the draft.")
        return url

    page = FormPage(f"Add an allowance to {item.product}", submit="Add allowance", cancel_url=url)
    return _form_page(request, page, save, {"unit": "minute", "sharing": "SHARED", "priority": 1})


@page_of(Surface.CONSOLE, "catalogue.write", FORM_METHODS)
def item_allowance_change(
    request: SurfaceRequest, catalogue_id: int, item_id: int, allowance_id: int
) -> HttpResponse:
    item = _item(request, catalogue_id, item_id)
    row = item_allowances(request.scope, item).get(pk=allowance_id)
    url = _address("console_item_allowances", item)

    def save(form: AllowanceForm) -> str:
        with form.telling_changes():
            change_allowance(
                row=row,
                allowance=form.allowance,
                seen=form.seen_values,
                at=clock.now(),
                actor_id=request.scope.user_id,
            )
        messages.success(request, f"{form.cleaned_data['name']} was changed in the draft.")
        return url

    volume, unit = in_largest_unit(row.volume, row.usage_product.volume_unit)
    shown = set(AllowanceForm.base_fields) - {"unit", "seen"}
    initial = {name: getattr(row, name) for name in shown}
    page = FormPage(
        f"Change {row} of {item.product}",
        submit="Save",
        cancel_url=url,
        lead="Published versions, and subscriptions bought from them, keep what they include.",
    )
    written = {"volume": volume, "unit": unit}
    destinations = {"destinations": written_destinations(row.destinations)}
    seen = {"seen": written_allowance(row.terms)}
    return _form_page(request, page, save, initial | written | destinations | seen)


@page_of(Surface.CONSOLE, "catalogue.write", FORM_METHODS)
def item_allowance_remove(
    request: SurfaceRequest, catalogue_id: int, item_id: int, allowance_id: int
) -> HttpResponse:
    item = _item(request, catalogue_id, item_id)
    row = item_allowances(request.scope, item).get(pk=allowance_id)
    url = _address("console_item_allowances", item)

    def confirm() -> str:
        remove_allowance(row=row, at=clock.now(), actor_id=request.scope.user_id)
        messages.success(request, f"{row} was removed from the draft.")
        return url

    review = Review(
        title=f"Remove {row} from {item.product}?",
        lead="The next version will not include it. Versions that are published, and"
        " subscriptions, keep it.",
        facts=[("Item", f"{item.product}, {item.currency}"), ("Included", included_text(row))],
        submit="Remove",
        is_dangerous=True,
    )
    return confirm_page(request, review, confirm=confirm, cancel_url=url)


_AT = "catalogues/<int:catalogue_id>/items/<int:item_id>/allowances/"
urls = [
    path(_AT, item_allowance_list, name="console_item_allowances"),
    path(f"{_AT}new/", item_allowance_add, name="console_item_allowance_add"),
    path(f"{_AT}<int:allowance_id>/", item_allowance_change, name="console_item_allowance_change"),
    path(
        f"{_AT}<int:allowance_id>/remove/",
        item_allowance_remove,
        name="console_item_allowance_remove",
    ),
    path(
        "catalogues/versions/<int:version_id>/allowances/",
        version_allowance_list,
        name="console_version_allowances",
    ),
]
