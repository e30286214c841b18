"""Forms that change what their page showed, and are refused where it is something else by now."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django import forms

from catalogue.services.seen import ChangedMeanwhile
from web.shared.form_fields import Form


class SeenField(forms.Field):
    """What a page showed; nothing at all for what is damaged, as nobody sees an error at a hidden
    field.
    """

    def prepare_value(self, value: Any) -> Any:
        return json.dumps(value) if isinstance(value, dict) else value

    def to_python(self, value: Any) -> dict[str, str] | None:
        if not value:
            return None
        try:
            seen = json.loads(value)
        except ValueError:
            return {}
        return seen if isinstance(seen, dict) else {}


class SeenForm(Form):
    """Sends back what its page showed: `seen_values`; None where a program sends nothing."""

    seen = SeenField(required=False, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        self.seen_values: dict[str, str] | None = cleaned.pop("seen", None)
        if self.seen_values == {}:
            self.add_error(None, "The form came back damaged: open the page again.")
        return cleaned

    @contextmanager
    def telling_changes(self) -> Iterator[None]:
        """Say at each field what it is by now where that refuses what is saved within.

        Who sends the form again has seen it.
        """
        try:
            yield
        except ChangedMeanwhile as refusal:
            self._tell(refusal)
            raise

    def _tell(self, refusal: ChangedMeanwhile) -> None:
        for name, text in refusal.by_field.items():
            self.add_error(name if name in self.fields else None, text)
        self.data = self.data.copy()  # type: ignore[attr-defined]  # what was sent, as QueryDict
        self.data["seen"] = json.dumps(refusal.now)  # type: ignore[index]
        refusal.by_field = {}  # they are said: what remains is for the form as a whole
