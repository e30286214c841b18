"""Time profiles in the console: the hours that rates are for, as a week."""

import re
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.urls import path, reverse

from catalogue.models import Rate, TimeProfile
from catalogue.rules.time_profiles import (
    MINUTES_OF_DAY,
    WEEKDAYS,
    HoursOfDays,
    TimeProfileNotUnderstood,
    clock_text,
    days_text,
    hours_text,
    in_order,
    parse_time_profile,
)
from catalogue.selectors.time_profiles import (
    rates_of_profile,
    tables_of_profile,
    time_profile,
    time_profiles,
)
from catalogue.services.time_profiles import (
    TimeProfileNameTaken,
    change_time_profile,
    create_time_profile,
    delete_time_profile,
)
from common import clock
from common.scope import Surface
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.shared.actions import Action
from web.shared.filters import Filters, text_filter
from web.shared.form_fields import CountField, Form
from web.shared.form_pages import FormPage, Review, confirm_page, form_page
from web.shared.lists import Empty, list_page
from web.shared.tables import Column, InstantColumn, LinkColumn, MoneyColumn, NumberColumn, Table
from web.shared.weeks import week_picture

READ, WRITE = "catalogue.read", "catalogue.write"
SPARE_ROWS, MOST_ROWS = 3, 60


class TimeProfileTable(Table):
    name = LinkColumn("Time profile")
    ranges = Column("Hours")
    weight = NumberColumn("Weight")


class TimeProfileFilters(Filters):
    searches = ("name__icontains",)
    search_hint = "Name"


@page_of(Surface.CONSOLE, READ)
def time_profile_list(request: SurfaceRequest) -> HttpResponse:
    add = Action(
        "Add time profile",
        reverse("console_time_profile_create"),
        "plus",
        needs=WRITE,
        is_main=True,
    )
    return list_page(
        request,
        title="Time profiles",
        lead="The hours that rates are for, in the time zone of their table.",
        rows=time_profiles(request.scope),
        table=TimeProfileTable,
        filters=TimeProfileFilters,
        name="time-profiles",
        actions=[add],
        empty=Empty("No time profiles yet", "Peak hours, weekends and holidays go here.", add),
    )


class ProfileRateTable(Table):
    rate_table = LinkColumn("Rate table", to="rate_table")
    prefix = LinkColumn("Prefix", empty_values=(None,))
    destination = Column("Destination")
    rate = MoneyColumn("Rate", currency="rate_table__currency", is_exact=True)
    effective_from = InstantColumn("From")

    def render_prefix(self, record: Rate, value: str) -> Any:
        return self.base_columns["prefix"].render(record, value or "any number", self)


class ProfileRateFilters(Filters):
    prefix = text_filter("Prefix", "prefix__startswith")


@page_of(Surface.CONSOLE, READ)
def time_profile_show(request: SurfaceRequest, profile_id: int) -> HttpResponse:
    """The week, the tables, and as a list the rates that are for it."""
    profile = time_profile(request.scope, profile_id)
    of_profile = {"profile_id": profile.pk}
    tables = tables_of_profile(request.scope, profile)
    change = Action(
        "Change",
        reverse("console_time_profile_change", kwargs=of_profile),
        "pencil-square",
        needs=WRITE,
    )
    delete = Action(
        "Delete", reverse("console_time_profile_delete", kwargs=of_profile), "trash", needs=WRITE
    )
    ranges = in_order(parse_time_profile(profile.ranges).ranges)
    return list_page(
        request,
        title=profile.name,
        rows=rates_of_profile(request.scope, profile),
        table=ProfileRateTable,
        filters=ProfileRateFilters,
        name=f"time-profile-{profile.pk}",
        actions=[change] if tables else [delete, change],
        empty=Empty("No rate is for these hours", "Rates name them when added or imported."),
        template="console/rates/time_profile_show.html",
        context={
            "profile": profile,
            "hours": [(days_text(each), hours_text(each)) for each in ranges],
            "week": week_picture(ranges),
            "tables": tables,
        },
    )


