"""A reseller's codes in the console."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Case, F, QuerySet, Value, When
from django.db.models.functions import Concat
from django.http import HttpResponse
from django.urls import path, reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from common import clock
from resellers import selectors
from resellers.models import Reseller, ResellerCode
from resellers.services.codes import (
    CodeRefused,
    CodeTaken,
    DefaultCodeExpires,
    change_code_expiry,
    create_code,
    publish_code,
)
from web.access import FORM_METHODS, SurfaceRequest
from web.console.reseller_pages import TAB, address, find, frame, reseller_page
from web.console.steps import Step, StepsColumn
from web.shared.actions import Action
from web.shared.form_fields import Form, InstantField
from web.shared.form_pages import FormPage, Review, confirm_page, form_page
from web.shared.lists import Empty, list_page
from web.shared.tables import Column, InstantColumn, Table

CODES = "console_reseller_codes"


class CodeTable(Table):
    code = Column("Code")
    campaign = Column("Campaign")
    published_at = InstantColumn("Published", default="draft")
    expires_at = InstantColumn("Expires", default="never")
    sign_up_url = Column("Sign-up link", default="once published")

    def render_sign_up_url(self, value: str) -> SafeString:
        return format_html("<code>{}</code>", value)


def _steps(code: ResellerCode) -> list[Step]:
    steps = [("Expiry", _of_code("console_reseller_code_expiry", code))]
    if code.published_at is None:
        steps.insert(0, ("Publish", _of_code("console_reseller_code_publish", code)))
    return steps


def _of_code(url_name: str, code: ResellerCode) -> str:
    return reverse(url_name, kwargs={"reseller_id": code.reseller_id, "code_id": code.pk})


class ChangeableCodeTable(CodeTable):
    steps = StepsColumn(_steps)


def _sign_up_address(request: SurfaceRequest) -> str:
    """What a code's sign-up link begins with; the code, plain as it is, ends it."""
    page = reverse("sign_up", kwargs={"provider_slug": request.provider.slug})
    return request.build_absolute_uri(f"{page}?code=")


def _codes(request: SurfaceRequest, reseller: Reseller) -> QuerySet[Any]:
    link = Concat(Value(_sign_up_address(request)), F("code"))
    rows = selectors.codes(request.scope, reseller)
    return rows.annotate(sign_up_url=Case(When(published_at__isnull=False, then=link)))


@reseller_page("resellers.read")
def reseller_codes(request: SurfaceRequest, reseller_id: int) -> HttpResponse:
    reseller = find(request.scope, reseller_id)
    may_change = "resellers.write" in request.scope.permissions
    add = Action(
        "Add code",
        address("console_reseller_code_create", reseller),
        "plus",
        needs="resellers.write",
        is_main=True,
    )
    return list_page(
        request,
        title=f"Codes of {reseller}",
        rows=_codes(request, reseller),
        table=ChangeableCodeTable if may_change else CodeTable,
        name=f"codes-of-reseller-{reseller.number}",
        empty=Empty(
            "No codes yet", "A code at sign-up tags the customer with this reseller.", action=add
        ),
        template=TAB,
        context=frame(request, reseller, add),
    )


class CodeForm(Form):
    code = forms.CharField(
        max_length=40, help_text="Letters, digits, hyphens and underscores; case does not matter."
    )
    campaign = forms.CharField(max_length=100, required=False)
    expires_at = InstantField(label="Expires", required=False, help_text="Empty: never.")


@reseller_page("resellers.write", FORM_METHODS)
def reseller_code_create(request: SurfaceRequest, reseller_id: int) -> HttpResponse:
    reseller = find(request.scope, reseller_id)

    def save(form: CodeForm) -> str:
        code = create_code(
            reseller=reseller,
            **form.cleaned_data,
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(request, f"{code} was drafted; sign-ups accept it once it is published.")
        return address(CODES, reseller)

    page = FormPage(
        f"Add a code of {reseller}", submit="Add code", cancel_url=address(CODES, reseller)
    )
    fields_of = {CodeRefused: "code", CodeTaken: "code"}
    return form_page(request, page, form=CodeForm, save=save, fields_of=fields_of)


@reseller_page("resellers.write", FORM_METHODS)
def reseller_code_publish(request: SurfaceRequest, reseller_id: int, code_id: int) -> HttpResponse:
    reseller = find(request.scope, reseller_id)
    code = selectors.codes(request.scope, reseller).get(pk=code_id)

    def confirm() -> str:
        publish_code(code=code, at=clock.now(), actor_id=request.scope.user_id)
        messages.success(request, f"{code} is published.")
        return address(CODES, reseller)

    review = Review(
        title=f"Publish {code}?",
        lead="From now on customers can sign up with it, and it never changes again.",
        facts=[
            ("Code", code.code),
            ("Campaign", code.campaign),
            (
                "Expires",
                code.expires_at and date_format(localtime(code.expires_at), "DATETIME_FORMAT"),
            ),
            ("Sign-up link", f"{_sign_up_address(request)}{code}"),
        ],
        submit="Publish",
    )
    return confirm_page(request, review, confirm=confirm, cancel_url=address(CODES, reseller))


class ExpiryForm(Form):
    expires_at = InstantField(
        label="Expires",
        required=False,
        help_text="Sign-ups refuse the code from then on. Empty: never.",
    )


@reseller_page("resellers.write", FORM_METHODS)
def reseller_code_expiry(request: SurfaceRequest, reseller_id: int, code_id: int) -> HttpResponse:
    reseller = find(request.scope, reseller_id)
    code = selectors.codes(request.scope, reseller).get(pk=code_id)

    def save(form: ExpiryForm) -> str:
        change_code_expiry(
            code=code,
            expires_at=form.cleaned_data["expires_at"],
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(request, f"The expiry of {code} was saved.")
        return address(CODES, reseller)

    page = FormPage(f"Expiry of {code}", submit="Save", cancel_url=address(CODES, reseller))
    return form_page(
        request,
        page,
        form=ExpiryForm,
        save=save,
        fields_of={DefaultCodeExpires: "expires_at"},
        initial={"expires_at": code.expires_at},
    )


urls = [
    path("resellers/<int:reseller_id>/codes/", reseller_codes, name=CODES),
    path(
        "resellers/<int:reseller_id>/codes/new/",
        reseller_code_create,
        name="console_reseller_code_create",
    ),
    path(
        "resellers/<int:reseller_id>/codes/<int:code_id>/publish/",
        reseller_code_publish,
        name="console_reseller_code_publish",
    ),
    path(
        "resellers/<int:reseller_id>/codes/<int:code_id>/expiry/",
        reseller_code_expiry,
        name="console_reseller_code_expiry",
    ),
]
