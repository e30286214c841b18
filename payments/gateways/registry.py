"""Which gateways this installation has."""

from django.conf import settings

from common.errors import DomainError
from payments.gateways.protocol import Gateway
from payments.gateways.sandbox.adapter import SandboxGateway


class GatewayUnknown(DomainError):
    """No gateway of this name is switched on here."""


def gateways_on() -> tuple[str, ...]:
    """The names of the gateways that are switched on.

    The sandbox moves no real money, so production has none, whatever its other settings say.
    """
    is_on = settings.SANDBOX_GATEWAY and not settings.PRODUCTION
    return (SandboxGateway.name,) if is_on else ()


def gateway_named(name: str) -> Gateway:
    """The adapter called `name`.

    :raises GatewayUnknown: there is none, or it is switched off.
    """
    if name in gateways_on():
        return SandboxGateway()
    raise GatewayUnknown(f"There is no payment gateway '{name}' on this installation.")
