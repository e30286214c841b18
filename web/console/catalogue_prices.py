"""All prices of a catalogue's draft at once."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.urls import path

from catalogue import selectors
from catalogue.models import CatalogueItem
from catalogue.rules.items import FactorRefused, PriceNotExact, multiplied, multiplied_tiers
from catalogue.rules.tier_texts import written_tiers
from catalogue.services.items import NothingToMultiply, multiply_prices
from common import clock
from common.scope import Surface
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.console.catalogue_pages import address, find
from web.shared.form_fields import ExactField, Form
from web.shared.form_pages import FormPage, Review, form_page
from web.shared.writing import price_html


class FactorForm(Form):
    factor = ExactField(label="Multiply by", help_text="0.9 takes off a tenth, 1.15 adds 15 %.")
    group = forms.ChoiceField(label="Prices of", required=False)

    def __init__(self, *args: Any, product_groups: Sequence[str], **options: Any) -> None:
        super().__init__(*args, **options)
        choices = [("", "the whole catalogue"), *((name, name) for name in product_groups)]
        self.fields["group"] = forms.ChoiceField(label="Prices of", required=False, choices=choices)


def _before_and_after(item: CatalogueItem, factor: Decimal) -> list[str]:
    if item.price is not None:
        prices = (item.price, multiplied(item.price, factor))
        return [price_html(price, item.currency) for price in prices]
    assert item.metered_tiers is not None
    both = (item.metered_tiers, multiplied_tiers(item.metered_tiers, factor))
    return [written_tiers(tiers, item.product.rating_unit) for tiers in both]


@page_of(Surface.CONSOLE, "catalogue.write", FORM_METHODS)
def catalogue_multiply(request: SurfaceRequest, catalogue_id: int) -> HttpResponse:
    catalogue = find(request.scope, catalogue_id)
    items = [
        item
        for item in selectors.draft_items(request.scope, catalogue)
        if item.price is not None or item.tiers
    ]
    url = address("console_catalogue", catalogue)

    def review(form: FactorForm) -> Review:
        factor, group = form.cleaned_data["factor"], form.cleaned_data["group"]
        chosen = [item for item in items if group in ("", item.group)]
        return Review(
            title=f"Multiply {len(chosen)} prices by {factor.normalize():f}?",
            lead="Only the draft changes; customers see the new prices once it is published.",
            headings=["Product", "Price now", "Price then"],
            rows=[[item.product, *_before_and_after(item, factor)] for item in chosen],
            submit="Multiply",
        )

    def save(form: FactorForm) -> str:
        changed = multiply_prices(
            catalogue=catalogue,
            factor=form.cleaned_data["factor"],
            group=form.cleaned_data["group"] or None,
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(request, f"{len(changed)} prices of the draft were multiplied.")
        return url

    page = FormPage(f"Multiply prices of {catalogue}", submit="Continue", cancel_url=url)
    return form_page(
        request,
        page,
        form=FactorForm,
        save=save,
        review=review,
        fields_of={
            FactorRefused: "factor",
            PriceNotExact: "factor",
            NothingToMultiply: "group",
        },
        product_groups=sorted({item.group for item in items if item.group}),
    )


urls = [
    path(
        "catalogues/<int:catalogue_id>/multiply/",
        catalogue_multiply,
        name="console_catalogue_multiply",
    ),
]
