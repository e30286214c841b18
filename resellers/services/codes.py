"""Reseller codes: drafted, published, and fixed from then on."""

import re
from datetime import datetime

from django.db import transaction

from audit.services import record
from common.errors import DomainError
from common.locks import lock_in_transaction
from resellers.models import Reseller, ResellerCode, ResellerModule

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")


class CodeRefused(DomainError):
    """A code is up to 40 letters, digits, hyphens and underscores."""


class CodeTaken(DomainError):
    """Another code of the provider reads the same, perhaps in another case."""


class CodePublished(DomainError):
    """What a published code says, and whose it is, never changes."""


class DefaultCodeExpires(DomainError):
    """The default code for sign-ups has no expiry."""


@transaction.atomic
def create_code(
    *,
    reseller: Reseller,
    code: str,
    campaign: str = "",
    expires_at: datetime | None = None,
    at: datetime,
    actor_id: int | None,
) -> ResellerCode:
    """Draft a code; sign-ups refuse it until it is published, and from `expires_at` on.

    :raises CodeRefused: if it is not plain text.
    :raises CodeTaken: if the provider has the code, for whichever reseller and in whatever case.
    """
    _check_free(reseller.provider_id, code)
    row = ResellerCode.objects.create(
        provider_id=reseller.provider_id,
        reseller=reseller,
        code=code,
        campaign=campaign,
        expires_at=expires_at,
    )
    record(
        provider_id=reseller.provider_id,
        action="reseller_code.created",
        changed=row,
        at=at,
        actor_id=actor_id,
        after={"code": code, "reseller": reseller.number, "campaign": campaign},
    )
    return row


@transaction.atomic
def publish_code(*, code: ResellerCode, at: datetime, actor_id: int | None) -> ResellerCode:
    """Let customers sign up with the code; from now on it never changes.

    :raises CodePublished: if it is published.
    """
    code = _locked(code)
    if code.published_at is not None:
        raise CodePublished(f"{code} is published already.")
    code.published_at = at
    code.save(update_fields=["published_at"])
    record(
        provider_id=code.provider_id,
        action="reseller_code.published",
        changed=code,
        at=at,
        actor_id=actor_id,
        after={"published_at": at},
    )
    return code


@transaction.atomic
def reword_code(
    *, code: ResellerCode, text: str, at: datetime, actor_id: int | None
) -> ResellerCode:
    """Change what a draft code says.

    :raises CodePublished: if it is published; a reseller may have another code instead.
    :raises CodeRefused: if it is not plain text.
    :raises CodeTaken: if another code reads the same.
    """
    code = _locked(code)
    if code.published_at is not None:
        raise CodePublished(f"{code} is published and stays as it is; create another code.")
    _check_free(code.provider_id, text, besides=code)
    before, code.code = code.code, text
    code.save(update_fields=["code"])
    record(
        provider_id=code.provider_id,
        action="reseller_code.reworded",
        changed=code,
        at=at,
        actor_id=actor_id,
        before={"code": before},
        after={"code": text},
    )
    return code


@transaction.atomic
def change_code_expiry(
    *, code: ResellerCode, expires_at: datetime | None, at: datetime, actor_id: int | None
) -> ResellerCode:
    """Have sign-ups refuse the code from `expires_at` on; never, for None.

    :raises DefaultCodeExpires: if the code is the default one and would expire.
    """
    code = _locked(code)
    if expires_at is not None and ResellerModule.objects.filter(default_code=code).exists():
        raise DefaultCodeExpires(f"{code} is the default code; choose another one first.")
    before, code.expires_at = code.expires_at, expires_at
    code.save(update_fields=["expires_at"])
    record(
        provider_id=code.provider_id,
        action="reseller_code.expiry_changed",
        changed=code,
        at=at,
        actor_id=actor_id,
        before={"expires_at": before},
        after={"expires_at": expires_at},
    )
    return code


def _check_free(provider_id: int, text: str, besides: ResellerCode | None = None) -> None:
    if not _PLAIN.fullmatch(text):
        raise CodeRefused(
            f"'{text}' is not a code: up to 40 letters, digits, hyphens and underscores."
        )
    lock_in_transaction("reseller_code", provider_id, text.lower())
    same = ResellerCode.objects.filter(provider_id=provider_id, code__iexact=text)
    if besides is not None:
        same = same.exclude(pk=besides.pk)
    if same.exists():
        raise CodeTaken(f"There is a code '{text}' already; choose another one.")


def _locked(code: ResellerCode) -> ResellerCode:
    # The reseller before the code, as where a default code is chosen.
    Reseller.objects.select_for_update(no_key=True).get(pk=code.reseller_id)
    return ResellerCode.objects.select_for_update(no_key=True).get(pk=code.pk)