class ClockField(forms.CharField):
    """A time of day, as 08:30; the last is 24:00. Its value is the minute of the day."""

    def __init__(self, *, label: str, whole_day: int) -> None:
        attrs = {"placeholder": clock_text(whole_day), "autocomplete": "off"}
        super().__init__(
            label=label, max_length=5, required=False, widget=forms.TextInput(attrs=attrs)
        )
        self.whole_day = whole_day

    def clean(self, value: Any) -> int:
        text = super().clean(value)
        if not text:
            return self.whole_day
        found = re.fullmatch(r"([0-9]{1,2}):([0-5][0-9])", text)
        if found is None or (minute := int(found[1]) * 60 + int(found[2])) > MINUTES_OF_DAY:
            raise forms.ValidationError("Write a time as 08:30, the end of the day as 24:00.")
        return minute


class DaysField(forms.CharField):
    """Calendar days, of every year as 12-25 or of one as 2026-04-06."""

    def clean(self, value: Any) -> list[str]:
        days: list[str] = re.split(r"[\s,;]+", super().clean(value))
        for day in filter(None, days):
            if not re.fullmatch(r"[0-9-]+", day):
                raise forms.ValidationError(f"'{day}': write days as 12-25 or 2026-04-06.")
            try:
                parse_time_profile(f"{day} 00:00-24:00")
            except TimeProfileNotUnderstood as error:
                raise forms.ValidationError(f"{error}.") from error
        return [day for day in days if day]


class TimeProfileForm(Form):
    """A name, a weight, and as many rows of days and hours as there are, with some to spare."""

    name = forms.CharField(max_length=100)
    weight = CountField(
        min_value=0,
        initial=0,
        help_text="Of two profiles that hold, the heavier counts; such as 20 for holidays.",
    )

    def __init__(self, *args: Any, rows: int, **options: Any) -> None:
        super().__init__(*args, **options)
        self.rows = range(1, rows + 1)
        for row in self.rows:
            self.fields[f"weekdays_{row}"] = forms.MultipleChoiceField(
                label="Weekdays",
                choices=[(day, day) for day in WEEKDAYS],
                required=False,
                widget=forms.CheckboxSelectMultiple(attrs={"class": "weekdays"}),
            )
            self.fields[f"days_{row}"] = DaysField(
                label="Calendar days", max_length=400, required=False
            )
            self.fields[f"from_{row}"] = ClockField(label="From", whole_day=0)
            self.fields[f"to_{row}"] = ClockField(label="To", whole_day=MINUTES_OF_DAY)

    @property
    def fieldsets(self) -> list[tuple[str, list[forms.BoundField]]]:
        rows = [
            (f"Hours {row}", [self[f"{name}_{row}"] for name in ("weekdays", "days", "from", "to")])
            for row in self.rows
        ]
        return [("", [self["name"], self["weight"]]), *rows]

    def clean(self) -> dict[str, Any]:
        parts = []
        for row in self.rows:
            days = [
                *self.cleaned_data.get(f"weekdays_{row}", []),
                *self.cleaned_data.get(f"days_{row}", []),
            ]
            start, end = (self.cleaned_data.get(f"{name}_{row}") for name in ("from", "to"))
            if start is None or end is None:
                continue
            if days and start >= end:
                self.add_error(f"to_{row}", "The end is not after the start; part it at midnight.")
            if not days and (start, end) != (0, MINUTES_OF_DAY):
                self.add_error(f"days_{row}", "Say on which days.")
            parts.append(f"{','.join(days)} {clock_text(start)}-{clock_text(end)}" if days else "")
        self.ranges = ";".join(filter(None, parts))
        if not self.ranges and not self.errors:
            self.add_error("weekdays_1", "Choose the days and hours.")
        return self.cleaned_data

    @property
    def terms(self) -> dict[str, Any]:
        """What the services take."""
        return {
            "name": self.cleaned_data["name"],
            "weight": self.cleaned_data["weight"],
            "ranges": self.ranges,
        }


def _initial(profile: TimeProfile, ranges: list[HoursOfDays]) -> dict[str, Any]:
    initial: dict[str, Any] = {"name": profile.name, "weight": profile.weight}
    for row, hours in enumerate(ranges, start=1):
        days = days_text(HoursOfDays(frozenset(), hours.calendar_days, 0, 1))
        initial |= {
            f"weekdays_{row}": [WEEKDAYS[day] for day in sorted(hours.weekdays)],
            f"days_{row}": days.replace(",", ", "),
            f"from_{row}": clock_text(hours.start_minute),
            f"to_{row}": clock_text(hours.end_minute),
        }
    return initial


