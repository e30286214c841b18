"""What a source says about its lines, read once per batch."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from catalogue.models import ProductKind
from cdr.importers.reading import Reading
from cdr.models import IdentifiedBy, Source
from cdr.rules.column_mapping import ColumnMapping
from cdr.rules.volumes import Rounding
from common.periods import month
from common.statements import fetch_rows

_SOURCE = "SELECT * FROM cdr_source_terms(%s)"


class _Row(NamedTuple):
    name: str
    is_enabled: bool
    provider_id: int
    product_id: int
    format: str
    time_zone: str
    day_zone: str
    country_prefix: str
    default_vendor_id: int | None
    allows_foreign_vendors: bool
    oldest_days: int
    tags: str
    identified_by: list[str]
    volume_rounding: str
    mapping: str | None
    kind: str
    last_retired: date | None
    has_allowances: bool
    trunks: str | None


class TrunkTerms(NamedTuple):
    """The vendor that a trunk reaches, and the tags of what takes it, parted by commas."""

    vendor_id: int
    tags: str


@dataclass(frozen=True, slots=True)
class SourceTerms:
    """A source with its provider's zone (`day_zone`: what a day is on an invoice) and trunks.

    `trunks` gives the trunk of each tech prefix, `tags` what all xDRs carry, parted by commas.
    """

    id: int
    name: str
    is_enabled: bool
    provider_id: int
    product_id: int
    format: str
    zone: ZoneInfo
    day_zone: ZoneInfo
    country_prefix: str | None
    default_vendor_id: int | None
    allows_foreign_vendors: bool
    oldest: timedelta
    not_before: datetime | None
    """Where the months that the database still takes begin, if any were retired."""
    identified_by: Sequence[IdentifiedBy]
    rounding: Rounding
    mapping: ColumnMapping | None
    tags: str
    trunks: Mapping[str, TrunkTerms]
    is_metered: bool
    """Whether its usage is of a metered product: the provider may supply it without a vendor."""
    has_allowances: bool
    """Whether any item of any catalogue includes usage of its product."""

    def reading(self, header: str, mapping: ColumnMapping | None) -> Reading:
        """How the lines of a file with that header are read, by that mapping of columns."""
        lines = header.split("\n") if header else []
        return Reading(self.zone, self.rounding, lines, mapping)


def source_terms(source_id: int) -> SourceTerms:
    """The source as it is now."""
    found = fetch_rows(_SOURCE, [source_id])
    if not found:
        raise Source.DoesNotExist(f"There is no source {source_id}.")
    row = _Row(*found[0])
    trunks = json.loads(row.trunks or "[]")
    return SourceTerms(
        id=source_id,
        name=row.name,
        is_enabled=row.is_enabled,
        provider_id=row.provider_id,
        product_id=row.product_id,
        format=row.format,
        zone=ZoneInfo(row.time_zone),
        day_zone=ZoneInfo(row.day_zone),
        country_prefix=row.country_prefix or None,
        default_vendor_id=row.default_vendor_id,
        allows_foreign_vendors=row.allows_foreign_vendors,
        oldest=timedelta(days=row.oldest_days),
        not_before=None if row.last_retired is None else _after_month(row.last_retired),
        identified_by=[IdentifiedBy(kind) for kind in row.identified_by],
        rounding=Rounding(row.volume_rounding),
        mapping=None if row.mapping is None else _mapping(row.mapping),
        tags=row.tags,
        trunks={tech_prefix: TrunkTerms(*terms) for tech_prefix, *terms in trunks},
        is_metered=row.kind == ProductKind.METERED,
        has_allowances=row.has_allowances,
    )


def _after_month(day: date) -> datetime:
    first_day = month(day.year, day.month).to_date
    return datetime.combine(first_day, time.min, tzinfo=UTC)


def _mapping(stored: str) -> ColumnMapping:
    return ColumnMapping.from_json(json.loads(stored))
