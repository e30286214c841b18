"""What was done to something, as a table: when, by whom, and what changed."""

import re
from collections.abc import Iterator
from decimal import Decimal

from django.apps import apps
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from audit.models import Entry
from common.csv_files import Cell
from web.shared.tables import Column, InstantColumn, Table
from web.shared.writing import NONE, trimmed

# Of rows that the database recorded whole, with names beside the numbers: no news to anybody.
_UNTOLD = ("id", "provider_id", "user_id", "role_id", "created_at")
# Entries hold every value as text.
_TRUTHS = {"True": "yes", "False": "no"}
# A percentage or price as its column holds it, with zeros to the eighth decimal.
_STORED_DECIMAL = re.compile(r"-?\d+\.\d{3,}")
MINOR_PLACES = 2


def action_name(action: str) -> str:
    """`reseller.state_changed` as words."""
    return action.replace(".", ": ").replace("_", " ")


def changes_of(entry: Entry) -> Iterator[tuple[str, str, str]]:
    """Each field that changed, with its value before, where there was one, and after."""
    before, after = entry.before or {}, entry.after or {}
    choices = _choices_of(entry.object_type)
    for name in [*before, *(name for name in after if name not in before)]:
        was, becomes = before.get(name), after.get(name)
        if name not in _UNTOLD and (was != becomes or name not in before):
            yield (
                name.replace("_", " "),
                "" if was in (None, "") else f"{_in_words(was, choices.get(name))} → ",
                NONE if becomes in (None, "") else _in_words(becomes, choices.get(name)),
            )


def _choices_of(object_type: str) -> dict[str, dict[str, str]]:
    """The names of what the model's fields choose from; none where the model is gone."""
    try:
        fields = apps.get_model(object_type)._meta.concrete_fields
    except LookupError:
        return {}
    return {
        field.name: {str(value): str(label) for value, label in field.flatchoices}
        for field in fields
        if field.choices
    }


def _in_words(value: object, choices: dict[str, str] | None) -> str:
    text = str(value)
    if _STORED_DECIMAL.fullmatch(text):
        return trimmed(Decimal(text), MINOR_PLACES)
    return (choices or _TRUTHS).get(text, text)


class ChangesColumn(Column):
    """What an entry changed, a line for each field."""

    def __init__(self) -> None:
        super().__init__("Changed", accessor="pk")

    def render(self, record: Entry) -> SafeString:
        return format_html_join(SafeString("<br>"), "{}: {}{}", changes_of(record))

    def export_cells(self, record: Entry, value: object) -> list[Cell]:
        return ["; ".join(f"{name}: {was}{becomes}" for name, was, becomes in changes_of(record))]


class ActorColumn(Column):
    """Who did it; by which API token, where a program did."""

    def __init__(self) -> None:
        super().__init__("Who", accessor="pk")

    def render(self, record: Entry) -> str:
        who = record.actor.email if record.actor else ""
        if record.token is None:
            return who or "the system"
        return f"{who}, by the API token {record.token}".removeprefix(", by ")

    def export_cells(self, record: Entry, value: object) -> list[Cell]:
        return [self.render(record)]


class HistoryTable(Table):
    at = InstantColumn("When")
    actor = ActorColumn()
    action = Column("What")
    changes = ChangesColumn()

    def render_action(self, value: str) -> str:
        return action_name(value)
