"""What was done to something, as a table: when, by whom, and what changed."""

from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from audit.models import Entry
from web.shared.tables import Column, InstantColumn, Table
from web.shared.writing import NONE


class HistoryTable(Table):
    at = InstantColumn("When")
    actor = Column("Who", accessor="actor__email", default="the system")
    action = Column("What")
    changes = Column("Changed", accessor="pk")

    def render_action(self, value: str) -> str:
        """`reseller.state_changed` as words."""
        return value.replace(".", ": ").replace("_", " ")

    def render_changes(self, record: Entry) -> SafeString:
        """Each field with its value before, where there was one, and after."""
        before, after = record.before or {}, record.after or {}
        names = [*before, *(name for name in after if name not in before)]
        lines = (
            (
                name.replace("_", " "),
                f"{before[name]} → " if before.get(name) else "",
                after.get(name) or NONE,
            )
            for name in names
        )
        return format_html_join(SafeString("<br>"), "{}: {}{}", lines)
