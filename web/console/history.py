"""What was done to something, as a table: when, by whom, and what changed."""

from collections.abc import Iterator

from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from audit.models import Entry
from common.csv_files import Cell
from web.shared.tables import Column, InstantColumn, Table
from web.shared.writing import NONE

# Of rows that the database recorded whole, with names beside the numbers: no news to anybody.
_UNTOLD = ("id", "provider_id", "user_id", "role_id", "created_at")


def changes_of(entry: Entry) -> Iterator[tuple[str, str, str]]:
    """Each field that changed, with its value before, where there was one, and after."""
    before, after = entry.before or {}, entry.after or {}
    for name in [*before, *(name for name in after if name not in before)]:
        was, becomes = before.get(name), after.get(name)
        if name not in _UNTOLD and (was != becomes or name not in before):
            yield (
                name.replace("_", " "),
                "" if was in (None, "") else f"{was} → ",
                NONE if becomes in (None, "") else str(becomes),
            )


class ChangesColumn(Column):
    """What an entry changed, a line for each field."""

    def __init__(self) -> None:
        super().__init__("Changed", accessor="pk")

    def render(self, record: Entry) -> SafeString:
        return format_html_join(SafeString("<br>"), "{}: {}{}", changes_of(record))

    def export_cells(self, record: Entry, value: object) -> list[Cell]:
        return ["; ".join(f"{name}: {was}{becomes}" for name, was, becomes in changes_of(record))]


class HistoryTable(Table):
    at = InstantColumn("When")
    actor = Column("Who", accessor="actor__email", default="the system")
    action = Column("What")
    changes = ChangesColumn()

    def render_action(self, value: str) -> str:
        """`reseller.state_changed` as words."""
        return value.replace(".", ": ").replace("_", " ")
