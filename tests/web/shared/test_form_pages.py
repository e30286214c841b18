"""Forms and confirmations on pages made to try them."""

import re
from decimal import Decimal

import pytest
from django import forms
from django.http import HttpResponse
from django.test import Client
from django.urls import path
from pytest_django import Settings

from common.errors import DomainError
from common.scope import Surface
from config.urls import urlpatterns as real_urls
from tenancy.models import BillerEntity
from tests.factories import make_provider, make_staff
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.shared.form_fields import Form, MoneyField
from web.shared.form_pages import FormPage, Review, confirm_page, form_page

pytestmark = pytest.mark.django_db


class TooMuch(DomainError):
    """More than there is."""


class NoteForm(Form):
    note = forms.CharField(widget=forms.Textarea)
    amount = MoneyField(currency="EUR")


class Refused(DomainError):
    """Single fields are not to be kept."""


def pay(amount: Decimal) -> str:
    BillerEntity.objects.update(phone=str(amount))
    if amount == 13:
        raise Refused(
            "Amount: unlucky. Note: too.", by_field={"amount": "Unlucky.", "note": "Too."}
        )
    if amount == 14:
        raise Refused("Amount: odd. Phone: odd.", by_field={"amount": "Odd.", "phone": "Odd."})
    if amount > 100:
        raise TooMuch("There are only 100.00 EUR.")
    return "/console/"


@page_of(Surface.CONSOLE, methods=FORM_METHODS)
def note(request: SurfaceRequest) -> HttpResponse:
    return form_page(
        request,
        FormPage("Note", submit="Go on", cancel_url="/console/"),
        form=NoteForm,
        save=lambda form: pay(form.cleaned_data["amount"]),
        review=lambda form: Review("Sure?", facts=[("Amount", form.cleaned_data["amount"])]),
        fields_of={TooMuch: "amount"},
    )


@page_of(Surface.CONSOLE, methods=FORM_METHODS)
def confirm(request: SurfaceRequest) -> HttpResponse:
    return confirm_page(
        request,
        Review("Pay 250.00 EUR?", is_dangerous=True),
        confirm=lambda: pay(Decimal(250)),
        cancel_url="/console/",
    )


@page_of(Surface.CONSOLE, methods=FORM_METHODS)
def settle(request: SurfaceRequest) -> HttpResponse:
    owed = BillerEntity.objects.get().phone or "50"
    return confirm_page(
        request,
        Review("Settle?", rows=[("Owed", owed)]),
        confirm=lambda: pay(Decimal(0)),
        cancel_url="/console/",
    )


@page_of(Surface.CONSOLE, methods=FORM_METHODS)
def share(request: SurfaceRequest) -> HttpResponse:
    owed = BillerEntity.objects.get().phone or "50"
    return form_page(
        request,
        FormPage("Share", submit="Go on", cancel_url="/console/"),
        form=NoteForm,
        save=lambda form: pay(form.cleaned_data["amount"]),
        review=lambda form: Review("Sure?", rows=[("Owed", owed)]),
    )


urlpatterns = [
    *real_urls,
    path("note/", note),
    path("confirm/", confirm),
    path("settle/", settle),
    path("share/", share),
]


def stated(text: str) -> dict[str, str]:
    """What the button of a review sends."""
    hidden = dict(re.findall(r'name="(_stated|_once)" value="([0-9a-f]+)"', text))
    assert hidden.keys() == {"_stated", "_once"}
    return {"_confirmed": "1", **hidden}


@pytest.fixture
def staff(client: Client, settings: Settings) -> Client:
    settings.ROOT_URLCONF = __name__
    client.force_login(make_staff(make_provider()))
    return client


def phone() -> str:
    return BillerEntity.objects.get().phone


