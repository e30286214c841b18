"""The form by which many rates are changed at once."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import QuerySet

from catalogue.models import Rate, TimeProfile
from catalogue.rules.rate_edits import NothingToChange, PriceChange, PriceEdit, RateEdit
from catalogue.rules.rate_terms import RateRefused
from web.shared.form_fields import CountField, ExactField, Form, InstantField, Select

FROM_DATE, IN_PLACE = "from_date", "in_place"
_SET = (
    *("initial_rate", "connection_fee", "min_cost", "max_cost", "attempt_fee"),
    *("minimum", "increment", "grace", "steps", "destination", "tag", "origin_prefix"),
    *("min_digits", "max_digits", "policy", "status", "effective_to"),
)
_REMOVABLE = {
    "initial_rate": "Price inside the minimum",
    "min_cost": "Floor",
    "max_cost": "Cap",
    "steps": "Price steps",
    "time_profile": "Time profile",
    "tag": "Tag",
    "origin_prefix": "Origin prefix",
    "min_digits": "Fewest digits",
    "max_digits": "Most digits",
    "effective_to": "End",
}
_TEXTS = ("steps", "tag", "origin_prefix")
_DIGITS = {"invalid": "Write up to 15 digits."}


def _exact(label: str, **options: Any) -> ExactField:
    return ExactField(label=label, required=False, **options)


def _count(label: str, least: int) -> CountField:
    return CountField(label=label, required=False, min_value=least)


def _choice(label: str, choices: Any) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label, required=False, choices=[("", "As it is"), *choices], widget=Select()
    )


class RateEditForm(Form):
    groups = (
        ("When", ("way", "effective_from")),
        ("Price", ("change", "by")),
        (
            "Set for all of them",
            (
                *("initial_rate", "connection_fee", "min_cost", "max_cost", "attempt_fee"),
                *("minimum", "increment", "grace", "steps", "destination"),
                *("time_profile", "tag", "origin_prefix", "min_digits", "max_digits"),
                *("policy", "status", "effective_to"),
            ),
        ),
        ("Take away from all of them", ("removed",)),
    )

    way = forms.ChoiceField(
        label="What is changed",
        choices=[
            (FROM_DATE, "Prices from an instant on"),
            (IN_PLACE, "What was entered: a correction"),
        ],
        widget=Select(),
        help_text="From an instant on, rates end there and go on changed. A correction changes them"
        " from their own start on.",
    )
    effective_from = InstantField(
        label="From",
        required=False,
        help_text="Rates that begin later are changed themselves; a correction needs none.",
    )
    change = _choice(
        "Change the rate",
        [
            (PriceChange.PERCENT.value, "By percent"),
            (PriceChange.AMOUNT.value, "By an amount"),
            (PriceChange.VALUE.value, "To an amount"),
        ],
    )
    by = _exact(
        "By or to",
        help_text="As 2.5 or -0.01. Rounded half up to 8 decimals; by percent or amount, the price"
        " inside the minimum and price steps move as well.",
    )
    initial_rate = _exact("Price inside the minimum")
    connection_fee = _exact("Connection fee")
    min_cost = _exact("Costs at least")
    max_cost = _exact("Costs at most")
    attempt_fee = _exact("Attempt fee")
    minimum = _count("Minimum", 1)
    increment = _count("Increment", 1)
    grace = _count("Grace", 0)
    steps = forms.CharField(
        label="Price steps", max_length=400, required=False, help_text="As 0:0.60/60;60:0.30/1."
    )
    destination = forms.CharField(max_length=120, required=False)
    time_profile = forms.ModelChoiceField(
        queryset=TimeProfile.objects.none(), required=False, empty_label="As it is", widget=Select()
    )
    tag = forms.CharField(max_length=40, required=False)
    origin_prefix = forms.RegexField(
        r"^[0-9]{1,15}$", label="Only for calls from", required=False, error_messages=_DIGITS
    )
    min_digits = CountField(label="Fewest digits", required=False, min_value=0, max_value=30)
    max_digits = CountField(label="Most digits", required=False, min_value=0, max_value=30)
    policy = _choice("Policy", Rate.Policy.choices)
    status = _choice("Status", Rate.Status.choices)
    effective_to = InstantField(label="Until", required=False)
    removed = forms.MultipleChoiceField(
        label="No more",
        required=False,
        choices=list(_REMOVABLE.items()),
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, profiles: QuerySet[TimeProfile], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["time_profile"].queryset = profiles  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Build the edit, so that what no rate may hold is said at its field."""
        cleaned: dict[str, Any] = self.cleaned_data
        if not self.errors:
            self._check_whole(cleaned)
        if not self.errors:
            try:
                self.edit = RateEdit(
                    effective_from=self._start(cleaned),
                    price=self._price(cleaned),
                    values=self._values(cleaned),
                )
            except RateRefused as refusal:
                self.add_error(field_of(refusal), str(refusal))
            except NothingToChange as refusal:
                self.add_error("change", str(refusal))
        return cleaned

    def _check_whole(self, cleaned: dict[str, Any]) -> None:
        if cleaned["way"] == FROM_DATE and cleaned["effective_from"] is None:
            self.add_error("effective_from", "Say from when on.")
        if cleaned["change"] and cleaned["by"] is None:
            self.add_error("by", "Say by how much, or to what.")
        elif cleaned["by"] is not None and not cleaned["change"]:
            self.add_error("change", "Say how this changes the rate: by percent or by an amount.")
        for name in cleaned["removed"]:
            if cleaned[name] not in (None, ""):
                self.add_error(name, "This is to be set and to be taken away: choose one.")

    @staticmethod
    def _start(cleaned: dict[str, Any]) -> datetime | None:
        start: datetime | None = cleaned["effective_from"]
        return start if cleaned["way"] == FROM_DATE else None

    @staticmethod
    def _price(cleaned: dict[str, Any]) -> PriceEdit | None:
        if not cleaned["change"]:
            return None
        by: Decimal = cleaned["by"]
        return PriceEdit(PriceChange(cleaned["change"]), by)

    @staticmethod
    def _values(cleaned: dict[str, Any]) -> dict[str, object]:
        values = {name: cleaned[name] for name in _SET if cleaned[name] not in (None, "")}
        if cleaned["time_profile"] is not None:
            values["time_profile_id"] = cleaned["time_profile"].pk
        for name in cleaned["removed"]:
            column = "time_profile_id" if name == "time_profile" else name
            values[column] = "" if name in _TEXTS else None
        return values


def field_of(refusal: RateRefused) -> str | None:
    """The form's field for the column that was refused."""
    name = "time_profile" if refusal.column == "time_profile_id" else refusal.column
    return name if name in RateEditForm.base_fields else None
