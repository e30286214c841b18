"""The forms of the import wizard: the file, how it is written, and what its columns mean."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.template.defaultfilters import filesizeformat

from catalogue.importers.proposals import Proposal
from catalogue.importers.texts import DELIMITERS, ENCODINGS
from catalogue.models import RateFileTemplate
from catalogue.rules.date_formats import DateFormat
from catalogue.rules.rate_cells import CellReader
from catalogue.rules.rate_layouts import (
    INCREMENTS,
    MAPPED_FIELDS,
    Absent,
    Duplicates,
    Errors,
    ImportOptions,
    Layout,
    Unchanged,
)
from catalogue.rules.rate_lines import COLUMNS
from catalogue.rules.time_profiles import TimeProfile
from web.shared.form_fields import CountField, Form, InstantField

ENDINGS = (".csv", ".txt", ".tsv", ".xlsx", ".xlsm")
DEFAULTED = tuple(name for name in COLUMNS if name not in ("prefix", "rate"))
LABELS = {
    name: name.replace("_", " ").capitalize() for name in MAPPED_FIELDS if name != INCREMENTS
} | {
    "effective_from": "In force from",
    "effective_to": "Until",
    "min_cost": "Costs at least",
    "max_cost": "Costs at most",
    INCREMENTS: "Minimum/increment/grace in one",
}
_OPTIONS: Mapping[str, tuple[str, Sequence[tuple[StrEnum, str]]]] = {
    "duplicates": (
        "Same prefix and start twice",
        [
            (Duplicates.LATEST, "The last row counts"),
            (Duplicates.FIRST, "The first row counts"),
            (Duplicates.REFUSE, "All of them are wrong"),
        ],
    ),
    "errors": (
        "Rows that are wrong",
        [
            (Errors.ABORT, "Import nothing while there are any"),
            (Errors.SKIP, "Leave them out, import the others"),
        ],
    ),
    "unchanged": (
        "Rows that change nothing",
        [
            (Unchanged.SKIP, "Leave them out"),
            (Unchanged.KEEP, "Write them as rates that begin anew"),
        ],
    ),
    "absent": (
        "Rates that the file does not have",
        [
            (Absent.KEEP, "Stay as they are"),
            (Absent.CLOSE, "A–Z: end those in force"),  # noqa: RUF001
            (
                Absent.CLOSE_AND_STASH,
                "A–Z extended: end those in force, stash future ones",  # noqa: RUF001
            ),
        ],
    ),
}


class RateFileForm(Form):
    """The file itself."""

    file = forms.FileField(
        help_text="CSV or an Excel workbook (.xlsx), as your vendor sends it.",
        widget=forms.ClearableFileInput(attrs={"accept": ",".join(ENDINGS)}),
        error_messages={"empty": "The file is empty."},
    )

    def clean_file(self) -> UploadedFile:
        file: UploadedFile = self.cleaned_data["file"]
        if not str(file.name).lower().endswith((*ENDINGS, ".xls")):
            raise forms.ValidationError(f"Send a file that ends in {', '.join(ENDINGS)}.")
        if (file.size or 0) > settings.RATE_FILE_BYTES:
            most = filesizeformat(settings.RATE_FILE_BYTES)
            raise forms.ValidationError(f"It is larger than {most}: split it by destination.")
        return file


class ReadingForm(Form):
    """How the file is written, in the address of the page; empty: as it seems to be."""

    template = forms.ModelChoiceField(
        queryset=RateFileTemplate.objects.none(), required=False, empty_label="None"
    )
    sheets = forms.MultipleChoiceField(
        required=False, widget=forms.CheckboxSelectMultiple, help_text="None chosen: all of them."
    )
    encoding = forms.ChoiceField(required=False, choices=list(ENCODINGS.items()))
    delimiter = forms.ChoiceField(
        label="Columns are separated by", required=False, choices=list(DELIMITERS.items())
    )
    header_line = CountField(
        label="Line of the headings", required=False, min_value=0, help_text="0: there is none."
    )

    def __init__(
        self,
        *args: Any,
        templates: QuerySet[RateFileTemplate],
        sheets: Sequence[str],
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.fields["template"].queryset = templates  # type: ignore[attr-defined]
        self.fields["sheets"].choices = [(name, name) for name in sheets]  # type: ignore[attr-defined]
        for name in ("encoding", "delimiter") if sheets else ("sheets",):
            del self.fields[name]
        if not templates:
            del self.fields["template"]


class ColumnsForm(Form):
    """What each column means, how cells are written, and what is done with the rows."""

    date_format = forms.ChoiceField(
        label="Dates are written", choices=[(each.value, each.value) for each in DateFormat]
    )
    decimal_comma = forms.BooleanField(label="Prices have a decimal comma (0,0125)", required=False)
    close_at = InstantField(
        label="They end at", required=False, help_text="Only where absent rates end."
    )
    stash = forms.BooleanField(
        label="Stash the rates, to be confirmed later",
        required=False,
        help_text="Stashed rates are in the table and price nothing.",
    )
    save_as = forms.CharField(
        label="Keep all this as a template called",
        max_length=100,
        required=False,
        help_text="A template of that name is replaced.",
    )

    def __init__(
        self,
        *args: Any,
        proposal: Proposal,
        zone: ZoneInfo,
        time_profiles: Mapping[str | TimeProfile, int],
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.proposal = proposal
        self.reader = CellReader(zone, time_profiles=time_profiles)
        columns = self._add_columns()
        choices = self._add_options()
        defaults = self._add_defaults(time_profiles)
        self.groups = (  # type: ignore[misc]  # of this file, not of all
            ("What the columns mean", columns),
            ("How cells are written", ("date_format", "decimal_comma")),
            ("What is done with the rows", (*choices, "close_at", "stash")),
            ("For cells that are empty or not in the file", defaults),
            ("Next time", ("save_as",)),
        )

    def _add_columns(self) -> tuple[str, ...]:
        choices = [("", "Leave out"), *((name, LABELS[name]) for name in MAPPED_FIELDS)]
        names = []
        for place, heading in enumerate(self.proposal.headings):
            samples = ", ".join(self.proposal.samples(heading, 3))
            names.append(f"column_{place}")
            self.fields[names[-1]] = forms.ChoiceField(
                label=heading[:60], choices=choices, required=False, help_text=samples[:80]
            )
        return tuple(names)

    def _add_options(self) -> tuple[str, ...]:
        for name, (label, choices) in _OPTIONS.items():
            self.fields[name] = forms.ChoiceField(
                label=label, choices=[(each.value, text) for each, text in choices]
            )
        return tuple(_OPTIONS)

    def _add_defaults(self, time_profiles: Iterable[str | TimeProfile]) -> tuple[str, ...]:
        chosen = {
            "policy": ["regular", "additive"],
            "status": ["active", "blocked"],
            "time_profile": [name for name in time_profiles if isinstance(name, str)],
        }
        for name in DEFAULTED:
            field: forms.Field
            if name in chosen:
                offered = [("", "–"), *((each, each) for each in chosen[name])]  # noqa: RUF001
                field = forms.ChoiceField(choices=offered, required=False)
            elif name in ("effective_from", "effective_to"):
                field = InstantField(required=False)
            else:
                field = forms.CharField(required=False, max_length=120)
            field.label = LABELS[name]
            self.fields[f"default_{name}"] = field
        return tuple(f"default_{name}" for name in DEFAULTED)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = self.cleaned_data
        self.columns = self._columns(cleaned)
        self.defaults = self._defaults(cleaned)
        if not self.errors:
            self._check_complete(cleaned)
        return cleaned

    def _columns(self, cleaned: Mapping[str, Any]) -> dict[str, str]:
        found: dict[str, str] = {}
        for place, heading in enumerate(self.proposal.headings):
            field = cleaned.get(f"column_{place}")
            if not field:
                continue
            if field in found:
                self.add_error(f"column_{place}", f"'{found[field]}' is that already.")
            found[field] = heading
        return found

    def _defaults(self, cleaned: Mapping[str, Any]) -> dict[str, str]:
        defaults: dict[str, str] = {}
        for name in DEFAULTED:
            value = cleaned.get(f"default_{name}")
            if not value:
                continue
            text = value.isoformat() if isinstance(value, datetime) else str(value)
            try:
                self.reader.of(name)(text)
            except ValueError as error:
                self.add_error(f"default_{name}", f"{error}.")
            defaults[name] = text
        return defaults

    def _check_complete(self, cleaned: Mapping[str, Any]) -> None:
        if "prefix" not in self.columns:
            self.add_error(None, "Say which column has the prefixes.")
        if not self.columns.keys() & {"rate", "steps"}:
            self.add_error(None, "Say which column has the rates.")
        if "effective_from" not in {*self.columns, *self.defaults}:
            self.add_error("default_effective_from", "No column says it: say it for all rows.")
        if cleaned["absent"] != Absent.KEEP and cleaned["close_at"] is None:
            self.add_error("close_at", "Say when the rates end that the file does not have.")

    @property
    def layout(self) -> Layout:
        """Where the cells are and how they are written."""
        proposed = self.proposal.layout
        return Layout(
            columns=self.columns,
            header_line=proposed.header_line,
            sheets=proposed.sheets,
            encoding=proposed.encoding,
            delimiter=proposed.delimiter,
            date_format=DateFormat(self.cleaned_data["date_format"]),
            decimal_comma=self.cleaned_data["decimal_comma"],
        )

    @property
    def options(self) -> ImportOptions:
        """What is to be done with the rows."""
        said = self.cleaned_data
        absent = Absent(said["absent"])
        return ImportOptions(
            duplicates=Duplicates(said["duplicates"]),
            errors=Errors(said["errors"]),
            unchanged=Unchanged(said["unchanged"]),
            absent=absent,
            close_at=None if absent is Absent.KEEP else said["close_at"],
            stash=said["stash"],
            defaults=self.defaults,
        )


def said_before(
    proposal: Proposal, layout: Layout | None, options: ImportOptions | None, at: datetime
) -> dict[str, Any]:
    """What a `ColumnsForm` begins with: a layout said before, else what the file seems to be."""
    layout = layout or proposal.layout
    options = options or ImportOptions()
    by_heading = {heading: field for field, heading in layout.columns.items()}
    defaults: dict[str, Any] = {f"default_{name}": text for name, text in options.defaults.items()}
    for name in ("default_effective_from", "default_effective_to"):
        if name in defaults:
            defaults[name] = datetime.fromisoformat(defaults[name])
    return {
        **{
            f"column_{place}": by_heading.get(heading, "")
            for place, heading in enumerate(proposal.headings)
        },
        "date_format": layout.date_format.value,
        "decimal_comma": layout.decimal_comma,
        "default_effective_from": at,
        **{name: getattr(options, name).value for name in _OPTIONS},
        "close_at": options.close_at or at,
        "stash": options.stash,
        **defaults,
    }
