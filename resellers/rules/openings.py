"""What a provider may open to a reseller in its portal, all closed to begin with."""

USAGE_TOTALS = "usage_totals.read"
INVOICE_STATUS = "invoice_status.read"
COMMISSION = "commission.read"
BRANCH = "branch.read"

OPENINGS = {
    "sees_usage_totals": USAGE_TOTALS,
    "sees_invoice_status": INVOICE_STATUS,
    "sees_commission": COMMISSION,
    "sees_branch": BRANCH,
}
"""The column of the reseller that opens it -> the permission code its users then have."""
