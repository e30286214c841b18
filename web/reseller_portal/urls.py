"""The reseller portal's pages: each surface file lists its own, and joins them by one line here."""

from web.reseller_portal import codes, customers, home, wholesale

urlpatterns = [
    *home.urls,
    *customers.urls,
    *codes.urls,
    *wholesale.urls,
]
