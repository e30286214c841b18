"""What can be done to a row of a list, as links at its end."""

from collections.abc import Callable, Sequence
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from web.shared.tables import NUMBER, Column

Step = tuple[str, str]
"""What it is called, and the address of the page that asks for it."""


class StepsColumn(Column):
    """Links to what `steps` gives for a row; for tables that only those see who may take them."""

    def __init__(self, steps: Callable[[Any], Sequence[Step]]) -> None:
        super().__init__("Actions", empty_values=(), exclude_from_export=True, attrs=NUMBER)
        self.steps = steps

    def render(self, record: Any) -> SafeString:
        links = format_html_join(
            " · ", '<a href="{}">{}</a>', ((url, label) for label, url in self.steps(record))
        )
        return format_html("<span>{}</span>", links)
