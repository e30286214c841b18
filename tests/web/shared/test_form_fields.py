"""Widgets of forms, and what they show of a stored value."""

from decimal import Decimal

import pytest
from django import forms
from django.test.html import parse_html

from web.shared.form_fields import ExactField, Form, MoneyField, Select

CHOICES = [("", "Any"), ("a", "Ann & Bea"), ('"', "<b>")]


class Asked(forms.Form):
    one = forms.ChoiceField(choices=CHOICES, required=False, widget=Select(attrs={"class": "wide"}))


class AskedByTemplate(forms.Form):
    one = forms.ChoiceField(
        choices=CHOICES, required=False, widget=forms.Select(attrs={"class": "wide"})
    )


class TestSelect:
    @pytest.mark.parametrize("sent", [{}, {"one": ""}, {"one": "a"}, {"one": '"'}, {"one": "odd"}])
    def test_is_what_the_template_of_django_makes(self, sent: dict[str, str]) -> None:
        ours, theirs = Asked(sent)["one"], AskedByTemplate(sent)["one"]

        assert parse_html(str(ours)) == parse_html(str(theirs))


class PriceForm(Form):
    price = ExactField()
    amount = MoneyField(currency="EUR")


class TestAStoredValue:
    @pytest.mark.parametrize(
        ("stored", "shown"),
        [("19.0000", "19"), ("0.01250000", "0.0125"), ("100", "100"), ("-1.50000000", "-1.5")],
    )
    def test_is_without_the_zeros_of_its_column(self, stored: str, shown: str) -> None:
        form = PriceForm(initial={"price": Decimal(stored)})

        assert form["price"].value() == shown

    def test_keeps_the_decimals_of_its_currency(self) -> None:
        form = PriceForm(initial={"amount": Decimal("12.50000000")})

        assert form["amount"].value() == "12.50"

    def test_is_as_typed_once_it_was(self) -> None:
        form = PriceForm({"price": "19.0000"}, initial={"price": Decimal("7.0000")})

        assert form["price"].value() == "19.0000"