class TestAFormPage:
    def test_puts_a_refusal_to_the_fields_it_names(self, staff: Client) -> None:
        response = staff.post("/note/", {"note": "a", "amount": "13", "_confirmed": ""})

        assert response.status_code == 422
        assert response.context["form"].errors == {"amount": ["Unlucky."], "note": ["Too."]}
        assert phone() != "13"

    def test_tells_a_refusal_of_a_field_it_lacks_for_all(self, staff: Client) -> None:
        response = staff.post("/note/", {"note": "a", "amount": "14", "_confirmed": ""})

        assert response.context["form"].errors == {"__all__": ["Amount: odd. Phone: odd."]}

    def test_is_reviewed_before_it_is_saved(self, staff: Client) -> None:
        sent = {"note": "a\r\nb <i>", "amount": "99.50"}

        response = staff.post("/note/", sent)

        text = response.content.decode()
        assert "<dd>99.50</dd>" in text
        assert 'value="a\r\nb &lt;i&gt;"' in text
        assert phone() == ""
        assert staff.post("/note/", {**sent, "_confirmed": "1"}).status_code == 302
        assert phone() == "99.50"

    def test_shows_a_refusal_at_the_field_and_takes_back_what_was_written(
        self, staff: Client
    ) -> None:
        response = staff.post("/note/", {"note": "kept", "amount": "101", "_confirmed": "1"})

        text = response.content.decode()
        assert response.status_code == 422
        assert "There are only 100.00 EUR." in text
        assert 'id="id_amount_error"' in text
        assert "kept</textarea>" in text
        assert phone() == ""

    @pytest.mark.parametrize("amount", ["1.005", "-1", "1e3x", "", "NaN", "1,5"])
    def test_refuses_what_is_no_amount_of_the_currency(self, staff: Client, amount: str) -> None:
        response = staff.post("/note/", {"note": "x", "amount": amount, "_confirmed": "1"})

        assert response.status_code == 422
        assert phone() == ""

    def test_is_saved_as_reviewed_or_reviewed_again(self, staff: Client) -> None:
        sent = {"note": "a", "amount": "7"}
        agreed = stated(staff.post("/share/", sent).content.decode())
        BillerEntity.objects.update(phone="60")

        response = staff.post("/share/", {**sent, **agreed})

        text = response.content.decode()
        assert response.status_code == 422
        assert "This has changed since you saw it" in text
        assert 'name="amount" value="7"' in text
        assert phone() == "60"
        assert staff.post("/share/", {**sent, **stated(text)}).status_code == 302
        assert phone() == "7"

    def test_is_saved_once_however_often_its_review_is_sent(self, staff: Client) -> None:
        sent = {"note": "a", "amount": "99.50"}
        agreed = stated(staff.post("/note/", sent).content.decode())
        staff.post("/note/", {**sent, **agreed})
        BillerEntity.objects.update(phone="")

        again = staff.post("/note/", {**sent, **agreed})

        text = again.content.decode()
        assert again.status_code == 422
        assert "You have sent this already" in text
        assert phone() == ""
        assert staff.post("/note/", {**sent, **stated(text)}).status_code == 302
        assert phone() == "99.50"


class TestAConfirmPage:
    def test_does_only_what_was_agreed_to(self, staff: Client) -> None:
        agreed = stated(staff.get("/settle/").content.decode())
        BillerEntity.objects.update(phone="60")

        response = staff.post("/settle/", agreed)

        text = response.content.decode()
        assert response.status_code == 422
        assert "This has changed since you saw it" in text
        assert phone() == "60"
        assert staff.post("/settle/", stated(text)).status_code == 302
        assert phone() == "0"

    def test_asks_first(self, staff: Client) -> None:
        assert "Pay 250.00 EUR?" in staff.get("/confirm/").content.decode()
        assert "Pay 250.00 EUR?" in staff.post("/confirm/").content.decode()
        assert phone() == ""

    def test_shows_a_refusal_above_what_was_asked(self, staff: Client) -> None:
        response = staff.post("/confirm/", {"_confirmed": "1"})

        text = response.content.decode()
        assert response.status_code == 422
        assert text.index("There are only 100.00 EUR.") < text.index("_confirmed")
        assert phone() == ""
