"""The reseller portal's pages: each surface file lists its own, and joins them by one line here."""

from web.reseller_portal import (
    codes,
    commission,
    customers,
    home,
    invoice_statuses,
    resellers,
    settlements,
    usage_totals,
    wholesale,
)

urlpatterns = [
    *home.urls,
    *customers.urls,
    *usage_totals.urls,
    *invoice_statuses.urls,
    *resellers.urls,
    *codes.urls,
    *commission.urls,
    *wholesale.urls,
    *settlements.urls,
]
