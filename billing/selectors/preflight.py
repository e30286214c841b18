"""What to know before a period is billed: what is missing, and what it may be worth."""

from dataclasses import dataclass
from datetime import date

from billing.models import BillRun, BillRunItem
from billing.selectors.tax_profiles import default_taxes
from cdr.models import XdrFile
from cdr.selectors.suspense_groups import SuspenseCount, suspense_counts
from common.periods import Period
from common.scope import Scope
from customers.models import Customer
from tenancy.owned import ProviderQuerySet

_FINISHED = (XdrFile.State.DONE, XdrFile.State.FAILED)
_SERVED = (Customer.State.ACTIVE, Customer.State.RESTRICTED, Customer.State.DISABLED)


@dataclass(frozen=True)
class Preflight:
    """Open suspense, files still at work, customers whose address is missing, and the taxes.

    None of it stops a run: usage that comes late is billed by the next one.
    """

    suspense: tuple[SuspenseCount, ...]
    open_file_count: int
    customer_count: int
    without_address_count: int
    taxes: tuple[str, ...]


def billable_customers(scope: Scope) -> ProviderQuerySet[Customer]:
    """Customers that a bill run invoices: served, and not excepted, by number."""
    rows = Customer.objects.visible_to(scope).filter(is_billable=True, state__in=_SERVED)
    return rows.order_by("number", "pk")


def preflight(scope: Scope, run: BillRun, today: date) -> Preflight:
    """The state of things before the run is calculated, as of now."""
    chosen = BillRunItem.objects.visible_to(scope).filter(run=run)
    files = XdrFile.objects.visible_to(scope).exclude(state__in=_FINISHED)
    billed = billable_customers(scope)
    if run.is_partial:
        billed = Customer.objects.visible_to(scope).filter(pk__in=chosen.values("customer"))
    last_date = Period(run.period_from, run.period_to).last_date
    return Preflight(
        suspense=tuple(suspense_counts(scope, today)),
        open_file_count=files.count(),
        customer_count=billed.count(),
        without_address_count=billed.filter(address="").count(),
        taxes=tuple(tax.name for tax in default_taxes(scope, last_date)),
    )
