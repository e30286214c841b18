"""The console's pages: each surface file lists its own, and joins them by one line here."""

from web.console import components, customers, home, invoices

urlpatterns = [
    *home.urls,
    *components.urls,
    *customers.urls,
    *invoices.urls,
]
