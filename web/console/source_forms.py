"""The forms of a source of xDRs."""

import re
from typing import Any, ClassVar

from django import forms
from django.db.models import QuerySet

from catalogue.models import Product
from catalogue.rules.tags import TAGS_CHARACTERS
from cdr.models import IdentifiedBy, Source
from cdr.services.source_editing import SourceDetails
from cdr.services.sources import TrunkTerms
from resellers.models import Vendor
from web.shared.form_fields import Form

PAYERS = ("payer_1", "payer_2", "payer_3", "payer_4")
_OR_NOTHING = [("", "Nothing more"), *IdentifiedBy.choices]
_TAGGED = re.compile(r"(?P<name>.*?)\s*\[(?P<tags>[^\[\]]*)\]")


class SourceForm(Form):
    groups: ClassVar[Any] = (
        ("", ("name", "product")),
        (
            "How its lines are read",
            ("time_zone", "country_prefix", "oldest_days", "volume_rounding"),
        ),
        ("Whose xDR it is: the first of these that names a customer", PAYERS),
        ("Who terminates its calls", ("default_vendor", "trunks", "allows_foreign_vendors")),
        ("Rates of their own", ("tags",)),
    )

    name = forms.CharField(max_length=100)
    product = forms.ModelChoiceField(
        queryset=Product.objects.none(),
        empty_label="Choose a product",
        help_text="What its usage is rated as.",
    )
    time_zone = forms.CharField(
        max_length=64, help_text="Of times without an offset, such as Europe/Berlin."
    )
    country_prefix = forms.CharField(
        max_length=4, required=False, help_text="Put in front of national numbers, such as 49."
    )
    oldest_days = forms.IntegerField(
        label="Oldest xDRs, in days",
        min_value=1,
        max_value=32767,
        initial=400,
        help_text="Older ones wait in suspense.",
    )
    volume_rounding = forms.ChoiceField(
        label="Fractions of a second, or of another unit",
        choices=Source.VolumeRounding.choices,
        help_text="Where the switch counts them, before increments are applied.",
    )
    payer_1 = forms.ChoiceField(label="First", choices=IdentifiedBy.choices)
    payer_2 = forms.ChoiceField(label="Second", choices=_OR_NOTHING, required=False)
    payer_3 = forms.ChoiceField(label="Third", choices=_OR_NOTHING, required=False)
    payer_4 = forms.ChoiceField(label="Fourth", choices=_OR_NOTHING, required=False)
    default_vendor = forms.ModelChoiceField(
        label="Vendor without a trunk",
        queryset=Vendor.objects.none(),
        required=False,
        empty_label="None: such calls wait in suspense",
    )
    trunks = forms.CharField(
        required=False,
        max_length=5000,
        widget=forms.Textarea,
        help_text="A line for each tech prefix and its vendor's name, such as: 77 Tailwind. Tags of"
        " its calls go behind it in brackets: 77 Tailwind [premium].",
    )
    allows_foreign_vendors = forms.BooleanField(
        label="Calls may use vendors of resellers whose customer it is not", required=False
    )
    tags = forms.CharField(
        max_length=TAGS_CHARACTERS,
        required=False,
        help_text="Words separated by commas that all its xDRs carry. Rates with such a tag come"
        " first.",
    )

    def __init__(
        self,
        *args: Any,
        rated: QuerySet[Product],
        terminating: QuerySet[Vendor],
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.vendor_ids = {vendor.name.lower(): vendor.pk for vendor in terminating}
        self.fields["product"].queryset = rated  # type: ignore[attr-defined]
        self.fields["default_vendor"].queryset = terminating  # type: ignore[attr-defined]

    def clean_trunks(self) -> dict[str, TrunkTerms]:
        """The vendor of each tech prefix, and the tags."""
        trunks: dict[str, TrunkTerms] = {}
        for line in filter(None, map(str.strip, self.cleaned_data["trunks"].splitlines())):
            prefix, _, rest = line.partition(" ")
            name, tags = rest.strip(), ""
            if name.lower() not in self.vendor_ids and (tagged := _TAGGED.fullmatch(name)):
                name, tags = tagged["name"], tagged["tags"]
            vendor_id = self.vendor_ids.get(name.lower())
            if vendor_id is None:
                raise forms.ValidationError(f"'{line}': there is no vendor '{name}'.")
            if prefix in trunks:
                raise forms.ValidationError(f"'{line}': {prefix} is there twice.")
            trunks[prefix] = TrunkTerms(vendor_id, tags)
        return trunks

    def clean(self) -> None:
        """Each thing that names a customer is looked at once."""
        seen: set[str] = set()
        for name in PAYERS:
            chosen = self.cleaned_data.get(name)
            if chosen in seen:
                self.add_error(name, f"{IdentifiedBy(chosen).label} is named further up already.")
            seen |= {chosen} if chosen else set()

    @property
    def details(self) -> SourceDetails:
        values = self.cleaned_data
        payers = [IdentifiedBy(values[name]) for name in PAYERS if values[name]]
        vendor = values["default_vendor"]
        return SourceDetails(
            name=values["name"],
            product_id=values["product"].pk,
            time_zone=values["time_zone"],
            country_prefix=values["country_prefix"],
            default_vendor_id=vendor and vendor.pk,
            allows_foreign_vendors=values["allows_foreign_vendors"],
            oldest_days=values["oldest_days"],
            identified_by=payers,
            rounding=Source.VolumeRounding(values["volume_rounding"]),
            tags=values["tags"],
            trunks=values["trunks"],
        )


class NewSourceForm(SourceForm):
    groups: ClassVar[Any] = (
        ("", ("name", "slug", "format", "product")),
        *SourceForm.groups[1:],
    )

    slug = forms.SlugField(
        label="Short name",
        max_length=40,
        help_text="For commands; letters, digits and hyphens. It stays for good.",
    )
    format = forms.ChoiceField(choices=Source.Format.choices)
