"""The account centre's pages: each surface file lists its own, and joins them by one line here."""

from web.account_centre import home

urlpatterns = [
    *home.urls,
]
