"""Templates of rate files: how the files of vendors are laid out."""

from django.contrib import messages
from django.http import HttpResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from catalogue.models import RateFileTemplate
from catalogue.selectors.rate_imports import rate_file_templates
from catalogue.services.rate_file_templates import delete_template
from common import clock
from common.scope import Surface
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.shared.filters import Filters
from web.shared.form_pages import Review, confirm_page
from web.shared.lists import Empty, list_page
from web.shared.tables import Column, InstantColumn, Table


class RateFileTemplateTable(Table):
    name = Column("Template")
    columns = Column("Columns", accessor="layout__columns")
    created_at = InstantColumn("Kept")
    delete = Column("", accessor="pk", exclude_from_export=True)

    def render_delete(self, value: int) -> SafeString:
        url = reverse("console_rate_file_template_delete", kwargs={"template_id": value})
        return format_html('<a href="{}">Delete</a>', url)

    def render_columns(self, value: dict[str, str]) -> str:
        return ", ".join(value.values())


class RateFileTemplateFilters(Filters):
    searches = ("name__icontains",)
    search_hint = "Name of the template"


@page_of(Surface.CONSOLE, "catalogue.read")
def rate_file_template_list(request: SurfaceRequest) -> HttpResponse:
    return list_page(
        request,
        title="Templates of rate files",
        lead="How the files of your vendors are laid out. Keep one while you import a file.",
        rows=rate_file_templates(request.scope),
        table=RateFileTemplateTable,
        filters=RateFileTemplateFilters,
        name="rate-file-templates",
        empty=Empty("No templates yet", "Name one when you say what the columns of a file mean."),
        template="console/rates/rate_file_template_list.html",
    )


@page_of(Surface.CONSOLE, "catalogue.write", FORM_METHODS)
def rate_file_template_delete(request: SurfaceRequest, template_id: int) -> HttpResponse:
    template: RateFileTemplate = rate_file_templates(request.scope).get(pk=template_id)
    url = reverse("console_rate_file_templates")

    def confirm() -> str:
        delete_template(template=template, at=clock.now(), actor_id=request.scope.user_id)
        messages.success(request, f"The template {template} is gone.")
        return url

    review = Review(
        title=f"Delete the template {template}?",
        lead="Imports that were made with it stay as they are.",
        submit="Delete",
        is_dangerous=True,
    )
    return confirm_page(request, review, confirm=confirm, cancel_url=url)


urls = [
    path("rate-file-templates/", rate_file_template_list, name="console_rate_file_templates"),
    path(
        "rate-file-templates/<int:template_id>/delete/",
        rate_file_template_delete,
        name="console_rate_file_template_delete",
    ),
]
