"""API tokens as they are kept and recognised, and where they may be used from."""

import hashlib
import ipaddress
from collections.abc import Iterable

MARK = "tgt_"
"""How every token begins, so that scanners of leaked secrets know one when they see it."""

SHOWN_CHARACTERS = 12
"""So much of a token is kept as it is, for people to tell theirs apart."""


def hash_of(secret: str) -> str:
    """What is kept of a token: SHA-256 in hexadecimal.

    A slow hash, as for passwords, would add nothing: there is no dictionary of random bits.
    """
    return hashlib.sha256(secret.encode()).hexdigest()


def normal_networks(texts: Iterable[str]) -> list[str]:
    """Addresses and networks (IPv4, IPv6) in CIDR notation, each once, in order.

    :raises ValueError: naming what is neither; host bits that a network leaves open must be zero.
    """
    return sorted({str(ipaddress.ip_network(text.strip())) for text in texts})


def is_within(address: str, networks: Iterable[str]) -> bool:
    """Whether an address is in one of the networks; any is where there are none."""
    listed = [ipaddress.ip_network(network) for network in networks]
    try:
        asked_from = ipaddress.ip_address(address)
    except ValueError:
        return not listed
    if isinstance(asked_from, ipaddress.IPv6Address) and asked_from.ipv4_mapped:
        asked_from = asked_from.ipv4_mapped
    return not listed or any(asked_from in network for network in listed)
