"""The refusal every service speaks."""

from collections.abc import Mapping


class DomainError(Exception):
    """A rule of the trade refuses what was asked; nothing was changed.

    Subclasses are named as the refusal (`InvoiceNotDraft`) and live in the module that raises them.
    The message says what happened and what to do about it, for the person who asked; where single
    fields were refused, `by_field` says the same of each by its name.
    """

    def __init__(self, message: str = "", *, by_field: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.by_field = dict(by_field or {})

    @property
    def code(self) -> str:
        """The refusal's stable name for programs, e.g. `InvoiceNotDraft`."""
        return type(self).__name__


class NotFound(DomainError):
    """There is no such row for whoever asks, be it missing or another's."""
