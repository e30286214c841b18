"""Two rate tables, or one at two instants, side by side in the console."""

from collections.abc import Mapping
from dataclasses import astuple
from typing import Any

from django import forms
from django.core.signing import BadSignature, Signer
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path

from catalogue import selectors
from catalogue.models import RateTable, TimeProfile
from catalogue.rules.rate_comparison import CallsKey, ComparedPair, ComparisonClass
from catalogue.selectors.rate_comparison import (
    ComparedPage,
    Comparison,
    Narrowing,
    TableAt,
    UnitsDiffer,
)
from common import clock
from common.scope import Surface
from web.access import SurfaceRequest, page_of
from web.console.rate_comparison_table import LABELS, ComparisonTable
from web.shared.exports import csv_response, xlsx_response
from web.shared.form_fields import Form, InstantField, Select
from web.shared.keyset import Page
from web.shared.lists import MOST_EXPORTED_ROWS, PAGE_SIZE, exported
from web.shared.writing import signed_percent

_FILES = {"csv": csv_response, "xlsx": xlsx_response}
_signer = Signer(salt="rate-comparison")


class ComparisonForm(Form):
    left = forms.ModelChoiceField(
        queryset=RateTable.objects.none(), empty_label="Choose a rate table", widget=Select()
    )
    left_at = InstantField(label="Left as it is at")
    right = forms.ModelChoiceField(
        queryset=RateTable.objects.none(), empty_label="Choose a rate table", widget=Select()
    )
    right_at = InstantField(label="Right as it is at")
    begins = forms.RegexField(
        r"^[0-9]{0,15}$",
        label="Prefix begins with",
        required=False,
        error_messages={"invalid": "Write up to 15 digits."},
    )
    destination = forms.CharField(label="Destination contains", max_length=120, required=False)

    def __init__(self, *args: Any, tables: QuerySet[RateTable], **options: Any) -> None:
        super().__init__(*args, **options)
        for side in ("left", "right"):
            self.fields[side].queryset = tables  # type: ignore[attr-defined]

    def comparison(self, request: SurfaceRequest) -> Comparison | None:
        """What is asked for; None, with a message at the field, where it cannot be compared."""
        cleaned = self.cleaned_data
        try:
            return Comparison(
                request.scope,
                TableAt(cleaned["left"], cleaned["left_at"]),
                TableAt(cleaned["right"], cleaned["right_at"]),
            )
        except UnitsDiffer as refusal:
            self.add_error("right", str(refusal))
            return None


@page_of(Surface.CONSOLE, "catalogue.read")
def rate_comparison(request: SurfaceRequest) -> HttpResponse:
    form = _form(request)
    comparison = form.comparison(request) if form.is_bound and form.is_valid() else None
    if comparison is None:
        return render(request, "console/rates/rate_comparison.html", {"form": form})
    classes = [each for each in ComparisonClass if each == request.GET.get("class")]
    narrowing = Narrowing(
        prefix=form.cleaned_data["begins"],
        destination=form.cleaned_data["destination"],
        classes=classes,
    )
    is_too_long = False
    if respond := _FILES.get(request.GET.get("format", "")):
        found = comparison.page(narrowing, limit=MOST_EXPORTED_ROWS + 1)
        is_too_long = len(found.pairs) > MOST_EXPORTED_ROWS
        if not is_too_long:
            return respond("comparison", *exported(_table(request, comparison, found.pairs)))
    shown, page = _page(request, comparison, narrowing)
    context = {
        "form": form,
        "comparison": comparison,
        "classes": _classes(shown),
        "chosen": classes[0].value if classes else "",
        "total": sum(total.count for total in shown.totals.values()),
        "page": page,
        "table": _table(request, comparison, page.rows),
        "is_too_long": is_too_long,
    }
    return render(request, "console/rates/rate_comparison.html", context)


def _form(request: SurfaceRequest) -> ComparisonForm:
    """As it was sent; where only a table is named, that table now, to be compared with another."""
    tables = selectors.rate_tables(request.scope)
    if "right" in request.GET or "left_at" in request.GET:
        return ComparisonForm(request.GET, tables=tables)
    now = clock.now()
    named = request.GET.get("left", "")
    initial = {"left": named, "left_at": now, "right": named, "right_at": now}
    return ComparisonForm(initial=initial, tables=tables)


def _page(
    request: SurfaceRequest, comparison: Comparison, narrowing: Narrowing
) -> tuple[ComparedPage, "Page[Any]"]:
    before, after = (_key(request.GET.get(name, "")) for name in ("before", "after"))
    found = comparison.page(narrowing, limit=PAGE_SIZE + 1, before=before, after=after)
    pairs = list(found.pairs)
    has_more = len(pairs) > PAGE_SIZE
    shown = pairs[-PAGE_SIZE:] if before else pairs[:PAGE_SIZE]
    first, last = _cursor(shown[:1]), _cursor(shown[-1:])
    if before:
        return found, Page(shown, before=first if has_more else "", after=last)
    return found, Page(shown, before=first if after else "", after=last if has_more else "")


def _classes(shown: ComparedPage) -> list[tuple[str, str, int, str]]:
    """Of each class there is: its name, label, count, and how far its rates move on average."""
    return [
        (
            name.value,
            label,
            shown.totals[name].count,
            "" if (mean := shown.totals[name].mean_percent) is None else signed_percent(mean),
        )
        for name, label in LABELS.items()
        if name in shown.totals
    ]


def _table(request: SurfaceRequest, comparison: Comparison, pairs: Any) -> ComparisonTable:
    profiles: Mapping[int, str] = dict(
        TimeProfile.objects.visible_to(request.scope).values_list("pk", "name")
    )
    return ComparisonTable(pairs, request=request, comparison=comparison, profiles=profiles)


def _cursor(pairs: list[ComparedPair]) -> str:
    return _signer.sign_object(list(astuple(pairs[0].key))) if pairs else ""


def _key(cursor: str) -> CallsKey | None:
    try:
        return CallsKey(*_signer.unsign_object(cursor))
    except BadSignature:
        return None


urls = [
    path("rate-tables/compare/", rate_comparison, name="console_rate_comparison"),
]
