"""The taxes of a provider's default profile."""

from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from audit.services import record, record_change
from billing.models import Tax, TaxProfile
from common.errors import DomainError
from common.fields import check_fields
from common.locks import lock_in_transaction

PROFILE_NAME = "Standard"


class TaxRefused(DomainError):
    """The tax has no name, or a percentage or priority that cannot be kept."""


class TaxPercentRefused(DomainError):
    """A tax is 0 to 100 percent."""


class TaxEndsBeforeItBegins(DomainError):
    """The first day without the tax comes after its first day with it."""


@dataclass(frozen=True, kw_only=True)
class TaxTerms:
    """One percent tax, in force from `valid_from` until the day before `valid_to`.

    Taxes of one priority share a base; the next priority is taken on top of the earlier taxes.
    """

    name: str
    percent: Decimal
    priority: int = 1
    valid_from: date | None = None
    valid_to: date | None = None


@transaction.atomic
def add_tax(*, provider_id: int, terms: TaxTerms, at: datetime, actor_id: int | None) -> Tax:
    """Add a tax to the provider's default profile, which is made with its first one.

    Estimates calculated from now on have it; issued invoices keep the taxes they were issued with.

    :raises TaxRefused: if there is no name, or a percentage or priority that cannot be kept.
    :raises TaxPercentRefused: unless it is 0 to 100 percent.
    :raises TaxEndsBeforeItBegins: unless it ends after it begins.
    """
    lock_in_transaction("tax_profile", provider_id)
    profile, _made = TaxProfile.objects.get_or_create(
        provider_id=provider_id, is_default=True, defaults={"name": PROFILE_NAME}
    )
    after = asdict(terms)
    tax = Tax(provider_id=provider_id, profile=profile, **after)
    _check(tax, after)
    tax.save(force_insert=True)
    record(
        provider_id=provider_id,
        action="tax.added",
        changed=tax,
        at=at,
        actor_id=actor_id,
        after=after,
    )
    return tax


@transaction.atomic
def change_tax(*, tax: Tax, terms: TaxTerms, at: datetime, actor_id: int | None) -> Tax:
    """Replace a tax in the estimates to come; end it, and add another, where the law changes.

    :raises TaxRefused: if there is no name, or a percentage or priority that cannot be kept.
    :raises TaxPercentRefused: unless it is 0 to 100 percent.
    :raises TaxEndsBeforeItBegins: unless it ends after it begins.
    """
    tax = Tax.objects.select_for_update(no_key=True).get(pk=tax.pk)
    after = asdict(terms)
    before = {field: getattr(tax, field) for field in after}
    for field, value in after.items():
        setattr(tax, field, value)
    _check(tax, after)
    tax.save(update_fields=list(after))
    record_change(
        provider_id=tax.provider_id,
        action="tax.changed",
        changed=tax,
        at=at,
        actor_id=actor_id,
        before=before,
        after=after,
    )
    return tax


def _check(tax: Tax, fields: dict[str, object]) -> None:
    check_fields(tax, TaxRefused, *fields)
    if not 0 <= tax.percent <= 100:
        raise TaxPercentRefused("A tax is 0 to 100 percent.")
    if tax.valid_from and tax.valid_to and tax.valid_to <= tax.valid_from:
        raise TaxEndsBeforeItBegins("The first day without it comes after its first day.")
