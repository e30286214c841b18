"""The draft of a catalogue in the console: what the next version will sell, and at what price."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import path, reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from catalogue import selectors
from catalogue.models import Catalogue, CatalogueItem, ItemTerms, Product, ProductKind, RateTable
from catalogue.rules.items import (
    ItemRefused,
    MeteringUnavailable,
    PriceNeeded,
    PriceNotExact,
    PricePeriodRefused,
    RateTableNeeded,
    Terms,
    TiersNeeded,
)
from catalogue.rules.tiers import TIERS_CHARACTERS, UNITS_LIMIT, TiersRefused
from catalogue.selectors.allowances import unpublished_allowance_differences
from catalogue.services.items import (
    ItemExists,
    RateTableDiffers,
    add_item,
    change_item,
    remove_item,
    written_terms,
)
from common import clock
from common.scope import Surface
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.console.catalogue_pages import address, find, frame
from web.console.seen_form import SeenForm
from web.console.steps import Step, StepsColumn
from web.shared.actions import Action
from web.shared.allowances import IncludesColumn, included_text
from web.shared.form_fields import CurrencyField, ExactField
from web.shared.form_pages import FormPage, Review, confirm_page, form_page
from web.shared.lists import Empty, list_page
from web.shared.tables import Column, LinkColumn, Table
from web.shared.tiers import TieredPriceColumn, tier_lines
from web.shared.writing import price_html

# Without hours, which need metering.
PERIODS = (
    ("", "None: not recurring"),
    ("MONTH", "Month"),
    ("QUARTER", "Quarter"),
    ("YEAR", "Year"),
)
TIER_MODELS = (("", "Not at all: it is not metered"), *ItemTerms.TierModel.choices)
FIELDS_OF = {
    ItemRefused: "currency",
    PriceNeeded: "price",
    PriceNotExact: "price",
    PricePeriodRefused: "price_period",
    MeteringUnavailable: "price_period",
    TiersNeeded: "tiers",
    TiersRefused: "tiers",
    RateTableNeeded: "rate_table",
    RateTableDiffers: "rate_table",
    ItemExists: "currency",
}


class ItemTable(Table):
    """Items of a draft, or of a version."""

    product = Column("Product", accessor="product__name")
    group = Column("Group")
    price = TieredPriceColumn()
    price_period = Column("Per", accessor="get_price_period_display")
    rate_table = LinkColumn("Rate table", accessor="rate_table__name", to="rate_table")
    includes = IncludesColumn()
    is_available = Column("For sale")
    in_advance = Column("Charged")
    proration = Column("Prorated", accessor="pk")
    approval_required = Column("Approval")

    def render_is_available(self, value: bool) -> str:
        return "yes" if value else "switched off"

    def render_in_advance(self, record: ItemTerms, value: bool) -> str:
        if not record.price_period:
            return "on use" if record.price is None else "once"
        return "in advance" if value else "in arrears"

    def render_proration(self, record: ItemTerms) -> str:
        ends = {"entry": record.entry_proration, "exit": record.exit_proration}
        return " and ".join(end for end, is_on in ends.items() if is_on) or "no"

    def render_approval_required(self, value: bool) -> str:
        return "needed" if value else "no"


def _steps(item: CatalogueItem) -> list[Step]:
    of_item = {"catalogue_id": item.catalogue_id, "item_id": item.pk}
    return [
        ("Change", reverse("console_catalogue_item_change", kwargs=of_item)),
        ("Remove", reverse("console_catalogue_item_remove", kwargs=of_item)),
    ]


def _allowances_url(item: CatalogueItem) -> str:
    of_item = {"catalogue_id": item.catalogue_id, "item_id": item.pk}
    return reverse("console_item_allowances", kwargs=of_item)


class DraftItemTable(ItemTable):
    includes = IncludesColumn(url=_allowances_url)


class ChangeableItemTable(DraftItemTable):
    steps = StepsColumn(_steps)


def _actions(catalogue: Catalogue) -> list[Action]:
    def action(label: str, url_name: str, icon: str, *, is_main: bool = False) -> Action:
        return Action(
            label, address(url_name, catalogue), icon, needs="catalogue.write", is_main=is_main
        )

    publish = [action("Publish", "console_catalogue_publish", "megaphone", is_main=True)]
    switch = (
        action("Disable", "console_catalogue_disable", "no-symbol")
        if catalogue.is_enabled
        else action("Enable", "console_catalogue_enable", "check-circle")
    )
    return [
        *([] if catalogue.is_default else [switch]),
        action("Clone", "console_catalogue_clone", "document-duplicate"),
        action("Multiply prices", "console_catalogue_multiply", "calculator"),
        action("Add item", "console_catalogue_item_add", "plus"),
        *(publish if catalogue.is_enabled else []),
    ]


def _waiting(request: SurfaceRequest, catalogue: Catalogue) -> set[tuple[int, str]]:
    """The items, by product and currency, that differ from the version published last."""
    items = selectors.unpublished_differences(request.scope, catalogue)
    allowances = unpublished_allowance_differences(request.scope, catalogue)
    return {(item.product_id, item.currency) for item in items} | {
        (allowance.product_id, allowance.currency) for allowance in allowances
    }


@page_of(Surface.CONSOLE, "catalogue.read")
def catalogue_draft(request: SurfaceRequest, catalogue_id: int) -> HttpResponse:
    catalogue = find(request.scope, catalogue_id)
    may_change = "catalogue.write" in request.scope.permissions
    waiting = _waiting(request, catalogue)
    add = Action(
        "Add item",
        address("console_catalogue_item_add", catalogue),
        "plus",
        needs="catalogue.write",
        is_main=True,
    )
    return list_page(
        request,
        title=f"Draft of {catalogue}",
        rows=selectors.draft_items(request.scope, catalogue),
        table=ChangeableItemTable if may_change else DraftItemTable,
        name=f"draft-of-catalogue-{catalogue.pk}",
        empty=Empty(
            "The draft has no items",
            "Add the products that it sells, each at its price.",
            action=add,
        ),
        template="console/catalogue/catalogue_draft.html",
        context={"waiting_count": len(waiting), **frame(request, catalogue, *_actions(catalogue))},
    )


class ItemForm(SeenForm):
    groups = (
        ("Price", ("currency", "price", "price_period", "rate_table")),
        ("Tiers of a metered product", ("tier_model", "tiers", "package_units")),
        (
            "Terms",
            (
                "group",
                "is_available",
                "in_advance",
                "entry_proration",
                "exit_proration",
                "approval_required",
            ),
        ),
    )

    currency = CurrencyField()
    price = ExactField(
        min_value=0, required=False, help_text="Empty for voice and metered products."
    )
    price_period = forms.ChoiceField(label="Price is per", choices=PERIODS, required=False)
    rate_table = forms.ModelChoiceField(
        queryset=RateTable.objects.none(),
        required=False,
        empty_label="None",
        help_text="For voice: in the item's currency, of its product.",
    )
    tier_model = forms.ChoiceField(label="They are applied", choices=TIER_MODELS, required=False)
    tiers = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 5}),
        max_length=TIERS_CHARACTERS,
        required=False,
        help_text="One a line, the first from 0: beyond which unit, the price of a unit (of a"
        " package), and a flat amount if there is one, as 1000:0.08 or 1000:0.08+5.",
    )
    package_units = forms.IntegerField(
        label="Units a package has",
        min_value=1,
        max_value=UNITS_LIMIT - 1,
        required=False,
        help_text="For packages only.",
    )
    group = forms.CharField(
        max_length=100, required=False, help_text="Items of a group are shown together."
    )
    is_available = forms.BooleanField(label="For sale", required=False)
    in_advance = forms.BooleanField(
        label="Recurring: charged in advance, not in arrears", required=False
    )
    entry_proration = forms.BooleanField(
        label="Recurring: the first period is charged by the day", required=False
    )
    exit_proration = forms.BooleanField(
        label="Recurring: the last period is charged by the day", required=False
    )
    approval_required = forms.BooleanField(label="A purchase waits for approval", required=False)

    def __init__(self, *args: Any, tables: QuerySet[RateTable], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["rate_table"].queryset = tables  # type: ignore[attr-defined]

    @property
    def terms(self) -> Terms:
        values = {
            name: value
            for name, value in self.cleaned_data.items()
            if name not in ("product", "rate_table")
        }
        table = self.cleaned_data["rate_table"]
        return Terms(**values, rate_table_id=table and table.pk)


class NewItemForm(ItemForm):
    groups = (("What is sold", ("product",)), *ItemForm.groups)  # type: ignore[assignment]

    product = forms.ModelChoiceField(
        queryset=Product.objects.none(), empty_label="Choose a product"
    )

    def __init__(self, *args: Any, products: QuerySet[Product], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["product"].queryset = products  # type: ignore[attr-defined]


def _voice_tables(request: SurfaceRequest) -> QuerySet[RateTable]:
    return selectors.rate_tables(request.scope).filter(product__kind=ProductKind.VOICE)


@page_of(Surface.CONSOLE, "catalogue.write", FORM_METHODS)
def catalogue_item_add(request: SurfaceRequest, catalogue_id: int) -> HttpResponse:
    catalogue = find(request.scope, catalogue_id)
    url = address("console_catalogue", catalogue)

    def save(form: NewItemForm) -> str:
        item = add_item(
            catalogue=catalogue,
            product=form.cleaned_data["product"],
            terms=form.terms,
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(request, f"{item.product} was added to the draft.")
        return url

    page = FormPage(f"Add an item to {catalogue}", submit="Add item", cancel_url=url)
    products = selectors.products(request.scope)
    return form_page(
        request,
        page,
        form=NewItemForm,
        save=save,
        fields_of=FIELDS_OF,
        initial={"currency": request.provider.currency, "is_available": True, "in_advance": True},
        tables=_voice_tables(request),
        products=products,
    )


def _item(request: SurfaceRequest, catalogue: Catalogue, item_id: int) -> CatalogueItem:
    return selectors.draft_items(request.scope, catalogue).get(pk=item_id)


@page_of(Surface.CONSOLE, "catalogue.write", FORM_METHODS)
def catalogue_item_change(request: SurfaceRequest, catalogue_id: int, item_id: int) -> HttpResponse:
    catalogue = find(request.scope, catalogue_id)
    item = _item(request, catalogue, item_id)
    url = address("console_catalogue", catalogue)

    def save(form: ItemForm) -> str:
        with form.telling_changes():
            change_item(
                item=item,
                terms=form.terms,
                seen=form.seen_values,
                at=clock.now(),
                actor_id=request.scope.user_id,
            )
        messages.success(request, f"{item.product} was changed in the draft.")
        return url

    page = FormPage(
        f"Change {item.product}",
        submit="Save",
        cancel_url=url,
        lead="Published versions, and subscriptions bought from them, keep their price.",
    )
    initial: dict[str, Any] = {"seen": written_terms(item.terms)}
    initial |= {name: getattr(item, name) for name in ItemForm.base_fields if name != "seen"}
    initial["tiers"] = item.tiers.replace(";", "\n")
    if item.price is not None:
        initial["price"] = f"{item.price.normalize():f}"
    return form_page(
        request,
        page,
        form=ItemForm,
        save=save,
        fields_of=FIELDS_OF,
        initial=initial,
        tables=_voice_tables(request),
    )


@page_of(Surface.CONSOLE, "catalogue.write", FORM_METHODS)
def catalogue_item_remove(request: SurfaceRequest, catalogue_id: int, item_id: int) -> HttpResponse:
    catalogue = find(request.scope, catalogue_id)
    item = _item(request, catalogue, item_id)
    url = address("console_catalogue", catalogue)

    def confirm() -> str:
        remove_item(item=item, at=clock.now(), actor_id=request.scope.user_id)
        messages.success(request, f"{item.product} was removed from the draft.")
        return url

    review = Review(
        title=f"Remove {item.product} from the draft?",
        lead="The next version will not sell it. Versions that are published, and subscriptions,"
        " stay as they are.",
        facts=[
            ("Currency", item.currency),
            ("Price", _price(item)),
            *(("Includes", included_text(row)) for row in item.allowances.all()),
        ],
        submit="Remove",
        is_dangerous=True,
    )
    return confirm_page(request, review, confirm=confirm, cancel_url=url)


def _price(item: CatalogueItem) -> SafeString | RateTable | None:
    if item.tiers:
        return format_html_join("", "<div>{}</div>", ((line,) for line in tier_lines(item)))
    return item.rate_table if item.price is None else price_html(item.price, item.currency)


urls = [
    path("catalogues/<int:catalogue_id>/", catalogue_draft, name="console_catalogue"),
    path(
        "catalogues/<int:catalogue_id>/items/new/",
        catalogue_item_add,
        name="console_catalogue_item_add",
    ),
    path(
        "catalogues/<int:catalogue_id>/items/<int:item_id>/",
        catalogue_item_change,
        name="console_catalogue_item_change",
    ),
    path(
        "catalogues/<int:catalogue_id>/items/<int:item_id>/remove/",
        catalogue_item_remove,
        name="console_catalogue_item_remove",
    ),
]
