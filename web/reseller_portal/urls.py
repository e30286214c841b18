"""The reseller portal's pages: each surface file lists its own, and joins them by one line here."""

from web.reseller_portal import home

urlpatterns = [
    *home.urls,
]
