"""The usage behind an invoice as a file to take away."""

from collections.abc import Iterable

from django.http import HttpResponse

from billing.models import Invoice
from billing.selectors.appendix import BilledDay
from web.shared.exports import csv_response

COLUMNS = (
    *("Day", "Product", "Destination", "Calls", "Billed volume", "Included volume", "Unit"),
    *("Net", "Currency"),
)


def appendix_response(invoice: Invoice, days: Iterable[BilledDay]) -> HttpResponse:
    """One line for each day, product and destination; amounts exact, before tax."""
    number = str(invoice)
    name = "".join(sign if sign.isalnum() or sign in "-_." else "-" for sign in number)
    rows = [
        (
            row.day,
            row.product_name,
            row.destination,
            row.call_count,
            row.billed_volume,
            row.included_volume,
            row.volume_unit,
            row.net_amount,
            invoice.currency,
        )
        for row in days
    ]
    return csv_response(f"usage-{name}", COLUMNS, rows)
