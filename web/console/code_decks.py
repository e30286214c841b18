"""Code decks in the console: names by prefix, from files or by hand."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.urls import path, reverse

from catalogue.models import CodeDeck
from catalogue.rules.code_deck_files import COLUMNS, CodeDeckRefused, read_code_deck
from catalogue.rules.rate_terms import PREFIX_DIGITS
from catalogue.selectors.code_decks import (
    code_deck,
    code_decks,
    deck_entries,
    deck_entry,
    tables_of_deck,
)
from catalogue.services.code_decks import (
    CodeDeckNameTaken,
    PrefixTaken,
    add_entry,
    change_entry,
    create_code_deck,
    delete_code_deck,
    delete_entry,
    import_destinations,
    rename_code_deck,
)
from common import clock
from common.csv_files import CsvUnreadable
from common.scope import Surface
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.shared.actions import Action
from web.shared.filters import Filters, text_filter
from web.shared.form_fields import CsvField, Form
from web.shared.form_pages import FormPage, Review, confirm_page, form_page
from web.shared.lists import Empty, list_page
from web.shared.tables import Column, LinkColumn, NumberColumn, Table

READ, WRITE = "catalogue.read", "catalogue.write"
FILE_HINT = f"CSV with the columns {' and '.join(COLUMNS)}."


class CodeDeckTable(Table):
    name = LinkColumn("Code deck")
    entry_count = NumberColumn("Prefixes")


class CodeDeckFilters(Filters):
    searches = ("name__icontains",)
    search_hint = "Name"


@page_of(Surface.CONSOLE, READ)
def code_deck_list(request: SurfaceRequest) -> HttpResponse:
    add = Action(
        "Add code deck", reverse("console_code_deck_create"), "plus", needs=WRITE, is_main=True
    )
    return list_page(
        request,
        title="Code decks",
        lead="Which destination a prefix belongs to. Rates that are added without a destination"
        " take the name from their table's deck.",
        rows=code_decks(request.scope),
        table=CodeDeckTable,
        filters=CodeDeckFilters,
        name="code-decks",
        actions=[add],
        empty=Empty("No code decks yet", "Names by prefix go here, for all rate tables.", add),
    )


class EntryTable(Table):
    prefix = Column("Prefix")
    destination = Column("Destination")


class ChangeableEntryTable(EntryTable):
    prefix = LinkColumn("Prefix")


class EntryFilters(Filters):
    prefix = text_filter("Prefix", "prefix__startswith")
    destination = text_filter("Destination", "destination__icontains")


@page_of(Surface.CONSOLE, READ)
def code_deck_entries(request: SurfaceRequest, deck_id: int) -> HttpResponse:
    deck = code_deck(request.scope, deck_id)
    load = Action("Import", _url(deck, "import"), "arrow-up-tray", needs=WRITE)
    add = Action("Add prefix", _url(deck, "entry_create"), "plus", needs=WRITE, is_main=True)
    actions = [
        Action("Delete", _url(deck, "delete"), "trash", needs=WRITE),
        Action("Rename", _url(deck, "rename"), "pencil-square", needs=WRITE),
        load,
        add,
    ]
    may_change = WRITE in request.scope.permissions
    return list_page(
        request,
        title=deck.name,
        rows=deck_entries(request.scope, deck),
        table=ChangeableEntryTable if may_change else EntryTable,
        filters=EntryFilters,
        name=f"code-deck-{deck.pk}",
        actions=actions,
        empty=Empty("No prefixes yet", "Import a CSV file of them, or add one here.", load),
        template="console/rates/code_deck_entries.html",
        context={"deck": deck, "tables": tables_of_deck(request.scope, deck)},
    )


class CodeDeckForm(Form):
    name = forms.CharField(max_length=100)


class NewCodeDeckForm(CodeDeckForm):
    file = CsvField(required=False, help_text=f"{FILE_HINT} Without one it begins empty.")


@page_of(Surface.CONSOLE, WRITE, FORM_METHODS)
def code_deck_create(request: SurfaceRequest) -> HttpResponse:
    def save(form: NewCodeDeckForm) -> str:
        text = form.cleaned_data["file"]
        deck = create_code_deck(
            provider_id=request.scope.provider_id,
            name=form.cleaned_data["name"],
            destinations=read_code_deck(text) if text else {},
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(request, f"{deck} was added.")
        return _url(deck)

    page = FormPage(
        "Add a code deck", submit="Add code deck", cancel_url=reverse("console_code_decks")
    )
    return form_page(
        request,
        page,
        form=NewCodeDeckForm,
        save=save,
        fields_of={CodeDeckNameTaken: "name", CsvUnreadable: "file"},
    )


@page_of(Surface.CONSOLE, WRITE, FORM_METHODS)
def code_deck_rename(request: SurfaceRequest, deck_id: int) -> HttpResponse:
    deck = code_deck(request.scope, deck_id)

    def save(form: CodeDeckForm) -> str:
        rename_code_deck(
            deck=deck, **form.cleaned_data, at=clock.now(), actor_id=request.scope.user_id
        )
        messages.success(request, "The code deck has another name.")
        return _url(deck)

    page = FormPage(f"Rename {deck}", submit="Save", cancel_url=_url(deck))
    return form_page(
        request,
        page,
        form=CodeDeckForm,
        save=save,
        fields_of={CodeDeckNameTaken: "name"},
        initial={"name": deck.name},
    )


@page_of(Surface.CONSOLE, WRITE, FORM_METHODS)
def code_deck_delete(request: SurfaceRequest, deck_id: int) -> HttpResponse:
    deck = code_deck(request.scope, deck_id)

    def confirm() -> str:
        delete_code_deck(deck=deck, at=clock.now(), actor_id=request.scope.user_id)
        messages.success(request, f"{deck} was deleted.")
        return reverse("console_code_decks")

    review = Review(
        f"Delete {deck}",
        lead="Rates keep the names that they have.",
        facts=[("Prefixes", f"{deck.entries.count():,}")],
        submit="Delete it",
        is_dangerous=True,
    )
    return confirm_page(request, review, confirm=confirm, cancel_url=_url(deck))


class CodeDeckImportForm(Form):
    file = CsvField(help_text=FILE_HINT)


@page_of(Surface.CONSOLE, WRITE, FORM_METHODS)
def code_deck_import(request: SurfaceRequest, deck_id: int) -> HttpResponse:
    deck = code_deck(request.scope, deck_id)

    def save(form: CodeDeckImportForm) -> str:
        entered = import_destinations(
            deck=deck,
            destinations=read_code_deck(form.cleaned_data["file"]),
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(
            request,
            f"{entered.added:,} prefixes were added and {entered.changed:,} renamed;"
            f" {entered.unchanged:,} were there already.",
        )
        return _url(deck)

    page = FormPage(
        f"Import prefixes into {deck}",
        submit="Import",
        cancel_url=_url(deck),
        lead="All of the file or, where a line is wrong, nothing. Prefixes that the file does not"
        " name stay as they are, and so do the rates of all tables.",
    )
    return form_page(
        request, page, form=CodeDeckImportForm, save=save, fields_of={CsvUnreadable: "file"}
    )


class EntryForm(Form):
    prefix = forms.CharField(max_length=PREFIX_DIGITS)  # type: ignore[assignment]
    destination = forms.CharField(max_length=120)


_ENTRY_FIELDS = {PrefixTaken: "prefix", CodeDeckRefused: "destination"}


@page_of(Surface.CONSOLE, WRITE, FORM_METHODS)
def entry_create(request: SurfaceRequest, deck_id: int) -> HttpResponse:
    deck = code_deck(request.scope, deck_id)

    def save(form: EntryForm) -> str:
        entry = add_entry(
            deck=deck, **form.cleaned_data, at=clock.now(), actor_id=request.scope.user_id
        )
        messages.success(request, f"{entry.prefix} is {entry.destination} now.")
        return _url(deck)

    page = FormPage(f"Add a prefix to {deck}", submit="Add prefix", cancel_url=_url(deck))
    return form_page(request, page, form=EntryForm, save=save, fields_of=_ENTRY_FIELDS)


@page_of(Surface.CONSOLE, WRITE, FORM_METHODS)
def entry_change(request: SurfaceRequest, entry_id: int) -> HttpResponse:
    entry = deck_entry(request.scope, entry_id)

    def save(form: EntryForm) -> str:
        change_entry(
            entry=entry, **form.cleaned_data, at=clock.now(), actor_id=request.scope.user_id
        )
        messages.success(request, f"{form.cleaned_data['prefix']} was saved.")
        return _url(entry.code_deck)

    page = FormPage(
        f"Change {entry.prefix} of {entry.code_deck}",
        submit="Save",
        cancel_url=_url(entry.code_deck),
        lead="Rates keep their names until the deck is applied to their table.",
        template="console/rates/code_deck_entry.html",
        context={"entry": entry},
    )
    initial: Any = {"prefix": entry.prefix, "destination": entry.destination}
    return form_page(
        request, page, form=EntryForm, save=save, fields_of=_ENTRY_FIELDS, initial=initial
    )


@page_of(Surface.CONSOLE, WRITE, FORM_METHODS)
def entry_delete(request: SurfaceRequest, entry_id: int) -> HttpResponse:
    entry = deck_entry(request.scope, entry_id)

    def confirm() -> str:
        delete_entry(entry=entry, at=clock.now(), actor_id=request.scope.user_id)
        messages.success(request, f"{entry.prefix} was deleted.")
        return _url(entry.code_deck)

    review = Review(
        f"Delete {entry.prefix} of {entry.code_deck}",
        lead="Its numbers belong to a shorter prefix of the deck from then on. Rates keep their"
        " names until the deck is applied to their table.",
        facts=[("Destination", entry.destination)],
        submit="Delete it",
        is_dangerous=True,
    )
    return confirm_page(request, review, confirm=confirm, cancel_url=_url(entry.code_deck))


def _url(deck: CodeDeck, page: str = "") -> str:
    name = f"console_code_deck_{page}" if page else "console_code_deck"
    return reverse(name, kwargs={"deck_id": deck.pk})


urls = [
    path("code-decks/", code_deck_list, name="console_code_decks"),
    path("code-decks/new/", code_deck_create, name="console_code_deck_create"),
    path("code-decks/<int:deck_id>/", code_deck_entries, name="console_code_deck"),
    path("code-decks/<int:deck_id>/rename/", code_deck_rename, name="console_code_deck_rename"),
    path("code-decks/<int:deck_id>/delete/", code_deck_delete, name="console_code_deck_delete"),
    path("code-decks/<int:deck_id>/import/", code_deck_import, name="console_code_deck_import"),
    path("code-decks/<int:deck_id>/new/", entry_create, name="console_code_deck_entry_create"),
    path("code-decks/entries/<int:entry_id>/change/", entry_change, name="console_code_deck_entry"),
    path(
        "code-decks/entries/<int:entry_id>/delete/",
        entry_delete,
        name="console_code_deck_entry_delete",
    ),
]
