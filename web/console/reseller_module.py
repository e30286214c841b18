"""The switch of the reseller module in the console, and the code for sign-ups that give none."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse

from common import clock
from common.scope import Surface
from resellers import selectors
from resellers.models import ResellerCode
from resellers.services.module import DefaultCodeRefused, ModuleSettings, change_module
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.shared.actions import Action, allowed
from web.shared.form_fields import Form
from web.shared.form_pages import FormPage, Review, form_page

MODULE = "console_reseller_module"


@page_of(Surface.CONSOLE, "settings.read")
def module_show(request: SurfaceRequest) -> HttpResponse:
    edit = Action(
        "Change", reverse("console_reseller_module_edit"), "pencil-square", needs="settings.write"
    )
    context = {
        "module": selectors.module(request.scope),
        "actions": allowed(request.scope, [edit]),
    }
    return render(request, "console/settings/reseller_module_show.html", context)


class ModuleForm(Form):
    is_enabled = forms.BooleanField(
        label="Sell through resellers",
        required=False,
        help_text="Off: no menu, no pages, no portal, and sign-up asks for no code. Customers keep"
        " their tags.",
    )
    default_code = forms.ModelChoiceField(
        queryset=ResellerCode.objects.none(),
        required=False,
        empty_label="None: such sign-ups belong to you",
        help_text="For sign-ups that give no code: a published code, without an expiry, of an"
        " active reseller.",
    )
    commission_after_disabling = forms.BooleanField(
        label="Disabled resellers go on earning",
        required=False,
        help_text="Commission on customers they brought, after they were disabled.",
    )

    def __init__(self, *args: Any, codes: QuerySet[ResellerCode], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["default_code"].queryset = codes  # type: ignore[attr-defined]
        self.fields["default_code"].label_from_instance = (  # type: ignore[attr-defined]
            lambda code: f"{code} ({code.reseller})"
        )


@page_of(Surface.CONSOLE, "settings.write", FORM_METHODS)
def module_edit(request: SurfaceRequest) -> HttpResponse:
    module = selectors.module(request.scope)

    def save(form: ModuleForm) -> str:
        given = form.cleaned_data
        change_module(
            provider_id=request.scope.provider_id,
            settings=ModuleSettings(
                is_enabled=given["is_enabled"],
                default_code_id=given["default_code"] and given["default_code"].pk,
                commission_after_disabling=given["commission_after_disabling"],
            ),
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(request, "The reseller module was saved.")
        return reverse(MODULE)

    page = FormPage("Change the reseller module", submit="Continue", cancel_url=reverse(MODULE))
    return form_page(
        request,
        page,
        form=ModuleForm,
        save=save,
        review=_review,
        fields_of={DefaultCodeRefused: "default_code"},
        codes=selectors.possible_default_codes(request.scope),
        initial={
            "is_enabled": module.is_enabled,
            "default_code": module.default_code_id,
            "commission_after_disabling": module.commission_after_disabling,
        },
    )


def _review(form: ModuleForm) -> Review:
    given = form.cleaned_data
    is_on = given["is_enabled"]
    return Review(
        title="Sell through resellers?" if is_on else "Switch the reseller module off?",
        lead="Sign-up asks for a reseller code, and resellers have their portal."
        if is_on
        else "Reseller pages and the portal are gone until it is on again. Customers keep their"
        " tags and are billed as before.",
        facts=[
            ("Resellers", "on" if is_on else "off"),
            ("Default code", given["default_code"] or "none: such sign-ups belong to you"),
            (
                "Disabled resellers",
                "go on earning" if given["commission_after_disabling"] else "earn nothing more",
            ),
        ],
        submit="Save" if is_on else "Switch off",
        is_dangerous=not is_on,
    )


urls = [
    path("settings/resellers/", module_show, name=MODULE),
    path("settings/resellers/edit/", module_edit, name="console_reseller_module_edit"),
]
