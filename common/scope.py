"""Who is asking, and for which provider: the value every selector takes."""

from dataclasses import dataclass, field, replace
from enum import StrEnum


class Surface(StrEnum):
    """Where a request comes from; what a scope may see depends on it."""

    CONSOLE = "CONSOLE"
    ACCOUNT_CENTRE = "ACCOUNT_CENTRE"
    RESELLER_PORTAL = "RESELLER_PORTAL"
    API = "API"
    SYSTEM = "SYSTEM"


@dataclass(frozen=True)
class Scope:
    """One user (or the system) acting inside one provider.

    On the account centre `customer_id` is set, on the reseller portal `reseller_id`; selectors
    narrow their rows by it. `below_ids` are the resellers below that one, where the provider opened
    its branch to it. `has_resellers` is False on the console while the provider's reseller module
    is off: then no page about a reseller exists. `permissions` holds the permission codes of
    `tenancy.rules`, on the portals those of `web.access`; in the API those that a token passes on,
    where `user_id` is None for a service account.
    """

    provider_id: int
    surface: Surface
    user_id: int | None = None
    permissions: frozenset[str] = field(default_factory=frozenset)
    customer_id: int | None = None
    reseller_id: int | None = None
    below_ids: frozenset[int] = field(default_factory=frozenset)
    has_resellers: bool = True

    def __post_init__(self) -> None:
        assert (self.surface is Surface.ACCOUNT_CENTRE) == (self.customer_id is not None)
        assert (self.surface is Surface.RESELLER_PORTAL) == (self.reseller_id is not None)
        assert not self.below_ids or self.reseller_id is not None

    @classmethod
    def system(cls, provider_id: int) -> "Scope":
        """A scope for tasks and commands: all rows of one provider."""
        return cls(provider_id=provider_id, surface=Surface.SYSTEM)

    @property
    def alone(self) -> "Scope":
        """The same without the branch: what is the reseller's very own."""
        return replace(self, below_ids=frozenset())

    @property
    def branch_ids(self) -> frozenset[int]:
        """The resellers whose customers the reseller sees: itself, and those below where opened."""
        assert self.reseller_id is not None
        return self.below_ids | {self.reseller_id}

    @property
    def sees_whole_provider(self) -> bool:
        """Staff, their programs and the system see all rows, subject to permissions."""
        return self.surface in (Surface.CONSOLE, Surface.API, Surface.SYSTEM)
