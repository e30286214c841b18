"""Whose network an address is of, column-wise: the longest one that holds it counts."""

import socket

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cdr.rules.addresses import canonical_address

Packed = NDArray[np.uint8]
"""Addresses of one family by row, their bytes by column, the most significant first."""

_FAMILIES = {socket.AF_INET: 4, socket.AF_INET6: 16}
_NOWHERE = -1


def canonical_addresses(written: pl.Series) -> pl.Series:
    """Addresses as they are compared and stored; what is no address stays as it is."""
    # IPv4 without a port, as nearly all are, is written in one way only.
    doubtful = written.str.contains(":", literal=True).fill_null(False)
    if not doubtful.any():
        return written
    distinct = written.filter(doubtful).unique()
    canonical = [canonical_address(text) or text for text in distinct]
    return written.replace(distinct, pl.Series(canonical, dtype=pl.String))


def has_networks(named: pl.DataFrame) -> bool:
    """Whether some of the values name more than one address."""
    return len(named) > 0 and bool(named["value"].str.contains("/", literal=True).any())


def by_address(named: pl.DataFrame, addresses: pl.Series) -> pl.DataFrame:
    """`named` with each of the addresses in place of the network (`value`) that holds it.

    An address that `named` has itself is of no network; so is one that none holds. Both are
    canonical, as are the networks.
    """
    is_network = named["value"].str.contains("/", literal=True)
    networks, hosts = named.filter(is_network), named.filter(~is_network)
    open_ = addresses.drop_nulls().unique()
    open_ = open_.filter(~open_.is_in(hosts["value"].to_list()))
    place = longest_networks(open_.to_list(), networks["value"].to_list())
    is_held = place != _NOWHERE
    holding: pl.DataFrame = networks[place[is_held]]
    held = holding.with_columns(value=open_.filter(pl.Series(is_held)))
    return pl.concat([hosts, held])


def longest_networks(addresses: list[str], networks: list[str]) -> NDArray[np.int64]:
    """The place of the longest of the networks that holds each address; -1 for none."""
    found = np.full(len(addresses), _NOWHERE, dtype=np.int64)
    starts, lengths = _lengths(networks)
    for family, width in _FAMILIES.items():
        of_hosts, hosts = _packed(addresses, family, width)
        of_networks, packed = _packed(starts, family, width)
        found[of_hosts] = _longest(hosts, packed, lengths[of_networks], of_networks)
    return found


def _lengths(networks: list[str]) -> tuple[list[str], NDArray[np.int64]]:
    parts = [network.partition("/") for network in networks]
    lengths = np.array([int(length) for *_, length in parts], dtype=np.int64)
    return [start for start, *_ in parts], lengths


def _packed(addresses: list[str], family: int, width: int) -> tuple[NDArray[np.int64], Packed]:
    """Those of a family: their places, and their bytes."""
    mark = ":" if family == socket.AF_INET6 else "."
    places, texts = [], []
    for place, address in enumerate(addresses):
        if mark in address:
            try:
                texts.append(socket.inet_pton(family, address))
            except (OSError, ValueError):
                continue
            places.append(place)
    packed = np.frombuffer(b"".join(texts), dtype=np.uint8).reshape(len(texts), width)
    return np.array(places, dtype=np.int64), packed


def _longest(
    hosts: Packed, networks: Packed, lengths: NDArray[np.int64], places: NDArray[np.int64]
) -> NDArray[np.int64]:
    """For each host the place of the network: of each length one look-up, the longest first."""
    found = np.full(len(hosts), _NOWHERE, dtype=np.int64)
    for length in np.unique(lengths)[::-1]:
        open_ = np.flatnonzero(found == _NOWHERE)
        if not len(open_):
            break
        of_length = np.flatnonzero(lengths == length)
        keys = _keys(networks[of_length])
        order = np.argsort(keys)
        wanted = _keys(hosts[open_] & _mask(int(length), hosts.shape[1]))
        at = np.searchsorted(keys, wanted, sorter=order).clip(max=len(keys) - 1)
        nearest = order[at]
        is_held = keys[nearest] == wanted
        found[open_[is_held]] = places[of_length[nearest[is_held]]]
    return found


def _mask(length: int, width: int) -> Packed:
    return np.packbits(np.arange(8 * width) < length)


def _keys(packed: Packed) -> NDArray[np.bytes_]:
    """Rows of bytes as values that can be ordered and compared."""
    width = packed.shape[1]
    return np.ascontiguousarray(packed).view(f"S{width}").reshape(-1)
