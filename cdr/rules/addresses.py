"""IP addresses and networks as they are stored and compared: one way to write each."""

import re
from ipaddress import IPv6Address, IPv6Network, ip_address, ip_network

_IPV4_WITH_PORT = re.compile(r"(\d+(?:\.\d+){3}):\d+")
_BRACKETED = re.compile(r"\[([^\]]+)\](?::\d+)?")
_MAPPED_BITS = 96
"""In front of an IPv4 address that is written as an IPv6 one (RFC 4291, 2.5.5.2)."""


def canonical_address(text: str) -> str | None:
    """An address as RFC 5952 writes it, without port and zone; None for what is no address.

    One of IPv4 that is mapped into IPv6 is written as the one of IPv4: it is the same host.
    """
    bare = text.strip()
    for written in (_IPV4_WITH_PORT, _BRACKETED):
        if found := written.fullmatch(bare):
            bare = found[1]
    try:
        address = ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)


def is_address(text: str) -> bool:
    """Whether a text is an address in the one way to write it."""
    return ("." in text or ":" in text) and canonical_address(text) == text


def canonical_network(text: str) -> str:
    """A network (192.0.2.0/24, 2001:db8::/32), or the address where it holds but one.

    :raises ValueError: it is none, or names a host within its network; the message says which.
    """
    bare = text.strip()
    address, slash, length = bare.partition("/")
    if not slash:
        raise ValueError(f"{bare!r} is no address")
    host = ip_address(address)
    if isinstance(host, IPv6Address) and host.scope_id:
        raise ValueError("a network has no zone")
    network = ip_network(f"{host}/{length}", strict=False)
    if network.network_address != host:
        raise ValueError(f"{host} is within the network {network}; write that, or the address")
    if isinstance(network, IPv6Network) and network.prefixlen >= _MAPPED_BITS:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            network = ip_network(f"{mapped}/{network.prefixlen - _MAPPED_BITS}")
    is_one = network.prefixlen == network.max_prefixlen
    return str(network.network_address) if is_one else str(network)
