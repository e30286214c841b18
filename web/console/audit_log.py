"""The audit log in the console: who did what to what, and when."""

from collections.abc import Sequence
from operator import itemgetter

from django.apps import apps
from django.http import HttpResponse
from django.urls import path
from django.utils.html import format_html
from django.utils.safestring import SafeString

from audit.models import Entry
from audit.selectors import actions, entries, object_types
from common.csv_files import Cell
from common.scope import Scope, Surface
from web.access import SurfaceRequest, page_of
from web.console.history import HistoryTable, action_name
from web.shared.filters import Filters, choice_filter, since_filter, text_filter, until_filter
from web.shared.links import url_of_recorded
from web.shared.lists import Empty, list_page
from web.shared.tables import Column

# What somebody must be allowed to read for entries about it to be shown, by model or else by app;
# of all others the settings, whose page this is.
_NEEDS = {
    "customers": "customers.read",
    "customers.signupsettings": "settings.read",
    "customers.signupterms": "settings.read",
    "resellers": "resellers.read",
    "catalogue": "catalogue.read",
    "subscriptions": "subscriptions.read",
    "subscriptions.charge": "invoices.read",
    "cdr": "usage.read",
    "billing.invoice": "invoices.read",
    "billing.creditnote": "money.read",
    "billing.billrun": "money.read",
    "payments": "money.read",
    "payouts": "payouts.read",
}


def type_name(object_type: str) -> str:
    """`tenancy.billerentity` as `Biller entity`; as it is, where the model is gone."""
    try:
        name = str(apps.get_model(object_type)._meta.verbose_name)
    except LookupError:
        return object_type
    return name[:1].upper() + name[1:]


class ObjectColumn(Column):
    """What an entry is about, leading to its page where it has one."""

    def render(self, record: Entry) -> SafeString:
        name = f"{type_name(record.object_type)} {record.object_id}"
        url = url_of_recorded(Surface.CONSOLE, record.object_type, record.object_id)
        return format_html('<a href="{}">{}</a>', url, name) if url else format_html("{}", name)

    def export_headings(self, heading: str) -> list[str]:
        return [heading, "Number"]

    def export_cells(self, record: Entry, value: object) -> list[Cell]:
        return [type_name(record.object_type), record.object_id]


class AuditTable(HistoryTable):
    about = ObjectColumn("About", accessor="object_id")

    class Meta:
        sequence = ("at", "actor", "action", "about", "changes")


def _is_readable(scope: Scope, object_type: str) -> bool:
    app = object_type.partition(".")[0]
    return _NEEDS.get(object_type, _NEEDS.get(app, "settings.read")) in scope.permissions


def _filters(scope: Scope, readable: Sequence[str]) -> type[Filters]:
    """Filters with what there is to choose; equality, as only that finds its index."""
    kinds = [(object_type, type_name(object_type)) for object_type in readable]

    class AuditFilters(Filters):
        searches = ("object_id__exact",)
        search_hint = "Number of what it is about"

        who = text_filter("Who (e-mail)", "actor__email__istartswith")
        what = choice_filter(
            "What",
            "action",
            [
                (name, action_name(name))
                for name, object_type in actions(scope).items()
                if object_type in readable
            ],
        )
        about = choice_filter("About", "object_type", sorted(kinds, key=itemgetter(1)))
        since = since_filter("Since", "at", of_instants=True)
        until = until_filter("Until", "at", of_instants=True)

    return AuditFilters


@page_of(Surface.CONSOLE, "settings.read")
def audit_log(request: SurfaceRequest) -> HttpResponse:
    """Of everything for who reads everything; entries hold amounts, of which others see none."""
    recorded = object_types(request.scope)
    readable = [name for name in recorded if _is_readable(request.scope, name)]
    rows = entries(request.scope)
    return list_page(
        request,
        title="Audit log",
        lead="Who did what to what, as far as you may read it. Nobody can change or remove an"
        " entry.",
        rows=rows if readable == recorded else rows.filter(object_type__in=readable),
        table=AuditTable,
        filters=_filters(request.scope, readable),
        name="audit-log",
        empty=Empty("Nothing was recorded yet", "Every change appears here with who made it."),
    )


urls = [path("settings/audit-log/", audit_log, name="console_audit_log")]
