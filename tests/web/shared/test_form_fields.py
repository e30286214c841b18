"""Widgets of forms, and what they show of a stored value."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from django import forms
from django.db.models.fields import BLANK_CHOICE_DASH
from django.test.html import parse_html
from django.urls import get_resolver

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


class GroupedForm(Form):
    groups = (("Which", ("number", "owner")),)

    number = forms.IntegerField()
    owner = forms.CharField()


def forms_of_pages(base: type[Form] = Form) -> Iterator[type[Form]]:
    for form in base.__subclasses__():
        yield form
        yield from forms_of_pages(form)


class TestAForm:
    def test_leaves_out_of_its_groups_what_was_taken_out_of_it(self) -> None:
        form = GroupedForm()
        del form.fields["owner"]

        assert [(title, [one.name for one in found]) for title, found in form.fieldsets] == [
            ("Which", ["number"])
        ]

    def test_of_every_page_says_in_words_what_a_row_not_chosen_means(self) -> None:
        assert get_resolver().url_patterns  # all pages are imported
        [(_, dashes)] = BLANK_CHOICE_DASH

        wordless = {
            f"{form.__module__}.{form.__name__}.{name}"
            for form in forms_of_pages()
            for name, field in form.base_fields.items()
            if isinstance(field, forms.ModelChoiceField) and field.empty_label == dashes
        }

        assert wordless == set()
