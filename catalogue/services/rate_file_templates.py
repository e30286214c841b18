"""Templates of rate files: the next file of a vendor is read as the last one was."""

from datetime import datetime

from django.db import transaction

from audit.services import record
from catalogue.models import RateFileTemplate
from catalogue.rules.rate_layouts import ImportOptions, Layout
from common.errors import DomainError
from common.fields import check_fields
from common.locks import lock_in_transaction


class RateFileTemplateRefused(DomainError):
    """The name is missing or too long."""


@transaction.atomic
def save_template(
    *,
    provider_id: int,
    name: str,
    layout: Layout,
    options: ImportOptions,
    at: datetime,
    actor_id: int | None,
) -> RateFileTemplate:
    """Keep a layout and options under a name; what was kept under it is replaced.

    :raises RateFileTemplateRefused: for a name that is missing or too long.
    """
    check_fields(RateFileTemplate(name=name), RateFileTemplateRefused, "name")
    lock_in_transaction("rate_file_template", provider_id, name.lower())
    kept = {"layout": layout.as_json(), "options": options.as_json()}
    template = RateFileTemplate.objects.filter(provider_id=provider_id, name__iexact=name).first()
    if template is None:
        template = RateFileTemplate.objects.create(
            provider_id=provider_id, name=name, created_at=at, **kept
        )
    else:
        RateFileTemplate.objects.filter(pk=template.pk).update(**kept)
    record(
        provider_id=provider_id,
        action="rate_file_template.saved",
        changed=template,
        at=at,
        actor_id=actor_id,
        after={"name": name, **kept["layout"]["columns"]},
    )
    return template


@transaction.atomic
def delete_template(*, template: RateFileTemplate, at: datetime, actor_id: int | None) -> None:
    """Forget a template; imports that were made with it keep what they were told."""
    record(
        provider_id=template.provider_id,
        action="rate_file_template.deleted",
        changed=template,
        at=at,
        actor_id=actor_id,
        before={"name": template.name},
    )
    template.delete()
