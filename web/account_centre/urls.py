"""The account centre's pages: each surface file lists its own, and joins them by one line here."""

from web.account_centre import (
    activity,
    billing,
    customers,
    home,
    payments,
    services,
    team,
    usage,
    wallet,
)

urlpatterns = [
    *home.urls,
    *services.urls,
    *usage.urls,
    *billing.urls,
    *payments.urls,
    *wallet.urls,
    *customers.urls,
    *team.urls,
    *activity.urls,
]
