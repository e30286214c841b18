"""Fields of forms, each with the widget that suits its kind of value."""

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar, TypeVar

from django import forms
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from common.currencies import is_currency
from common.money import minor_digits
from web.shared.writing import trimmed

_FIRST_YEAR, _LAST_YEAR = 1970, 2999
_DayT = TypeVar("_DayT", date, datetime)


class DateInput(forms.DateInput):
    """The browser's own calendar; it sends and expects ISO 8601."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")


class DateTimeInput(forms.DateTimeInput):
    """The browser's own calendar and clock, in the provider's time zone."""

    input_type = "datetime-local"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%dT%H:%M")


class Select(forms.Select):
    """A list of choices without groups, written at once: hundreds take a template 20 ms."""

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: object = None
    ) -> SafeString:
        widget = self.get_context(name, value, attrs)["widget"]
        options = format_html_join(
            "\n",
            '<option value="{}"{}>{}</option>',
            (
                (option["value"], flatatt(option["attrs"]), option["label"])
                for _, group, _ in widget["optgroups"]
                for option in group
            ),
        )
        return format_html(
            '<select name="{}"{}>{}</select>', name, flatatt(widget["attrs"]), options
        )


class DateField(forms.DateField):
    """A date that leaves room to reckon with: calendars end, and so do zones at their ends."""

    widget = DateInput

    def to_python(self, value: Any) -> date | None:
        return _within_calendar(super().to_python(value))


class InstantField(forms.DateTimeField):
    """A date and time in the provider's time zone; as a date, it leaves room to reckon with."""

    widget = DateTimeInput

    def to_python(self, value: Any) -> datetime | None:
        return _within_calendar(super().to_python(value))


def _within_calendar(day: _DayT | None) -> _DayT | None:
    if day is not None and not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise forms.ValidationError(f"Write a year from {_FIRST_YEAR} to {_LAST_YEAR}.")
    return day


class ExactField(forms.DecimalField):
    """A quantity, percentage or rate, as a text box: number boxes round and scroll.

    A stored value shows `shown_places` decimals at least, even where they are zeros.
    """

    shown_places = 0

    def __init__(self, *, decimal_places: int = 8, **options: Any) -> None:
        attrs = {"inputmode": "decimal", "class": "number", "autocomplete": "off"}
        # Ten before the point of a price, sixteen before that of an amount: as the tables have it.
        options.setdefault("max_digits", 18)
        super().__init__(
            decimal_places=decimal_places, **{"widget": forms.TextInput(attrs=attrs), **options}
        )

    def prepare_value(self, value: Any) -> Any:
        """What is stored without the zeros that its column fills up with; what was typed as is."""
        return trimmed(value, self.shown_places) if isinstance(value, Decimal) else value


class CountField(forms.IntegerField):
    """A whole number, of rows or units, that a column can keep."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_value": 2**31 - 1, **options})


class CsvField(forms.FileField):
    """A CSV file in UTF-8; its value is the text, empty where none was sent."""

    MOST_BYTES = 16 * 1024 * 1024

    def __init__(self, **options: Any) -> None:
        widget = forms.ClearableFileInput(attrs={"accept": ".csv"})
        messages = {"empty": "The file is empty."}
        super().__init__(**{"widget": widget, "error_messages": messages, **options})

    def clean(self, sent: Any, initial: Any = None) -> str:
        file = super().clean(sent, initial)
        if not file:
            return ""
        if not file.name.lower().endswith(".csv"):
            raise forms.ValidationError("Send a file that ends in .csv.")
        if file.size > self.MOST_BYTES:
            raise forms.ValidationError("It is larger than 16 MB: split it.")
        try:
            text: str = file.read().decode()
        except UnicodeDecodeError as error:
            raise forms.ValidationError("It is not UTF-8 text: save it as CSV UTF-8.") from error
        if "\0" in text:
            raise forms.ValidationError("It is no text: it holds null characters.")
        return text


class MoneyField(ExactField):
    """An amount of one currency, with no more decimals than it has."""

    def __init__(self, *, currency: str, **options: Any) -> None:
        options.setdefault("min_value", Decimal(0))
        super().__init__(decimal_places=minor_digits(currency), **options)
        self.currency = currency
        self.shown_places = minor_digits(currency)


class CurrencyField(forms.CharField):
    """A currency by its ISO 4217 code."""

    def __init__(self, **options: Any) -> None:
        attrs = {"class": "code", "autocapitalize": "characters"}
        options = {"label": "Currency", "max_length": 3, **options}
        super().__init__(widget=forms.TextInput(attrs=attrs), **options)

    def clean(self, value: Any) -> str:
        code = str(super().clean(value)).upper()
        if code and not is_currency(code):
            raise forms.ValidationError(
                "There is no such currency: write the three letters of its code, such as EUR."
            )
        return code


class CountryField(forms.CharField):
    """A country by its ISO 3166 code of two letters."""

    def __init__(self, **options: Any) -> None:
        attrs = {"class": "code", "autocapitalize": "characters"}
        options = {"label": "Country", "max_length": 2, **options}
        super().__init__(widget=forms.TextInput(attrs=attrs), **options)

    def clean(self, value: Any) -> str:
        code = str(super().clean(value)).upper()
        if code and not re.fullmatch(r"[A-Z]{2}", code):
            raise forms.ValidationError("Write the country as two letters, such as DE.")
        return code


class Form(forms.Form):
    """The base of every form. `groups` may put its fields below headings, in that order.

    A field that is named there and was taken out of the form is left out.
    """

    required_css_class = "required"
    groups: ClassVar[tuple[tuple[str, tuple[str, ...]], ...]] = ()

    @property
    def fieldsets(self) -> list[tuple[str, list[forms.BoundField]]]:
        """Headings with their fields; one without a heading where no groups are named."""
        if not self.groups:
            return [("", self.visible_fields())]
        named = [
            (title, [self[name] for name in names if name in self.fields])
            for title, names in self.groups
        ]
        rest = [
            field
            for field in self.visible_fields()
            if all(field.name not in names for _, names in self.groups)
        ]
        return [*named, ("", rest)] if rest else named
