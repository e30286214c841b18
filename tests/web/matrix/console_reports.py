from tenancy.models import Provider
from tests.web.matrix import Page, staff


def tax(provider: Provider) -> dict[str, object]:
    """A report has no rows of its own: every provider sees its own figures."""
    return {"name": "tax"}


PAGES = {
    "console_reports": Page(staff("payouts.list")),
    "console_report": Page({**staff("payouts.read"), "other provider": 200}, tax),
    "console_reseller_dashboard": Page(staff("payouts.read")),
}
