"""The account centre's pages: each surface file lists its own, and joins them by one line here."""

from web.account_centre import billing, home, payments, wallet

urlpatterns = [
    *home.urls,
    *billing.urls,
    *payments.urls,
    *wallet.urls,
]
