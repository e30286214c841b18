"""Where a report's figures lead: to customers, resellers, documents and xDRs behind them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from billing.models import Invoice
from cdr.models import SuspenseReason
from common.periods import Period, parse_month
from common.scope import Scope
from customers.selectors import customers
from payments.models import Payment
from reports.library import Report
from resellers.selectors import resellers

WITHOUT_RESELLER = "null"


class Behind:
    """What is behind the rows that a page shows, for who asks: links they could not follow are out.

    Customers and resellers are looked up at once, by their numbers.
    """

    def __init__(self, scope: Scope, report: Report, period: Period, rows: Sequence[Any]) -> None:
        self.period = period
        self._permissions = scope.permissions
        self._own = _OF_REPORTS.get(report.name, {})
        self.resellers = (
            dict(resellers(scope).values_list("number", "pk"))
            if "reseller_number" in report.columns
            else {}
        )
        numbers = {getattr(row, "customer_number", None) for row in rows} - {None}
        shown = customers(scope).filter(number__in=numbers) if numbers else None
        self.customers = {} if shown is None else dict(shown.values_list("number", "pk"))

    def url_of(self, row: Any, column: str) -> str:
        """The address of what is behind a column of a row; empty where there is nothing."""
        find = self._own.get(column) or _OF_ALL.get(column)
        found = find(self, row) if find else None
        if found is None:
            return ""
        needs, url = found
        return url if needs in self._permissions else ""

    def month_of(self, row: Any) -> dict[str, str]:
        """The row's month, as far as it is in the period, as lists of documents are asked for."""
        whole = parse_month(row.month)
        first = max(whole.from_date, self.period.from_date)
        last = min(whole.to_date, self.period.to_date) - timedelta(days=1)
        return _days(first, last)


_Found = tuple[str, str] | None
"""The permission code that the page needs, and its address."""
_Find = Callable[[Behind, Any], _Found]


def _page(needs: str, url_name: str, **query: object) -> _Found:
    asked = {name: value for name, value in query.items() if value}
    address = reverse(url_name)
    return needs, f"{address}?{urlencode(asked)}" if asked else address


def _days(first: date, last: date) -> dict[str, str]:
    return {"since": first.isoformat(), "until": last.isoformat()}


def _reseller(behind: Behind, row: Any, url_name: str = "console_reseller") -> _Found:
    reseller_id = behind.resellers.get(row.reseller_number)
    if reseller_id is None:
        return None
    return "resellers.read", reverse(url_name, kwargs={"reseller_id": reseller_id})


def _customer(behind: Behind, row: Any, url_name: str = "console_customer") -> _Found:
    customer_id = behind.customers.get(row.customer_number)
    if customer_id is None:
        return None
    return "customers.read", reverse(url_name, kwargs={"customer_id": customer_id})


def _payer(behind: Behind, row: Any) -> _Found:
    return _reseller(behind, row) if row.customer_number is None else _customer(behind, row)


def _tag(behind: Behind, row: Any) -> object:
    if not hasattr(row, "reseller_number"):
        return WITHOUT_RESELLER
    return behind.resellers.get(row.reseller_number)


def _sold(behind: Behind, row: Any) -> _Found:
    return _page(
        "invoices.list",
        "console_invoices",
        kind=Invoice.Kind.CUSTOMER,
        reseller=_tag(behind, row),
        currency=row.currency,
        **behind.month_of(row),
    )


def _credited(behind: Behind, row: Any) -> _Found:
    tag, days = _tag(behind, row), behind.month_of(row)
    return _page("money.list", "console_credit_notes", reseller=tag, currency=row.currency, **days)


def _due(behind: Behind, row: Any) -> _Found:
    asked = {"customer": row.customer_number, "currency": row.currency}
    return _page("invoices.list", "console_invoices", **asked) if row.customer_number else None


def _statements(behind: Behind, row: Any) -> _Found:
    reseller_id = behind.resellers.get(row.reseller_number)
    return _page("payouts.list", "console_statements", reseller=reseller_id)


