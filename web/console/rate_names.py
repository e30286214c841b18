"""The names of a rate table's destinations: from which code deck, and applying it."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse

from catalogue.models import CodeDeck, RateTable, Relabelling
from catalogue.selectors import rate_table
from catalogue.selectors.code_decks import code_decks, preview_relabelling, relabelling
from catalogue.services.rate_tables import change_code_deck
from catalogue.services.relabelling import request_relabelling
from common import clock
from common.scope import Surface
from common.tries import GIVEN_UP
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.shared.form_fields import Form
from web.shared.form_pages import FormPage, Review, confirm_page, form_page


class DeckForm(Form):
    code_deck = forms.ModelChoiceField(
        queryset=CodeDeck.objects.none(), required=False, empty_label="None"
    )

    def __init__(self, *args: Any, decks: QuerySet[CodeDeck], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["code_deck"].queryset = decks  # type: ignore[attr-defined]


@page_of(Surface.CONSOLE, "catalogue.write", FORM_METHODS)
def rate_table_deck(request: SurfaceRequest, table_id: int) -> HttpResponse:
    table = rate_table(request.scope, table_id)

    def save(form: DeckForm) -> str:
        deck = form.cleaned_data["code_deck"]
        change_code_deck(
            table=table, code_deck=deck, at=clock.now(), actor_id=request.scope.user_id
        )
        if deck is None:
            messages.success(request, f"{table} takes its names from no code deck.")
            return _url(table)
        messages.success(request, f"{table} takes names from {deck} now.")
        return reverse("console_rate_table_names", kwargs={"table_id": table.pk})

    page = FormPage(
        f"Code deck of {table}",
        submit="Save",
        cancel_url=_url(table),
        lead="It names the destinations of rates that are added without a name. Rates that are"
        " there keep theirs until the deck is applied, which is the next step.",
    )
    return form_page(
        request,
        page,
        form=DeckForm,
        save=save,
        initial={"code_deck": table.code_deck_id},
        decks=code_decks(request.scope),
    )


@page_of(Surface.CONSOLE, "catalogue.write", FORM_METHODS)
def rate_table_names(request: SurfaceRequest, table_id: int) -> HttpResponse:
    """What applying the deck would rename, and, when agreed to, a worker's task that does it."""
    table = rate_table(request.scope, table_id)
    preview = preview_relabelling(request.scope, table)

    def confirm() -> str:
        run = request_relabelling(table=table, at=clock.now(), actor_id=request.scope.user_id)
        return reverse("console_relabelling", kwargs={"relabelling_id": run.pk})

    review = Review(
        f"Rename the destinations of {preview.renamed_count:,} rates of {table}",
        lead="By the longest prefix of the code deck. Prices, dates and everything else stay.",
        facts=[
            ("Code deck", table.code_deck or "none"),
            ("Rates of the table", f"{preview.rate_count:,}"),
            ("Renamed", f"{preview.renamed_count:,}"),
            ("Unknown to the deck, left as they are", f"{preview.unknown_count:,}"),
        ],
        headings=("Prefix, for example", "Destination now", "Then"),
        rows=[(each.prefix, each.before, each.after) for each in preview.examples],
        submit="Rename them",
    )
    return confirm_page(request, review, confirm=confirm, cancel_url=_url(table))


@page_of(Surface.CONSOLE, "catalogue.read")
def relabelling_show(request: SurfaceRequest, relabelling_id: int) -> HttpResponse:
    """What became of it; while it waits, htmx asks for the state every second."""
    run = relabelling(request.scope, relabelling_id)
    part = "_relabelling_state" if request.htmx else "relabelling_show"
    failure = GIVEN_UP if run.state == Relabelling.State.FAILED else ""
    context = {"run": run, "table": run.rate_table, "failure": failure}
    return render(request, f"console/rates/{part}.html", context)


def _url(table: RateTable) -> str:
    return reverse("console_rates", kwargs={"table_id": table.pk})


urls = [
    path("rate-tables/<int:table_id>/code-deck/", rate_table_deck, name="console_rate_table_deck"),
    path("rate-tables/<int:table_id>/names/", rate_table_names, name="console_rate_table_names"),
    path(
        "rate-tables/relabellings/<int:relabelling_id>/",
        relabelling_show,
        name="console_relabelling",
    ),
]
