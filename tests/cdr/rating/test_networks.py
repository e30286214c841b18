"""Networks found column-wise are those that Python's `ipaddress` finds one by one."""

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

import polars as pl
from hypothesis import example, given
from hypothesis import strategies as st

from cdr.rating.networks import by_address, canonical_addresses, longest_networks

Network = IPv4Network | IPv6Network
NAMED = {
    "value": pl.String,
    "customer_id": pl.Int64,
    "subscription_id": pl.Int64,
    "tags": pl.String,
}


@st.composite
def near_networks(draw: st.DrawFn) -> Network:
    """Of a few stems, so that many hold others."""
    stem = ip_address(draw(st.sampled_from(["10.0.0.0", "255.255.255.255", "2001:db8::", "::"])))
    host = stem.packed[:-1] + bytes([draw(st.integers(0, 255))])
    length = draw(st.integers(0, stem.max_prefixlen))
    return ip_network((host, length), strict=False)


@st.composite
def addresses_near(draw: st.DrawFn, networks: list[Network]) -> str:
    """The first and last of a network, and what lies just outside; or anything."""
    if not networks or draw(st.booleans()):
        return str(draw(st.ip_addresses()))
    network = draw(st.sampled_from(networks))
    edges = [network.network_address, network.broadcast_address]
    around = [int(edge) + step for edge in edges for step in (-1, 0, 1)]
    kind = type(network.network_address)
    most = 2**network.max_prefixlen - 1
    return str(kind(min(max(draw(st.sampled_from(around)), 0), most)))


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Network], list[str]]:
    networks = draw(st.lists(near_networks(), unique=True, max_size=12))
    return networks, draw(st.lists(addresses_near(networks), max_size=12))


class TestTheLongestNetwork:
    @given(worlds())
    @example(([], []))
    @example(([], ["10.0.0.1"]))
    @example(([ip_network("::/0"), ip_network("0.0.0.0/0")], ["10.0.0.1", "::a00:1"]))
    @example(([ip_network("10.0.0.0/24"), ip_network("10.0.0.0/8")], ["10.0.0.0", "10.0.1.0"]))
    def test_is_the_one_that_python_finds(self, world: tuple[list[Network], list[str]]) -> None:
        networks, addresses = world
        expected = []
        for address in addresses:
            holding = [each for each in networks if ip_address(address) in each]
            longest = max(holding, key=lambda each: each.prefixlen, default=None)
            expected.append(-1 if longest is None else networks.index(longest))

        found = longest_networks(addresses, [str(network) for network in networks])

        assert found.tolist() == expected

    def test_is_none_for_what_is_no_address(self) -> None:
        texts = ["gate-1", "10.0.0", "10.0.0.256", "a.b", ":", "1.2.3.4\0", "é.1:2"]

        assert longest_networks(texts, ["0.0.0.0/0", "::/0"]).tolist() == [-1] * len(texts)


class TestNamesByAddress:
    def test_put_addresses_in_place_of_networks_and_leave_what_is_named_itself(self) -> None:
        named = pl.DataFrame(
            [
                ("10.0.0.0/8", 1, None, None),
                ("10.1.0.0/16", 2, 20, "vip"),
                ("10.1.0.7", 3, None, None),
                ("192.0.2.0/24", 4, None, None),
            ],
            schema=NAMED,
            orient="row",
        )
        addresses = pl.Series(["10.1.0.7", "10.1.0.8", "10.2.0.1", "10.1.0.8", None, "11.0.0.1"])

        found = by_address(named, addresses).sort("value")

        assert found.rows() == [
            ("10.1.0.7", 3, None, None),
            ("10.1.0.8", 2, 20, "vip"),
            ("10.2.0.1", 1, None, None),
        ]


class TestAddressesAsReceived:
    def test_are_written_in_the_one_way_where_they_are_addresses(self) -> None:
        written = pl.Series(["10.0.0.1", "10.0.0.1:5060", None, "::ffff:10.0.0.1", "sip:x", "A::"])

        assert canonical_addresses(written).to_list() == [
            *("10.0.0.1", "10.0.0.1", None, "10.0.0.1", "sip:x", "a::")
        ]
