"""Rating again in the console: what is chosen and why, and what was done so far."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import HttpResponse
from django.urls import path, reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from catalogue.models import RateTable
from catalogue.selectors import rate_tables
from cdr.models import Rerating, Source, SuspenseReason
from cdr.rules.suspense import LINE_REASONS
from cdr.selectors import reratings as selectors
from cdr.selectors.sources import sources
from cdr.services.rerating import EmptyPeriod, ask_for_rerating
from common import clock
from common.csv_files import Cell
from common.scope import Scope, Surface
from customers.models import Customer
from customers.selectors import customers
from resellers.models import Reseller, Vendor
from resellers.selectors import resellers, vendors
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.shared.actions import Action
from web.shared.filters import Filters, choice_filter, since_filter
from web.shared.form_fields import Form, InstantField
from web.shared.form_pages import FormPage, form_page
from web.shared.links import url_of
from web.shared.lists import Empty, list_page
from web.shared.tables import NUMBER, BadgeColumn, Column, InstantColumn, LinkColumn, NumberColumn
from web.shared.tables import Table as ListTable
from web.shared.writing import NONE, money_html

MOST_PREFIXES = 100
LONGEST_PREFIX = 15
LONGEST_REASON = 300


def rerating_url(
    *,
    started_from: datetime | None = None,
    started_to: datetime | None = None,
    rate_table_id: int | None = None,
    prefixes: Sequence[str] = (),
    suspense_reason: str = "",
    reason: str = "",
) -> str:
    """The page that begins a re-rating, with this filled in; its dry run tells what would change.

    Of more prefixes than it takes, none are chosen: what they do not concern stays as it is anyway.
    """
    chosen = {
        "started_from": started_from and f"{localtime(started_from):%Y-%m-%dT%H:%M}",
        "started_to": started_to and f"{localtime(started_to):%Y-%m-%dT%H:%M}",
        "rate_table": rate_table_id,
        "prefixes": ",".join(prefixes) if len(prefixes) <= MOST_PREFIXES else "",
        "suspense_reason": suspense_reason,
        "reason": reason,
    }
    query = urlencode({name: value for name, value in chosen.items() if value})
    return f"{reverse('console_rerating_create')}?{query}"


class DeltasColumn(Column):
    """What customers pay more or less, in every currency."""

    def render(self, value: list[dict[str, str]]) -> Any:
        amounts = ((money_html(Decimal(row["amount"]), row["currency"]),) for row in value)
        return format_html_join(SafeString("<br>"), "{}", amounts) or NONE

    def export_cells(self, record: Any, value: Any) -> list[Cell]:
        return ["; ".join(f"{row['amount']} {row['currency']}" for row in value)]


class ReratingTable(ListTable):
    pk = LinkColumn("Number")
    reason = Column("Why")
    state = BadgeColumn("State", accessor="get_state_display", value="state")
    created_at = InstantColumn("Asked for")
    created_by = Column("By")
    changed_xdr_count = NumberColumn("xDRs changed")
    customer_deltas = DeltasColumn("Customers pay", attrs=NUMBER)
    finished_at = InstantColumn("Finished")
    # In files only: the screen is narrow, and the page of each says them.
    applied_by = Column("Agreed to by", visible=False)
    xdr_count = NumberColumn("xDRs chosen", visible=False)


class ReratingFilters(Filters):
    searches = ("reason__icontains",)
    search_hint = "Why"

    state = choice_filter("State", "state", Rerating.State.choices)
    since = since_filter("Asked for since", "created_at", of_instants=True)


@page_of(Surface.CONSOLE, "usage.read")
def rerating_list(request: SurfaceRequest) -> HttpResponse:
    new = Action(
        "Rate again",
        reverse("console_rerating_create"),
        "arrow-path",
        needs="usage.write",
        is_main=True,
    )
    return list_page(
        request,
        title="Re-rating",
        lead="Usage rated again by the terms of today. Issued invoices stay as they are:"
        " differences go to the next.",
        rows=selectors.with_sums(selectors.reratings(request.scope)),
        table=ReratingTable,
        filters=ReratingFilters,
        name="re-ratings",
        actions=[new],
        empty=Empty(
            "Nothing was rated again yet",
            "After a rate, a trunk or a customer's number was corrected, a dry run tells what it"
            " would change.",
            new,
        ),
    )


class ReratingForm(Form):
    groups = (
        ("", ("reason", "started_from", "started_to")),
        (
            "Only these, if you say so",
            (
                "customer",
                "reseller",
                "vendor",
                "source",
                "rate_table",
                "prefixes",
                "suspense_reason",
            ),
        ),
    )

    reason = forms.CharField(
        label="Why",
        max_length=LONGEST_REASON,
        help_text="It is kept in the history and the audit log.",
    )
    started_from = InstantField(label="Started from")
    started_to = InstantField(label="Started before")
    customer = forms.IntegerField(
        label="Customer number", required=False, min_value=1, max_value=2**63 - 1
    )
    reseller = forms.ModelChoiceField(
        queryset=Reseller.objects.none(),
        required=False,
        empty_label="Any",
        help_text="Its customers' usage, that of all below it, and what it pays or earns a leg of.",
    )
    vendor = forms.ModelChoiceField(
        queryset=Vendor.objects.none(), required=False, empty_label="Any"
    )
    source = forms.ModelChoiceField(
        queryset=Source.objects.none(), required=False, empty_label="Any"
    )
    rate_table = forms.ModelChoiceField(
        queryset=RateTable.objects.none(),
        required=False,
        empty_label="Any",
        help_text="What was rated at it, or at a table that inherits from it, and what waits for a"
        " rate.",
    )
    prefixes = forms.CharField(
        required=False,
        max_length=1000,
        help_text="The number called starts with one of these, separated by commas: 44, 4930.",
    )
    suspense_reason = forms.ChoiceField(label="Waiting in suspense for", required=False)

    def __init__(self, *args: Any, scope: Scope, **options: Any) -> None:
        super().__init__(*args, **options)
        self.scope = scope
        choices: dict[str, Any] = {
            "reseller": resellers(scope),
            "vendor": vendors(scope),
            "source": sources(scope),
            "rate_table": rate_tables(scope),
        }
        for name, rows in choices.items():
            self.fields[name].queryset = rows  # type: ignore[attr-defined]
        if not scope.has_resellers:
            del self.fields["reseller"]
        waiting = [row for row in SuspenseReason.choices if row[0] not in LINE_REASONS]
        self.fields["suspense_reason"].choices = [("", "Any or none"), *waiting]  # type: ignore[attr-defined]

    def clean_customer(self) -> Customer | None:
        number: int | None = self.cleaned_data["customer"]
        if number is None:
            return None
        found = customers(self.scope).filter(number=number).first()
        if found is None:
            raise forms.ValidationError("There is no customer of this number.")
        return found

    def clean_prefixes(self) -> list[str]:
        found = [text for text in re.split(r"[\s,]+", self.cleaned_data["prefixes"]) if text]
        for text in found:
            if not re.fullmatch(rf"[0-9]{{1,{LONGEST_PREFIX}}}", text):
                raise forms.ValidationError(f"“{text}” is no prefix: write digits, such as 44.")
        if len(found) > MOST_PREFIXES:
            raise forms.ValidationError(f"Name {MOST_PREFIXES} prefixes at most, or none.")
        return found


@page_of(Surface.CONSOLE, "usage.write", FORM_METHODS)
def rerating_create(request: SurfaceRequest) -> HttpResponse:
    def save(form: ReratingForm) -> str:
        rerating = ask_for_rerating(
            provider_id=request.scope.provider_id,
            **form.cleaned_data,
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        return url_of(request.scope, rerating)

    page = FormPage(
        "Rate again",
        submit="Start the dry run",
        cancel_url=reverse("console_reratings"),
        lead="First a dry run tells what would change for whom. Nothing is changed before you agree"
        " to the amounts.",
    )
    return form_page(
        request,
        page,
        form=ReratingForm,
        save=save,
        fields_of={EmptyPeriod: "started_to"},
        initial=_asked_for(request),
        scope=request.scope,
    )


def _asked_for(request: SurfaceRequest) -> dict[str, object]:
    """What the address says; without a time, from the first of the month until now."""
    now = localtime(clock.now()).replace(second=0, microsecond=0) + timedelta(minutes=1)
    first = now.replace(day=1, hour=0, minute=0)
    named = {name: request.GET[name] for name in ReratingForm.base_fields if name in request.GET}
    return {"started_from": first, "started_to": now, **named}


urls = [
    path("usage/re-rating/", rerating_list, name="console_reratings"),
    path("usage/re-rating/new/", rerating_create, name="console_rerating_create"),
]
