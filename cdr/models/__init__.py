"""Usage as received and as charged: sources, files, xDRs, legs, suspense and usage charges."""

from cdr.models.allowances import AllowanceCounter, AllowanceUse
from cdr.models.files import XdrChunk, XdrFile
from cdr.models.identities import XdrIdentity
from cdr.models.mending import Mending, XdrCorrection
from cdr.models.parties import LegKind, PartyKind
from cdr.models.rerating import (
    ReplacedLeg,
    Rerating,
    ReratingDelta,
    ReratingMove,
    ReratingSlice,
)
from cdr.models.retired_months import RetiredMonth
from cdr.models.sources import CustomerIdentifier, IdentifiedBy, Source, Trunk
from cdr.models.suspense import Suspense, SuspenseReason
from cdr.models.tier_totals import TierTotal
from cdr.models.usage_charges import UsageCharge
from cdr.models.what_ifs import WhatIf, WhatIfMargin, WhatIfReseller
from cdr.models.xdrs import Leg, Xdr

__all__ = [
    "AllowanceCounter",
    "AllowanceUse",
    "CustomerIdentifier",
    "IdentifiedBy",
    "Leg",
    "LegKind",
    "Mending",
    "PartyKind",
    "ReplacedLeg",
    "Rerating",
    "ReratingDelta",
    "ReratingMove",
    "ReratingSlice",
    "RetiredMonth",
    "Source",
    "Suspense",
    "SuspenseReason",
    "TierTotal",
    "Trunk",
    "UsageCharge",
    "WhatIf",
    "WhatIfMargin",
    "WhatIfReseller",
    "Xdr",
    "XdrChunk",
    "XdrCorrection",
    "XdrFile",
    "XdrIdentity",
]