def _row_count(request: SurfaceRequest, stored: int) -> int:
    """As many rows as were sent, or those there are and some to spare."""
    sent = sum(f"from_{row}" in request.POST for row in range(1, stored + MOST_ROWS))
    return sent or stored + SPARE_ROWS


ROWS_HINT = (
    "Each row holds days and hours; rows without days do not count. More rows appear when it is"
    " saved. Hours that go past midnight need two rows."
)


@page_of(Surface.CONSOLE, WRITE, FORM_METHODS)
def time_profile_create(request: SurfaceRequest) -> HttpResponse:
    def save(form: TimeProfileForm) -> str:
        profile = create_time_profile(
            provider_id=request.scope.provider_id,
            **form.terms,
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(request, f"{profile} was added.")
        return _url(profile)

    page = FormPage(
        "Add a time profile",
        submit="Add time profile",
        cancel_url=reverse("console_time_profiles"),
        lead=ROWS_HINT,
    )
    return form_page(
        request,
        page,
        form=TimeProfileForm,
        save=save,
        fields_of={TimeProfileNameTaken: "name"},
        rows=_row_count(request, stored=1),
    )


@page_of(Surface.CONSOLE, WRITE, FORM_METHODS)
def time_profile_change(request: SurfaceRequest, profile_id: int) -> HttpResponse:
    profile = time_profile(request.scope, profile_id)
    tables = tables_of_profile(request.scope, profile)
    ranges = in_order(parse_time_profile(profile.ranges).ranges)

    def save(form: TimeProfileForm) -> str:
        change_time_profile(
            profile=profile, **form.terms, at=clock.now(), actor_id=request.scope.user_id
        )
        messages.success(request, f"{form.cleaned_data['name']} was saved.")
        return _url(profile)

    def review(form: TimeProfileForm) -> Review:
        return Review(
            f"Change {profile}, which rates are for",
            lead="These tables choose other rates for calls from now on. Calls that were rated"
            " before keep their cost until they are rated again.",
            facts=[
                ("Hours before", profile.ranges.replace(";", "; ")),
                ("Hours", form.ranges.replace(";", "; ")),
                ("Weight before", profile.weight),
                ("Weight", form.cleaned_data["weight"]),
            ],
            headings=("Rate table", "Rates"),
            rows=[(use.table, f"{use.rate_count:,}") for use in tables],
            submit="Change it",
        )

    page = FormPage(f"Change {profile}", submit="Save", cancel_url=_url(profile), lead=ROWS_HINT)
    return form_page(
        request,
        page,
        form=TimeProfileForm,
        save=save,
        review=review if tables else None,
        fields_of={TimeProfileNameTaken: "name"},
        initial=_initial(profile, ranges),
        rows=_row_count(request, stored=len(ranges)),
    )


@page_of(Surface.CONSOLE, WRITE, FORM_METHODS)
def time_profile_delete(request: SurfaceRequest, profile_id: int) -> HttpResponse:
    profile = time_profile(request.scope, profile_id)

    def confirm() -> str:
        delete_time_profile(profile=profile, at=clock.now(), actor_id=request.scope.user_id)
        messages.success(request, f"{profile} was deleted.")
        return reverse("console_time_profiles")

    review = Review(
        f"Delete {profile}",
        lead="It can be deleted while no rate is for it.",
        facts=[("Hours", profile.ranges.replace(";", "; ")), ("Weight", profile.weight)],
        submit="Delete it",
        is_dangerous=True,
    )
    return confirm_page(request, review, confirm=confirm, cancel_url=_url(profile))


def _url(profile: TimeProfile) -> str:
    return reverse("console_time_profile", kwargs={"profile_id": profile.pk})


urls = [
    path("time-profiles/", time_profile_list, name="console_time_profiles"),
    path("time-profiles/new/", time_profile_create, name="console_time_profile_create"),
    path("time-profiles/<int:profile_id>/", time_profile_show, name="console_time_profile"),
    path(
        "time-profiles/<int:profile_id>/change/",
        time_profile_change,
        name="console_time_profile_change",
    ),
    path(
        "time-profiles/<int:profile_id>/delete/",
        time_profile_delete,
        name="console_time_profile_delete",
    ),
]
