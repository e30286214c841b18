"""What a report's page is asked for by its address: its time, reseller and currency."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any, ClassVar

from django import forms
from django.utils.timezone import localdate

from common import clock
from common.periods import Period, month
from common.scope import Scope
from reports.library import Report, Span
from resellers.models import Reseller
from resellers.selectors import reseller_tree, resellers
from web.access import SurfaceRequest
from web.shared.form_fields import DateField

MOST_YEARS = 10
WITH_BRANCH = "branch"


class RangeForm(forms.Form):
    """From which day to which, both of them included."""

    since = DateField(label="From")
    until = DateField(label="To")

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = self.cleaned_data
        since, until = given.get("since"), given.get("until")
        if since and until and until < since:
            self.add_error("until", "It ends before it begins.")
        elif since and until and until - since > timedelta(days=366 * MOST_YEARS):
            self.add_error("since", f"Ask for {MOST_YEARS} years at most.")
        return given


class ReportForm(RangeForm):
    """The filters of any report; those that it has no column for are taken out."""

    reseller = forms.ModelChoiceField(
        queryset=Reseller.objects.none(), required=False, empty_label="Any"
    )
    below = forms.ChoiceField(
        label="Sub-resellers",
        choices=[("", "Left out"), (WITH_BRANCH, "Included")],
        required=False,
    )
    currency = forms.CharField(max_length=3, required=False, widget=forms.Select)

    def __init__(self, given: Any, *, report: Report, scope: Scope) -> None:
        super().__init__(given)
        self.fields["reseller"].queryset = resellers(scope)  # type: ignore[attr-defined]
        absent = {
            "since": report.span is not Span.PERIOD,
            "until": report.span is Span.NOW,
            "reseller": "reseller_number" not in report.columns,
            "below": "reseller_number" not in report.columns,
            "currency": "currency" not in report.columns,
        }
        for name in [name for name, is_absent in absent.items() if is_absent]:
            del self.fields[name]
        if report.span is Span.LAST_DAY:
            self.fields["until"].label = "At the end of"


class ReportFilters:
    """A report's filters as the address gives them, by default of the last three months."""

    DEFAULT_MONTHS: ClassVar[int] = 3

    def __init__(self, request: SurfaceRequest, report: Report) -> None:
        self._scope = request.scope
        today = localdate(clock.now())
        defaults = default_range(today, self.DEFAULT_MONTHS)
        given = {**defaults, **request.GET.dict()}
        self.form = ReportForm(given, report=report, scope=request.scope)
        self.is_filtering = bool(request.GET.keys() & self.form.fields.keys())
        self._report = report
        self._today = today

    @property
    def period(self) -> Period:
        """The days asked for; a report about one day gets that day, one about now today."""
        given = self.form.cleaned_data
        last: date = given.get("until", self._today)
        asked = Period(given.get("since", last), last + timedelta(days=1))
        return self._report.period_of(asked, self._today)

    def rows(self) -> list[Any]:
        """What passes; nothing while a filter is not understood, as its message says."""
        if not self.form.is_valid():
            return []
        rows = list(self._report.read(self._scope, self.period))
        self._offer_currencies(rows)
        if (numbers := self._reseller_numbers()) is not None:
            rows = [row for row in rows if row.reseller_number in numbers]
        if currency := self.form.cleaned_data.get("currency"):
            rows = [row for row in rows if row.currency == currency]
        return rows

    def _offer_currencies(self, rows: Sequence[Any]) -> None:
        if "currency" in self.form.fields:
            asked = self.form.cleaned_data["currency"]
            codes = {row.currency for row in rows if row.currency} | ({asked} if asked else set())
            self.form.fields["currency"].widget.choices = [
                ("", "Any"),
                *((code, code) for code in sorted(codes)),
            ]

    def _reseller_numbers(self) -> set[int] | None:
        """The numbers of the reseller asked for and, where wanted, of all below it."""
        reseller: Reseller | None = self.form.cleaned_data.get("reseller")
        if reseller is None:
            return None
        ids: Iterable[int] = [reseller.pk]
        if self.form.cleaned_data["below"] == WITH_BRANCH:
            ids = [reseller.pk, *reseller_tree(self._scope).descendants(reseller.pk)]
        return set(resellers(self._scope).filter(pk__in=ids).values_list("number", flat=True))


def default_range(today: date, month_count: int) -> dict[str, str]:
    """The last months up to today, this one included, as the address gives them."""
    months_back = today.year * 12 + today.month - month_count
    first = month(months_back // 12, months_back % 12 + 1).from_date
    return {"since": first.isoformat(), "until": today.isoformat()}


def usual_ranges(today: date) -> list[tuple[str, dict[str, str]]]:
    """Ranges that people ask for most, with what they are called."""
    this = month(today.year, today.month)
    last_day = this.from_date - timedelta(days=1)
    last = {"since": last_day.replace(day=1).isoformat(), "until": last_day.isoformat()}
    year = {"since": today.replace(month=1, day=1).isoformat(), "until": today.isoformat()}
    return [
        ("This month", default_range(today, 1)),
        ("Last month", last),
        ("This year", year),
        ("Last 12 months", default_range(today, 12)),
    ]
