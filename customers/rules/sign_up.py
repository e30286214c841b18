"""Who may sign up."""

from collections.abc import Iterable


def is_blocked(email: str, domains: Iterable[str]) -> bool:
    """Whether an address is of one of the domains, or of one below it: throw-away mail, mostly."""
    domain = email.rpartition("@")[2].lower()
    return any(domain == blocked or domain.endswith(f".{blocked}") for blocked in domains)
