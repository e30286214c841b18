"""The refusal every service speaks."""


class DomainError(Exception):
    """A rule of the trade refuses what was asked; nothing was changed.

    Subclasses are named as the refusal (`InvoiceNotDraft`) and live in the module that raises them.
    The message says what happened and what to do about it, for the person who asked.
    """

    @property
    def code(self) -> str:
        """The refusal's stable name for programs, e.g. `InvoiceNotDraft`."""
        return type(self).__name__


class NotFound(DomainError):
    """There is no such row for whoever asks, be it missing or another's."""
