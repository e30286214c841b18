"""What people and programs send that is not right, for whichever form there is."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.core.files.uploadedfile import SimpleUploadedFile
from django.forms.boundfield import BoundField

from web.shared.form_fields import CountryField, CurrencyField

NUL = "a\0b"
LONG = "x" * 5_000
MANY_DIGITS = "9" * 40
_NUMBERS = (forms.DecimalField, forms.IntegerField)
_DATES = (forms.DateField, forms.DateTimeField)
_CHOICES = (forms.ChoiceField, forms.ModelChoiceField)
_RIGHT: dict[type[forms.Field], str] = {
    forms.BooleanField: "on",
    forms.DecimalField: "1",
    forms.IntegerField: "1",
    forms.DateTimeField: "2026-12-01T12:00",
    forms.DateField: "2026-10-15",
    forms.EmailField: "somebody@example.com",
    CurrencyField: "EUR",
    CountryField: "DE",
    forms.CharField: "Text",
}
_RIGHT_BY_NAME = {"prefix": "49", "number": "493012345678"}


def plausible(field: BoundField) -> Any:
    """What somebody could send for a field: what it begins with, or something of its kind."""
    if field.initial not in (None, ""):
        value = field.value()
        return value if isinstance(value, list) else str(value)
    kind = field.field
    if isinstance(kind, _CHOICES):
        choices = [str(value) for value, _ in getattr(kind, "choices", ()) if str(value)]
        takes_many = isinstance(kind.widget, (forms.SelectMultiple, forms.CheckboxSelectMultiple))
        first: Any = choices[:1]
        return first if takes_many else "".join(first)
    if isinstance(kind, forms.FileField):
        return SimpleUploadedFile("sent.csv", b"prefix,rate\n49,0.1\n")
    right = next((text for known, text in _RIGHT.items() if isinstance(kind, known)), "")
    return _RIGHT_BY_NAME.get(field.name, right)[: getattr(kind, "max_length", None)]


def always_wrong(field: forms.Field) -> Iterator[Any]:
    """What no field of its kind may take."""
    if field.required and not isinstance(field, forms.BooleanField):
        yield ""
    match field:
        case forms.FileField():
            yield SimpleUploadedFile("empty.csv", b"")
        case forms.CharField() | forms.ChoiceField() | forms.ModelChoiceField():
            yield NUL
        case _:
            pass
    if isinstance(field, _NUMBERS):
        yield from ("garbage", "NaN", "1e30", MANY_DIGITS)
    if isinstance(field, _DATES):
        yield from ("garbage", "2026-02-30", "0001-01-01", "9999-12-31")
    if isinstance(field, _CHOICES):
        yield from ("garbage", MANY_DIGITS)
    if isinstance(field, forms.EmailField):
        yield "no address"
    if isinstance(field, forms.CharField) and field.max_length:
        yield LONG.ljust(field.max_length + 1, "x")


def perhaps_wrong(field: forms.Field) -> Iterator[Any]:
    """What only what the field means can tell to be wrong."""
    if isinstance(field, _NUMBERS):
        yield from ("-1", "0", "0.00000001", "999999999999")
    if isinstance(field, _DATES):
        at = "T00:00" if isinstance(field, forms.DateTimeField) else ""
        yield from (f"1970-01-02{at}", f"2999-12-30{at}")
    if isinstance(field, forms.CharField) and not field.max_length:
        yield LONG
    if isinstance(field, forms.FileField):
        yield SimpleUploadedFile("program.exe", b"MZ\0\0")
        yield SimpleUploadedFile("nul.csv", b"prefix,rate\n4\x009,0.1\n")
        yield SimpleUploadedFile(f"{'x' * 300}.csv", b"\xff\xfe,\n" * 10)


def is_shown_again(field: forms.Field, value: Any) -> bool:
    """Whether a page that refuses a value is to show it: no secret, no file, no other choice."""
    return (
        isinstance(value, str)
        and value not in ("", NUL)
        and not isinstance(field, (*_CHOICES, forms.FileField))
        and not isinstance(field.widget, (forms.PasswordInput, forms.HiddenInput))
    )
