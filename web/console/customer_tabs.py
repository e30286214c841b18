"""The pages about one customer, one for each tab."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from billing.selectors.credit_notes import credit_notes
from billing.selectors.invoices import invoices
from common.scope import Scope, Surface
from customers import selectors
from customers.models import Customer
from ledger.models import AccountKind
from ledger.selectors import owned_transfers
from payments.selectors.payments import payments
from payments.selectors.service_balance import service_balance
from subscriptions.selectors import subscriptions
from web.access import SurfaceRequest, page_of
from web.shared.actions import Action, Tab, allowed
from web.shared.allowances import IncludesColumn
from web.shared.links import url_of_document
from web.shared.lists import Empty, list_page
from web.shared.tables import (
    BadgeColumn,
    Column,
    DateColumn,
    InstantColumn,
    LinkColumn,
    MoneyColumn,
    NumberColumn,
    Table,
)
from web.shared.tiers import TieredPriceColumn

# Label, URL name, and the permission code without which the tab is not there.
TABS = (
    ("Overview", "console_customer", "customers.read"),
    ("Subscriptions", "console_customer_subscriptions", "subscriptions.read"),
    ("Numbers", "console_identifiers", "customers.read"),
    ("Unbilled", "console_customer_unbilled", "invoices.read"),
    ("Usage", "console_customer_usage", "usage.read"),
    ("Allowances", "console_customer_allowances", "usage.read"),
    ("Invoices", "console_customer_invoices", "invoices.read"),
    ("Credit notes", "console_customer_credit_notes", "money.read"),
    ("Payments", "console_customer_payments", "money.read"),
    ("Ledger", "console_customer_ledger", "money.read"),
    ("Team", "console_customer_team", "customers.read"),
    ("Rate notices", "console_customer_rate_notices", "customers.read"),
    ("Activity", "console_customer_activity", "customers.read"),
)


def url(customer: Customer) -> str:
    """The customer's first page."""
    return reverse("console_customer", kwargs={"customer_id": customer.pk})


def frame(request: SurfaceRequest, customer: Customer) -> dict[str, object]:
    """What stands above every tab of a customer."""
    return {
        "customer": customer,
        "actions": allowed(request.scope, _actions(customer)),
        "tabs": _tabs(request.scope, request.path, customer),
    }


def _tabs(scope: Scope, current: str, customer: Customer) -> list[Tab]:
    addresses = [
        (label, reverse(url_name, kwargs={"customer_id": customer.pk}))
        for label, url_name, needs in TABS
        if needs in scope.permissions
    ]
    return [Tab(label, address, address == current) for label, address in addresses]


def awaits_approval(customer: Customer) -> bool:
    """Whether somebody signed up, and the provider has not decided about them yet."""
    is_draft = customer.state == Customer.State.DRAFT
    return is_draft and customer.channel == Customer.Channel.SIGN_UP


def _actions(customer: Customer) -> list[Action]:
    if customer.state == Customer.State.TERMINATED:
        return []
    of_customer = {"customer_id": customer.pk}
    waiting = {"waiting_id": customer.pk}
    approval = [
        Action(
            "Refuse",
            reverse("console_customer_refuse", kwargs=waiting),
            "x-mark",
            needs="customers.write",
        ),
        Action(
            "Approve",
            reverse("console_customer_approve", kwargs=waiting),
            "check",
            needs="customers.write",
            is_main=True,
        ),
    ]
    return [
        *(approval if awaits_approval(customer) else ()),
        Action(
            "Record payment",
            reverse("console_customer_payment", kwargs=of_customer),
            "banknotes",
            needs="money.write",
        ),
        Action(
            "Catalogue",
            reverse("console_customer_catalogue", kwargs=of_customer),
            "tag",
            needs="customers.write",
        ),
        Action(
            "Billing terms",
            reverse("console_customer_terms", kwargs=of_customer),
            "adjustments-horizontal",
            needs="customers.write",
        ),
        Action(
            "State",
            reverse("console_customer_state", kwargs=of_customer),
            "power",
            needs="customers.write",
        ),
        Action(
            "Edit",
            reverse("console_customer_edit", kwargs=of_customer),
            "pencil-square",
            needs="customers.write",
        ),
    ]


@page_of(Surface.CONSOLE, "customers.read")
def customer_overview(request: SurfaceRequest, customer_id: int) -> HttpResponse:
    customer = selectors.customer(request.scope, customer_id)
    context = {
        "balance": service_balance(request.scope, customer_id=customer.pk),
        **frame(request, customer),
    }
    return render(request, "console/customers/customer_overview.html", context)


class SubscriptionTable(Table):
    product = Column("Product", accessor="product__name")
    state = BadgeColumn("State", accessor="get_state_display", value="state")
    quantity = NumberColumn("Quantity")
    price = TieredPriceColumn(of="item")
    price_period = Column("Per", accessor="get_price_period_display")
    includes = IncludesColumn(of="item", quantity="quantity")
    start_date = DateColumn("From")
    end_date = DateColumn("Until")


@page_of(Surface.CONSOLE, "subscriptions.read")
def customer_subscriptions(request: SurfaceRequest, customer_id: int) -> HttpResponse:
    customer = selectors.customer(request.scope, customer_id)
    return list_page(
        request,
        title=f"Subscriptions of {customer}",
        rows=subscriptions(request.scope, customer),
        table=SubscriptionTable,
        name=f"subscriptions-{customer.number}",
        empty=Empty("No subscriptions", "The customer has bought nothing yet."),
        template="console/customers/customer_list_tab.html",
        context=frame(request, customer),
    )


