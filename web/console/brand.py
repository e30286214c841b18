"""The provider's looks in the console, as customers and resellers see them."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse

from billing.services.brand import PAPER, AccentRefused, change_brand
from common import clock
from common.colours import DARK_GROUND, LIGHT_GROUND, Accent, accent_on, contrast
from common.scope import Surface
from tenancy.rules.logos import MOST_BYTES, LogoRefused
from tenancy.selectors import default_biller_entity
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.shared.actions import Action, allowed
from web.shared.form_fields import Form
from web.shared.form_pages import FormPage, form_page

BRAND = "console_brand"


@dataclass(frozen=True)
class Preview:
    """How pages look in a theme: their colours, and the accent made readable there."""

    theme: str
    surface: str
    text: str
    accent: Accent

    @property
    def text_contrast(self) -> str:
        return f"{contrast(self.accent.colour, self.surface):.1f}"


@page_of(Surface.CONSOLE, "settings.read")
def brand_show(request: SurfaceRequest) -> HttpResponse:
    colour = default_biller_entity(request.scope).accent_colour
    edit = Action("Change", reverse("console_brand_edit"), "pencil-square", needs="settings.write")
    context = {
        "colour": colour,
        "paper_contrast": f"{contrast(PAPER, colour):.1f}",
        # The surfaces and texts of static/css/tollgate.css.
        "previews": [
            Preview("Light", "#ffffff", "#131c33", accent_on(LIGHT_GROUND, colour)),
            Preview("Dark", "#151d30", "#e8ecf8", accent_on(DARK_GROUND, colour)),
        ],
        "actions": allowed(request.scope, [edit]),
    }
    return render(request, "console/settings/brand_show.html", context)


class BrandForm(Form):
    accent_colour = forms.CharField(
        max_length=7,
        widget=forms.TextInput({"type": "color"}),
        help_text="Of buttons, links and documents. White text must be readable on it.",
    )
    logo = forms.FileField(
        required=False,
        widget=forms.FileInput({"accept": "image/png,image/jpeg,image/webp"}),
        help_text=f"PNG, JPEG or WebP, up to {MOST_BYTES // 1024**2} MB. Empty: as it is.",
    )
    removes_logo = forms.BooleanField(label="Remove the logo", required=False)

    def __init__(self, *args: Any, has_logo: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        if not has_logo:
            del self.fields["removes_logo"]

    @property
    def picture(self) -> bytes | None:
        """What was uploaded; one byte more than is taken tells that it is too large."""
        upload: UploadedFile | None = self.cleaned_data["logo"]
        return None if upload is None else upload.read(MOST_BYTES + 1)


@page_of(Surface.CONSOLE, "settings.write", FORM_METHODS)
def brand_edit(request: SurfaceRequest) -> HttpResponse:
    def save(form: BrandForm) -> str:
        change_brand(
            provider_id=request.scope.provider_id,
            accent_colour=form.cleaned_data["accent_colour"],
            picture=form.picture,
            removes_logo=form.cleaned_data.get("removes_logo", False),
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(request, "The brand was saved. Pages show it within minutes.")
        return reverse(BRAND)

    page = FormPage(
        "Change the brand",
        submit="Save",
        cancel_url=reverse(BRAND),
        lead="Customers and resellers see it, and documents from now on.",
    )
    return form_page(
        request,
        page,
        form=BrandForm,
        save=save,
        fields_of={AccentRefused: "accent_colour", LogoRefused: "logo"},
        has_logo=bool(request.provider.logo_sha256),
        initial={"accent_colour": default_biller_entity(request.scope).accent_colour},
    )


urls = [
    path("settings/brand/", brand_show, name=BRAND),
    path("settings/brand/edit/", brand_edit, name="console_brand_edit"),
]
