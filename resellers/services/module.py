"""The reseller module's switch and settings."""

from dataclasses import asdict, dataclass
from datetime import datetime

from django.db import transaction

from audit.services import record_change
from common.errors import DomainError
from common.locks import lock_in_transaction
from resellers.models import Reseller, ResellerCode, ResellerModule


class DefaultCodeRefused(DomainError):
    """The default code is a published code, without an expiry, of an active reseller."""


@dataclass(frozen=True, kw_only=True)
class ModuleSettings:
    """Whether resellers exist for the provider, and the code for sign-ups that give none.

    `default_code_id` None: such sign-ups belong to the provider.
    """

    is_enabled: bool
    default_code_id: int | None = None
    commission_after_disabling: bool = False


@transaction.atomic
def change_module(
    *, provider_id: int, settings: ModuleSettings, at: datetime, actor_id: int | None
) -> ResellerModule:
    """Replace the module's settings.

    :raises DefaultCodeRefused: if the default code is none that every sign-up could use.
    """
    if settings.default_code_id is not None:
        _check_default(provider_id, settings.default_code_id)
    lock_in_transaction("reseller_module", provider_id)
    module = ResellerModule.objects.filter(provider_id=provider_id).first()
    module = module or ResellerModule(provider_id=provider_id)
    after = asdict(settings)
    before = {name: getattr(module, name) for name in after}
    changed = [name for name in after if before[name] != after[name]]
    if module.pk is not None and not changed:
        return module
    for name, value in after.items():
        setattr(module, name, value)
    module.save()
    record_change(
        provider_id=provider_id,
        action="reseller_module.changed",
        changed=module,
        at=at,
        actor_id=actor_id,
        before=before,
        after=after,
    )
    return module


def _check_default(provider_id: int, code_id: int) -> None:
    code = ResellerCode.objects.filter(provider_id=provider_id, pk=code_id).first()
    if code is None:
        raise DefaultCodeRefused("There is no such code; choose one of your resellers' codes.")
    # Locked so that its owner cannot be disabled, nor an expiry set, in the meantime.
    owner = Reseller.objects.select_for_update(no_key=True).get(pk=code.reseller_id)
    code.refresh_from_db()
    if owner.state != Reseller.State.ACTIVE:
        raise DefaultCodeRefused(f"{code} belongs to {owner}, which is disabled.")
    if code.published_at is None:
        raise DefaultCodeRefused(f"{code} is a draft; publish it first.")
    if code.expires_at is not None:
        raise DefaultCodeRefused(f"{code} expires; choose a code that does not.")
