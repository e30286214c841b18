from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdr.rules.addresses import canonical_address, canonical_network, is_address


class TestAnAddress:
    @pytest.mark.parametrize(
        ("written", "canonical"),
        [
            ("192.0.2.7", "192.0.2.7"),
            (" 192.0.2.7 ", "192.0.2.7"),
            ("192.0.2.7:5060", "192.0.2.7"),
            ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
            ("[2001:db8::1]:5060", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("fe80::1%eth0", "fe80::1"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("::FFFF:c000:207", "192.0.2.7"),
            ("010.0.0.1", None),
            ("192.0.2", None),
            ("192.0.2.7:", None),
            ("192.0.2.0/24", None),
            ("gate-1", None),
            ("", None),
        ],
    )
    def test_is_written_in_one_way(self, written: str, canonical: str | None) -> None:
        assert canonical_address(written) == canonical
        assert is_address(written) == (written == canonical)

    @given(st.ip_addresses())
    def test_is_written_as_python_writes_it(self, address: object) -> None:
        mapped = getattr(address, "ipv4_mapped", None)

        assert canonical_address(str(address)) == str(mapped or address)


class TestANetwork:
    @pytest.mark.parametrize(
        ("written", "canonical"),
        [
            ("192.0.2.0/24", "192.0.2.0/24"),
            (" 192.0.2.0/255.255.255.0", "192.0.2.0/24"),
            ("192.0.2.7/32", "192.0.2.7"),
            ("2001:DB8::/32", "2001:db8::/32"),
            ("2001:db8::1/128", "2001:db8::1"),
            ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("::/0", "::/0"),
        ],
    )
    def test_is_written_in_one_way(self, written: str, canonical: str) -> None:
        assert canonical_network(written) == canonical

    @pytest.mark.parametrize(
        ("written", "why"),
        [
            ("192.0.2.7/24", "192.0.2.7 is within the network 192.0.2.0/24"),
            ("2001:db8::1/32", "2001:db8::1 is within the network 2001:db8::/32"),
            ("192.0.2.0/33", "does not appear to be"),
            ("192.0.2.0/", "does not appear to be"),
            ("192.0.2/24", "does not appear to be"),
            ("fe80::%eth0/64", "has no zone"),
            ("gate-1", "'gate-1' is no address"),
        ],
    )
    def test_is_refused_with_the_reason(self, written: str, why: str) -> None:
        with pytest.raises(ValueError, match=why):
            canonical_network(written)

    @given(st.ip_addresses(), st.integers(0, 128))
    def test_is_written_as_python_writes_it(self, address: object, length: int) -> None:
        most = ip_address(str(address)).max_prefixlen
        network = ip_network(f"{address}/{min(length, most)}", strict=False)
        if getattr(network.network_address, "ipv4_mapped", None) or network.num_addresses == 1:
            return

        assert canonical_network(str(network)) == str(network)
