"""Changing many rates at once in the console: chosen, stated, reviewed, and looked at when made."""

from collections.abc import Sequence

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse

from catalogue import selectors
from catalogue.models import Rate, RateBatchEdit, RateTable
from catalogue.rules.rate_edits import RateEdit
from catalogue.rules.rate_terms import RateRefused
from catalogue.selectors.rate_edits import EditPreview, preview_edit, rate_edits
from catalogue.services.rate_edits import NoRatesChosen, ask_for_rate_edit
from common import clock
from common.errors import DomainError
from common.scope import Surface
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.console.rate_affected import may_see_affected
from web.console.rate_columns import ANY_NUMBER, RateFilters, time_profiles
from web.console.rate_edit_form import RateEditForm, field_of
from web.shared.form_pages import FormPage, Review, form_page
from web.shared.writing import plain_number, price_html


class RatesRefused(DomainError):
    """Some of the rates would hold what no rate may; said at the field."""


@page_of(Surface.CONSOLE, "catalogue.write", FORM_METHODS)
def rate_edit(request: SurfaceRequest, table_id: int) -> HttpResponse:
    """Edit the rates ticked (`rate` in the address), or all that the list's filters leave."""
    table = selectors.rate_table(request.scope, table_id)
    rows = _chosen(request, table)

    def review(form: RateEditForm) -> Review:
        return _review(table, form.edit, _previewed(table, _ids(rows), form.edit))

    def save(form: RateEditForm) -> str:
        try:
            asked = ask_for_rate_edit(
                table=table,
                rate_ids=_ids(rows),
                edit=form.edit,
                at=clock.now(),
                actor_id=request.scope.user_id,
            )
        except RateRefused as refusal:
            raise _refused(refusal) from refusal
        messages.success(request, "The rates are being edited.")
        return reverse("console_rate_batch_edit", kwargs={"edit_id": asked.pk})

    count = rows.count()
    list_url = reverse("console_rates", kwargs={"table_id": table.pk})
    page = FormPage(
        f"Edit {'1 rate' if count == 1 else f'{plain_number(count)} rates'} of {table}",
        submit="Look at what it changes",
        cancel_url=f"{list_url}?{request.GET.urlencode()}",
        lead=f"Amounts are in {table.currency} per {table.product.rating_unit}, volumes in"
        f" {table.product.volume_unit}s. What you leave empty stays as it is.",
    )
    return form_page(
        request,
        page,
        form=RateEditForm,
        save=save,
        review=review,
        initial={"effective_from": clock.now()},
        profiles=time_profiles(request),
    )


def _chosen(request: SurfaceRequest, table: RateTable) -> QuerySet[Rate]:
    rows = selectors.rates(request.scope, table)
    if ticked := request.GET.getlist("rate"):
        return rows.filter(pk__in=[int(pk) for pk in ticked if pk.isdecimal() and len(pk) < 19])
    found: QuerySet[Rate] = RateFilters(request.GET, queryset=rows, request=request).qs
    return found


def _ids(rows: QuerySet[Rate]) -> list[int]:
    return list(rows.order_by().values_list("pk", flat=True))


def _previewed(table: RateTable, rate_ids: Sequence[int], edit: RateEdit) -> EditPreview:
    try:
        found = preview_edit(table, rate_ids, edit)
    except RateRefused as refusal:
        raise _refused(refusal) from refusal
    if not found.continued_count + found.corrected_count:
        raise NoRatesChosen("None of the rates would change: choose rates that last that long.")
    return found


def _refused(refusal: RateRefused) -> RatesRefused:
    name = field_of(refusal)
    return RatesRefused(str(refusal), by_field={name: str(refusal)} if name else None)


def _review(table: RateTable, edit: RateEdit, found: EditPreview) -> Review:
    currency = table.currency
    count = found.continued_count + found.corrected_count
    facts: list[tuple[str, object]] = []
    if edit.effective_from is not None:
        facts += [
            ("End then and go on changed", plain_number(found.continued_count)),
            ("Begin later, and are changed themselves", plain_number(found.corrected_count)),
            ("Over by then, and left as they are", plain_number(found.left_count)),
        ]
    if edit.price is not None and found.least is not None and found.greatest is not None:
        facts += [
            ("Least new rate", price_html(found.least, currency)),
            ("Greatest new rate", price_html(found.greatest, currency)),
        ]
        if found.negative_count:
            facts.append(("Below zero, which pays the payer", plain_number(found.negative_count)))
    if found.steps_count:
        facts.append(("Priced by steps instead of the rate", plain_number(found.steps_count)))
    facts += [
        (name.removesuffix("_id").replace("_", " ").capitalize(), _said(value))
        for name, value in edit.values.items()
    ]
    is_past = found.changed_from is not None and found.changed_from < clock.now()
    return Review(
        title=f"Edit {'1 rate' if count == 1 else f'{plain_number(count)} rates'} of {table}?",
        lead="Calls that were rated before keep their charges; afterwards you see how many it"
        " concerns."
        if is_past
        else "",
        facts=facts,
        headings=("For example", "Destination", "Rate before", "Rate after"),
        rows=[
            (
                each.prefix or ANY_NUMBER,
                each.destination,
                price_html(each.rate_before, currency),
                price_html(each.rate_after, currency),
            )
            for each in found.examples
        ],
        submit="Edit the rates",
    )


def _said(value: object) -> str:
    return "taken away" if value in (None, "") else str(value)


@page_of(Surface.CONSOLE, "catalogue.read")
def rate_batch_edit(request: SurfaceRequest, edit_id: int) -> HttpResponse:
    """What became of an edit."""
    edit = rate_edits(request.scope).get(pk=edit_id)
    return render(request, "console/rates/rate_edit_show.html", _state(request, edit))


@page_of(Surface.CONSOLE, "catalogue.read")
def rate_batch_edit_state(request: SurfaceRequest, edit_id: int) -> HttpResponse:
    """What htmx asks for again until the edit is made."""
    edit = rate_edits(request.scope).get(pk=edit_id)
    return render(request, "console/rates/_rate_edit_state.html", _state(request, edit))


def _state(request: SurfaceRequest, edit: RateBatchEdit) -> dict[str, object]:
    of_edit = {"edit_id": edit.pk}
    is_done = edit.state == RateBatchEdit.State.DONE
    is_past = edit.changed_from is not None and edit.changed_from < (
        edit.finished_at or clock.now()
    )
    affected = reverse("console_rate_edit_affected", kwargs=of_edit)
    refresh = reverse("console_rate_batch_edit_state", kwargs=of_edit)
    return {
        "edit": edit,
        "is_failed": edit.state == RateBatchEdit.State.FAILED,
        "is_done": is_done,
        "count": edit.continued_count + edit.corrected_count,
        "refresh_url": refresh if edit.state == RateBatchEdit.State.WAITING else "",
        "affected_url": affected if is_done and is_past and may_see_affected(request) else "",
    }


urls = [
    path("rate-tables/<int:table_id>/edit/", rate_edit, name="console_rate_edit"),
    path("rate-tables/edits/<int:edit_id>/", rate_batch_edit, name="console_rate_batch_edit"),
    path(
        "rate-tables/edits/<int:edit_id>/state/",
        rate_batch_edit_state,
        name="console_rate_batch_edit_state",
    ),
]