def _acquired(behind: Behind, row: Any) -> _Found:
    since = behind.month_of(row)["since"]
    reseller_id = behind.resellers.get(row.reseller_number)
    return _page("customers.list", "console_customers", reseller=reseller_id, since=since)


def _first_invoice(behind: Behind, row: Any) -> _Found:
    return _page("invoices.list", "console_invoices", q=row.first_invoice)


def _posted(behind: Behind, row: Any) -> _Found:
    modes = {label: value for value, label in Payment.Mode.choices}
    posted = {f"posted_{end}": day for end, day in behind.month_of(row).items()}
    asked = {"mode": modes[row.mode], "gateway": row.gateway, "currency": row.currency}
    return _page("money.list", "console_payments", **asked, **posted)


def _invoices_of_month(behind: Behind, row: Any) -> _Found:
    asked = {"currency": row.currency, **behind.month_of(row)}
    return _page("invoices.list", "console_invoices", **asked)


def _xdrs_of_month(behind: Behind, row: Any) -> _Found:
    return _page("usage.read", "console_xdrs", **behind.month_of(row))


def _xdrs_of_day(behind: Behind, row: Any) -> _Found:
    return _page("usage.read", "console_xdrs", **_days(row.day, row.day))


def _files_since(behind: Behind, row: Any) -> _Found:
    return _page("usage.read", "console_xdr_files", since=row.day.isoformat())


def _suspense(behind: Behind, row: Any) -> _Found:
    reasons = {label: value for value, label in SuspenseReason.choices}
    return _page("usage.read", "console_suspense", reason=reasons[row.reason])


def _wholesale(behind: Behind, row: Any) -> _Found:
    found = _reseller(behind, row, "console_reseller_wholesale")
    return found and ("invoices.read", found[1])


def _unbilled(behind: Behind, row: Any) -> _Found:
    found = _customer(behind, row, "console_customer_unbilled")
    return found and ("invoices.read", found[1])


def _ledger(behind: Behind, row: Any) -> _Found:
    found = _customer(behind, row, "console_customer_ledger")
    return found and ("money.read", found[1])


_OF_ALL: Mapping[str, _Find] = {
    "reseller_number": _reseller,
    "reseller": _reseller,
    "party": _reseller,
    "owner": _reseller,
    "customer_number": _customer,
    "customer": _customer,
    "payer": _payer,
}
_OF_SALES: Mapping[str, _Find] = {
    "invoice_count": _sold,
    "invoiced_amount": _sold,
    "credited_amount": _credited,
}
_OF_REPORTS: Mapping[str, Mapping[str, _Find]] = {
    "total-reseller-sales": _OF_SALES,
    "non-reseller-sales": _OF_SALES,
    "reseller-payout": dict.fromkeys(("accrued_amount", "settled_amount"), _statements),
    "acquired-customers": {"first_invoice": _first_invoice},
    "acquisition": {"acquired_count": _acquired},
    "wholesale": {"day": _xdrs_of_day, "charged_amount": _wholesale},
    "aged-receivables": {"invoice_count": _due, "due_amount": _due},
    "collections": {"payment_count": _posted, "received_amount": _posted},
    "tax": {"month": _invoices_of_month},
    "unbilled": {"unbilled_amount": _unbilled, "usage_amount": _unbilled},
    "credit-exposure": {"receivable_amount": _due, "wallet_amount": _ledger},
    "wallet-holdings": {"held_amount": _ledger},
    "margin": {"month": _xdrs_of_month},
    "margin-by-reseller": {"month": _xdrs_of_month},
    "margin-by-destination": {"month": _xdrs_of_month},
    "vendor-cost": {"month": _xdrs_of_month},
    "traffic": {"month": _xdrs_of_month},
    "traffic-by-source": {"day": _files_since},
    "suspense-ageing": {"reason": _suspense},
}
