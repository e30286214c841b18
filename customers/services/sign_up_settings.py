"""How a provider takes in who signs up, and what they agree to."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import transaction

from audit.services import record
from common.currencies import is_currency
from common.errors import DomainError
from common.locks import lock_in_transaction
from common.scope import Scope
from customers.models import SignUpSettings, SignUpTerms
from customers.selectors import current_terms, sign_up_settings

_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")


class CurrencyRefused(DomainError):
    """What was given is no currency."""


class DomainRefused(DomainError):
    """What was given is no domain of e-mail addresses."""


class TermsRefused(DomainError):
    """The terms are empty, or those that hold already."""


@transaction.atomic
def change_sign_up(
    *,
    provider_id: int,
    mode: SignUpSettings.Mode,
    currencies: Iterable[str],
    blocked_domains: Iterable[str],
    at: datetime,
    actor_id: int | None,
) -> SignUpSettings:
    """Replace how sign-ups are taken in, from the next one on.

    :raises CurrencyRefused: for what is no currency (ISO 4217).
    :raises DomainRefused: for what is no domain.
    """
    after = {
        "mode": mode,
        "currencies": sorted({_currency(text) for text in currencies}),
        "blocked_domains": sorted({_domain(text) for text in blocked_domains}),
    }
    lock_in_transaction("sign_up", provider_id)
    settings = sign_up_settings(Scope.system(provider_id))
    before = {name: getattr(settings, name) for name in after}
    if settings.pk is not None and before == after:
        return settings
    for name, value in after.items():
        setattr(settings, name, value)
    settings.save()
    record(
        provider_id=provider_id,
        action="sign_up.settings_changed",
        changed=settings,
        at=at,
        actor_id=actor_id,
        before=_written(before),
        after=_written(after),
    )
    return settings


@transaction.atomic
def publish_terms(
    *, provider_id: int, text: str, at: datetime, actor_id: int | None
) -> SignUpTerms:
    """Have customers agree to this text from the next sign-up on; consents given stay as given.

    :raises TermsRefused: if it is empty, or what holds already.
    """
    lock_in_transaction("sign_up", provider_id)
    last = current_terms(Scope.system(provider_id))
    text = text.strip()
    if not text or (last is not None and last.text == text):
        raise TermsRefused("Give a text, and another one than that which holds now.")
    terms = SignUpTerms.objects.create(
        provider_id=provider_id,
        version=last.version + 1 if last else 1,
        text=text,
        published_at=at,
    )
    record(
        provider_id=provider_id,
        action="sign_up.terms_published",
        changed=terms,
        at=at,
        actor_id=actor_id,
        after={"version": terms.version},
    )
    return terms


def _currency(text: str) -> str:
    if not is_currency(text):
        raise CurrencyRefused(f"'{text}' is not a currency; write it as EUR.")
    return text


def _domain(text: str) -> str:
    domain = text.lower().lstrip("@")
    if not _DOMAIN.fullmatch(domain):
        raise DomainRefused(f"'{text}' is not a domain; write it as example.com.")
    return domain


def _written(values: Mapping[str, object]) -> dict[str, object]:
    return {
        name: ", ".join(value) if isinstance(value, list) else value
        for name, value in values.items()
    }
