"""Widgets of forms."""

import pytest
from django import forms
from django.test.html import parse_html

from web.shared.form_fields import Select

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