class InvoiceTable(Table):
    number = LinkColumn("Number")
    state = BadgeColumn("State", accessor="get_state_display", value="state")
    issue_date = DateColumn("Issued")
    due_date = DateColumn("Due")
    net_amount = MoneyColumn("Net")
    tax_amount = MoneyColumn("Tax")
    gross_amount = MoneyColumn("Gross")


@page_of(Surface.CONSOLE, "invoices.read")
def customer_invoices(request: SurfaceRequest, customer_id: int) -> HttpResponse:
    customer = selectors.customer(request.scope, customer_id)
    return list_page(
        request,
        title=f"Invoices of {customer}",
        rows=invoices(request.scope).filter(customer=customer),
        table=InvoiceTable,
        name=f"invoices-{customer.number}",
        empty=Empty("No invoices yet", "They appear here when a bill run is issued."),
        template="console/customers/customer_list_tab.html",
        context=frame(request, customer),
    )


class CreditNoteTable(Table):
    number = LinkColumn("Number")
    invoice = LinkColumn("Corrects invoice", to="invoice")
    reason = Column("Reason")
    issue_date = DateColumn("Issued")
    net_amount = MoneyColumn("Net")
    tax_amount = MoneyColumn("Tax")
    gross_amount = MoneyColumn("Gross")


@page_of(Surface.CONSOLE, "money.read")
def customer_credit_notes(request: SurfaceRequest, customer_id: int) -> HttpResponse:
    customer = selectors.customer(request.scope, customer_id)
    return list_page(
        request,
        title=f"Credit notes of {customer}",
        rows=credit_notes(request.scope).filter(customer=customer),
        table=CreditNoteTable,
        name=f"credit-notes-{customer.number}",
        empty=Empty("No credit notes", "An invoice is corrected by one, from the invoice's page."),
        template="console/customers/customer_list_tab.html",
        context=frame(request, customer),
    )


class PaymentTable(Table):
    order_number = LinkColumn("Payment")
    state = BadgeColumn("State", accessor="get_state_display", value="state")
    mode = BadgeColumn("Mode", accessor="get_mode_display", value="mode")
    reference = Column("Reference")
    posting_date = DateColumn("Posted")
    # In files only: the screen is narrow, and the payment's page has them.
    receipt_number = Column("Receipt", visible=False)
    created_at = InstantColumn("Recorded", visible=False)
    allocated_amount = MoneyColumn("Settles")
    amount = MoneyColumn("Amount")


@page_of(Surface.CONSOLE, "money.read")
def customer_payments(request: SurfaceRequest, customer_id: int) -> HttpResponse:
    customer = selectors.customer(request.scope, customer_id)
    address = reverse("console_customer_payment", kwargs={"customer_id": customer.pk})
    record = Action("Record payment", address, "banknotes", needs="money.write")
    return list_page(
        request,
        title=f"Payments of {customer}",
        rows=payments(request.scope).filter(customer=customer),
        table=PaymentTable,
        name=f"payments-{customer.number}",
        empty=Empty("Nothing paid yet", "Payments of every way appear here.", record),
        template="console/customers/customer_payments.html",
        context={
            "balance": service_balance(request.scope, customer_id=customer.pk),
            **frame(request, customer),
        },
    )


class LedgerTable(Table):
    effective_date = DateColumn("Date")
    kind = Column("What", accessor="get_kind_display")
    document = Column("Document")
    debit = Column("To", accessor="debit__get_kind_display")
    credit = Column("From", accessor="credit__get_kind_display")
    amount = MoneyColumn("Amount", currency="debit__currency")
    recorded_at = InstantColumn("Recorded")

    def render_document(self, value: str) -> SafeString:
        label = value.replace("_", " ").replace(":", " ").capitalize()
        url = url_of_document(Surface.CONSOLE, value)
        return format_html('<a href="{}">{}</a>' if url else "{1}", url, label)


@page_of(Surface.CONSOLE, "money.read")
def customer_ledger(request: SurfaceRequest, customer_id: int) -> HttpResponse:
    customer = selectors.customer(request.scope, customer_id)
    kinds = [AccountKind.CUSTOMER_RECEIVABLE, AccountKind.CUSTOMER_WALLET]
    return list_page(
        request,
        title=f"Ledger of {customer}",
        rows=owned_transfers(request.scope, kinds=kinds, owner=str(customer.pk)),
        table=LedgerTable,
        name=f"ledger-{customer.number}",
        empty=Empty("Nothing moved yet", "Invoices, payments and credit notes are booked here."),
        template="console/customers/customer_list_tab.html",
        context=frame(request, customer),
    )


urls = [
    path("customers/<int:customer_id>/", customer_overview, name="console_customer"),
    path(
        "customers/<int:customer_id>/subscriptions/",
        customer_subscriptions,
        name="console_customer_subscriptions",
    ),
    path(
        "customers/<int:customer_id>/invoices/",
        customer_invoices,
        name="console_customer_invoices",
    ),
    path(
        "customers/<int:customer_id>/credit-notes/",
        customer_credit_notes,
        name="console_customer_credit_notes",
    ),
    path(
        "customers/<int:customer_id>/payments/",
        customer_payments,
        name="console_customer_payments",
    ),
    path("customers/<int:customer_id>/ledger/", customer_ledger, name="console_customer_ledger"),
]
