"""The parties of a charge and the charges of an xDR, by the numbers they are stored under."""

from enum import IntEnum

PROVIDER_ID = 0
"""The provider as a party: there is one, and it stands above every reseller."""

ON_NET = "on-net"
"""The tag of xDRs that ended at a customer."""


class Party(IntEnum):
    """Who pays or is paid on a leg."""

    PROVIDER = 0
    RESELLER = 1
    CUSTOMER = 2
    VENDOR = 3


class Charge(IntEnum):
    """Which of the three charges of an xDR a leg is."""

    CUSTOMER = 1
    RESELLER = 2
    VENDOR = 3
