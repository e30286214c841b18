"""Sources of xDRs: added, changed, switched off and on again."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from audit.services import record_owned
from catalogue.models import Product, ProductKind
from catalogue.rules.tags import TagsNotUnderstood, parse_tags
from cdr.models import IdentifiedBy, Source, Trunk
from cdr.models.sources import usual_order
from cdr.rules.column_mapping import ColumnMapping
from cdr.services.sources import TrunkTerms
from common.errors import DomainError
from common.fields import check_fields
from common.locks import lock_in_transaction
from common.zones import is_time_zone
from resellers.models import Vendor

_RATED = (ProductKind.VOICE, ProductKind.METERED)


class SourceRefused(DomainError):
    """A detail of a source is none that its lines could be read by."""


class SourceSlugTaken(DomainError):
    """Another source of the provider has this short name."""


class SourceStateUnchanged(DomainError):
    """The source is disabled, or enabled, already."""


class TrunkTaken(DomainError):
    """The tech prefix reaches a vendor of this source already."""


class SourceNotMapped(DomainError):
    """The format of the source says itself which column is what."""


@dataclass(frozen=True, kw_only=True)
class SourceDetails:
    """How a source's lines are read and its vendors told.

    Times without an offset are in `time_zone`; national numbers get `country_prefix`, none if it is
    empty. `trunks` gives the vendor reached by each tech prefix and the tags of its calls,
    `default_vendor_id` the vendor of all other calls; all calls carry `tags`. xDRs older than
    `oldest_days` go to suspense. `identified_by` orders what names the customer of an xDR, and
    `rounding` says what becomes of fractions of a volume unit.
    """

    name: str
    product_id: int
    time_zone: str
    country_prefix: str = ""
    default_vendor_id: int | None = None
    allows_foreign_vendors: bool = False
    oldest_days: int = 400
    identified_by: Sequence[IdentifiedBy] = tuple(IdentifiedBy(kind) for kind in usual_order())
    rounding: Source.VolumeRounding = Source.VolumeRounding.UP
    tags: str = ""
    trunks: Mapping[str, TrunkTerms]


@transaction.atomic
def create_source(
    *,
    provider_id: int,
    slug: str,
    format: Source.Format,
    details: SourceDetails,
    at: datetime,
    actor_id: int | None,
) -> Source:
    """Add a source of xDRs; its short name and format stay for good.

    :raises SourceRefused: naming the fields that cannot be kept as they are.
    :raises SourceSlugTaken: if the short name is in use.
    """
    source = Source(provider_id=provider_id, slug=slug, format=format)
    _apply(source, details)
    check_fields(source, SourceRefused, "slug", "format")
    lock_in_transaction("source_slug", provider_id, slug)
    if Source.objects.filter(provider_id=provider_id, slug=slug).exists():
        raise SourceSlugTaken(f"There is a source '{slug}' already; choose another short name.")
    source.save(force_insert=True)
    _replace_trunks(source, details.trunks)
    record_owned(source, "source.created", at=at, actor_id=actor_id, after=_written(source))
    return source


@transaction.atomic
def edit_source(
    *, source: Source, details: SourceDetails, at: datetime, actor_id: int | None
) -> Source:
    """Replace how the source's lines are read from now on; what was rated stays as it is.

    :raises SourceRefused: naming the fields that cannot be kept as they are.
    """
    source = Source.objects.select_for_update(no_key=True).get(pk=source.pk)
    before = _written(source)
    _apply(source, details)
    source.save()
    _replace_trunks(source, details.trunks)
    after = _written(source)
    changed = [name for name in after if before[name] != after[name]]
    if changed:
        record_owned(
            source,
            "source.edited",
            at=at,
            actor_id=actor_id,
            before={name: before[name] for name in changed},
            after={name: after[name] for name in changed},
        )
    return source


@transaction.atomic
def add_trunk(
    *, source: Source, tech_prefix: str, trunk: TrunkTerms, at: datetime, actor_id: int | None
) -> Source:
    """Have calls to numbers that begin so go to a vendor from now on; all else stays as it is.

    :raises TrunkTaken: if calls to them go to a vendor already.
    :raises SourceRefused: if it is no tech prefix, or the vendor or tags are none.
    """
    source = Source.objects.select_for_update(no_key=True).get(pk=source.pk)
    rows = source.trunks.select_related("vendor").order_by("tech_prefix")
    trunks = {row.tech_prefix: TrunkTerms(row.vendor_id, row.tags) for row in rows}
    if tech_prefix in trunks:
        vendor = next(row.vendor for row in rows if row.tech_prefix == tech_prefix)
        raise TrunkTaken(f"{tech_prefix} reaches {vendor} already.")
    details = _details(source, trunks | {tech_prefix: trunk})
    return edit_source(source=source, details=details, at=at, actor_id=actor_id)


def _details(source: Source, trunks: Mapping[str, TrunkTerms]) -> SourceDetails:
    """The details of a source as they are, but for its trunks."""
    return SourceDetails(
        name=source.name,
        product_id=source.product_id,
        time_zone=source.time_zone,
        country_prefix=source.country_prefix,
        default_vendor_id=source.default_vendor_id,
        allows_foreign_vendors=source.allows_foreign_vendors,
        oldest_days=source.oldest_days,
        identified_by=[IdentifiedBy(kind) for kind in source.identified_by],
        rounding=Source.VolumeRounding(source.volume_rounding),
        tags=source.tags,
        trunks=trunks,
    )


@transaction.atomic
def switch_source(
    *, source: Source, is_enabled: bool, at: datetime, actor_id: int | None
) -> Source:
    """Have the source take files, or none any more; those that it took are rated to their end.

    :raises SourceStateUnchanged: if it does, or does not, already.
    """
    source = Source.objects.select_for_update(no_key=True).get(pk=source.pk)
    state = "enabled" if is_enabled else "disabled"
    if source.is_enabled == is_enabled:
        raise SourceStateUnchanged(f"{source} is {state} already.")
    source.is_enabled = is_enabled
    source.save(update_fields=["is_enabled"])
    before, after = {"is_enabled": not is_enabled}, {"is_enabled": is_enabled}
    action = f"source.{state}"
    record_owned(source, action, at=at, actor_id=actor_id, before=before, after=after)
    return source


@transaction.atomic
def map_columns(
    *, source: Source, mapping: ColumnMapping, at: datetime, actor_id: int | None
) -> Source:
    """Say which column of a source's files is what; it holds for files from now on, and for lines
    in suspense when they are tried again.

    :raises SourceNotMapped: if its format says that itself.
    :raises SourceRefused: naming the columns, and other fields, that cannot be so.
    """
    source = Source.objects.select_for_update(no_key=True).get(pk=source.pk)
    if source.format != Source.Format.MAPPED_CSV:
        raise SourceNotMapped(f"The columns of {source} are those of its format.")
    faults = mapping.faults()
    if faults:
        raise SourceRefused("; ".join(faults.values()), by_field=faults)
    before, after = source.mapping, mapping.to_json()
    if before != after:
        source.mapping = after
        source.save(update_fields=["mapping"])
        record_owned(
            source,
            "source.mapped",
            at=at,
            actor_id=actor_id,
            before=before and {"mapping": before},
            after={"mapping": after},
        )
    return source


def _apply(source: Source, details: SourceDetails) -> None:
    source.name = details.name
    source.product_id = details.product_id
    source.time_zone = details.time_zone
    source.country_prefix = details.country_prefix
    source.default_vendor_id = details.default_vendor_id
    source.allows_foreign_vendors = details.allows_foreign_vendors
    source.oldest_days = details.oldest_days
    source.tags = _tags("tags", details.tags)
    source.identified_by = list(details.identified_by)
    source.volume_rounding = details.rounding
    check_fields(source, SourceRefused, "name", "time_zone", "country_prefix", "oldest_days")
    _check(source, details)


def _check(source: Source, details: SourceDetails) -> None:
    if not is_time_zone(source.time_zone):
        raise _refused(
            "time_zone", f"'{source.time_zone}' is not a time zone; write it as Europe/Berlin."
        )
    if not re.fullmatch(r"[0-9]*", source.country_prefix):
        raise _refused("country_prefix", "A country prefix is digits only, such as 49.")
    if source.oldest_days == 0:
        raise _refused("oldest_days", "Take xDRs that are at least one day old.")
    if not details.identified_by or len(set(details.identified_by)) < len(details.identified_by):
        raise _refused("identified_by", "Name at least one, and each of them once.")
    rated = Product.objects.filter(provider_id=source.provider_id, kind__in=_RATED)
    if not rated.filter(pk=source.product_id).exists():
        raise _refused("product", "Choose a voice or metered product; others have no usage.")
    _check_vendors(source, details)


def _check_vendors(source: Source, details: SourceDetails) -> None:
    own = set(Vendor.objects.filter(provider_id=source.provider_id).values_list("pk", flat=True))
    if details.default_vendor_id is not None and details.default_vendor_id not in own:
        raise _refused("default_vendor", "There is no such vendor; choose one of the provider's.")
    for prefix, trunk in details.trunks.items():
        if not re.fullmatch(r"[0-9*#]{1,12}", prefix):
            raise _refused("trunks", f"'{prefix}' is not a tech prefix: up to 12 digits, * and #.")
        if trunk.vendor_id not in own:
            raise _refused("trunks", f"The vendor of {prefix} is none of the provider's.")


def _tags(field: str, text: str) -> str:
    try:
        return parse_tags(text)
    except TagsNotUnderstood as error:
        raise _refused(field, str(error)) from error


def _replace_trunks(source: Source, trunks: Mapping[str, TrunkTerms]) -> None:
    source.trunks.all().delete()
    Trunk.objects.bulk_create(
        Trunk(
            provider_id=source.provider_id,
            source=source,
            tech_prefix=prefix,
            vendor_id=trunk.vendor_id,
            tags=_tags("trunks", trunk.tags),
        )
        for prefix, trunk in sorted(trunks.items())
    )


def _written(source: Source) -> dict[str, object]:
    """The details by name, as the audit keeps them."""
    return {
        "name": source.name,
        "product": source.product.code,
        "time_zone": source.time_zone,
        "country_prefix": source.country_prefix,
        "default_vendor": source.default_vendor,
        "allows_foreign_vendors": source.allows_foreign_vendors,
        "oldest_days": source.oldest_days,
        "tags": source.tags,
        "identified_by": ", ".join(source.identified_by),
        "volume_rounding": source.volume_rounding,
        "trunks": ", ".join(trunk_lines(source)),
    }


def trunk_lines(source: Source) -> list[str]:
    """The source's trunks, each as written: `77 Tailwind [vip, premium]`."""
    trunks = source.trunks.select_related("vendor").order_by("tech_prefix")
    return [
        f"{trunk.tech_prefix} {trunk.vendor}" + (f" [{trunk.tags}]" if trunk.tags else "")
        for trunk in trunks
    ]


def _refused(field: str, text: str) -> SourceRefused:
    return SourceRefused(text, by_field={field: text})
