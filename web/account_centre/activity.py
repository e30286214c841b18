"""What was done to the customer's account, by its own people and by the provider."""

from typing import Any

from django.db.models import Case, CharField, F, Model, QuerySet, Value, When
from django.http import HttpResponse
from django.urls import path

from audit.models import Entry
from audit.selectors import own_entries
from billing.models import CreditNote, Invoice
from billing.selectors.credit_notes import credit_notes
from billing.selectors.invoices import invoices
from common.csv_files import Cell
from common.scope import Surface
from customers import selectors
from customers.models import Customer, TeamMember
from payments.models import Payment
from payments.selectors.payments import transactions
from subscriptions.models import Charge, Subscription
from subscriptions.selectors import charges_of, subscriptions
from web.access import SurfaceRequest, page_of
from web.account_centre.own import own_customer
from web.shared.filters import Filters, choice_filter, since_filter, until_filter
from web.shared.lists import Empty, list_page
from web.shared.tables import Column, InstantColumn, Table
from web.shared.writing import NONE

# What a customer hears of; the provider's own decisions about it, such as its credit, are not here.
ACTIONS = {
    "customer.created": "The account was made",
    "customer.agreed_to_terms": "The terms were agreed to",
    "customer.state_changed": "The account's state was changed",
    "customer.edited": "The profile was changed",
    "team_member.added": "A member joined the team",
    "team_member.invited_again": "A member was invited again",
    "team_member.role_changed": "A member got another role",
    "team_member.removed": "A member was removed",
    "subscription.created": "A service was subscribed to",
    "subscription.approved": "A service was approved",
    "subscription.ended": "A service was ended",
    "subscription.over": "A service came to its end",
    "charge.added": "A charge was added",
    "invoice.email_requested": "An invoice was e-mailed",
    "credit_note.issued": "A credit note was issued",
    "payment.started": "A payment was begun",
    "payment.recorded": "A payment was recorded",
    "payment.reversed": "A payment was reversed",
}
SHOWN = ("email", "role", "state", "version", "recipient")


class DetailsColumn(Column):
    """What may be told of the values that were changed."""

    def render(self, record: Entry) -> str:
        return _details(record) or NONE

    def export_cells(self, record: Entry, value: Any) -> list[Cell]:
        return [_details(record)]


class ActivityTable(Table):
    at = InstantColumn("When")
    what = Column("What")
    who = Column("Who")
    details = DetailsColumn("Details", accessor="pk")


class ActivityFilters(Filters):
    action = choice_filter("What", "action", list(ACTIONS.items()))
    since = since_filter("Since", "at", of_instants=True)
    until = until_filter("Until", "at", of_instants=True)


@page_of(Surface.ACCOUNT_CENTRE, "activity.read")
def activity(request: SurfaceRequest) -> HttpResponse:
    return list_page(
        request,
        title="Activity",
        lead="What was done to your account, by your own people and by your provider.",
        rows=_entries(request),
        table=ActivityTable,
        filters=ActivityFilters,
        name="activity",
        empty=Empty("Nothing was done yet", "Changes of your account are kept here."),
    )


def _entries(request: SurfaceRequest) -> QuerySet[Any]:
    """Entries with `what` was done, and by `who`: only people of the team are told by name."""
    scope, customer = request.scope, own_customer(request)
    team = selectors.team_history(scope, customer)
    rows: dict[type[Model], list[int]] = {
        Customer: [customer.pk],
        TeamMember: list(team.member_ids),
        Subscription: _ids(subscriptions(scope, customer)),
        Charge: _ids(charges_of(scope, customer)),
        Invoice: _ids(invoices(scope).filter(customer=customer)),
        CreditNote: _ids(credit_notes(scope).filter(customer=customer)),
        Payment: _ids(transactions(scope).filter(customer=customer)),
    }
    return own_entries(scope, rows, list(ACTIONS)).annotate(
        what=Case(
            *(When(action=action, then=Value(words)) for action, words in ACTIONS.items()),
            output_field=CharField(),
        ),
        who=Case(
            When(actor__isnull=True, then=Value("the system")),
            When(actor__email__in=team.emails, then=F("actor__email")),
            default=Value(request.provider.name),
            output_field=CharField(),
        ),
    )


def _ids(rows: QuerySet[Any]) -> list[int]:
    return list(rows.order_by().values_list("pk", flat=True))


def _details(entry: Entry) -> str:
    values = {**(entry.before or {}), **(entry.after or {})}
    told = [str(values[name]) for name in SHOWN if values.get(name)]
    return ", ".join(text.lower() if text.isupper() else text for text in told)


urls = [path("activity/", activity, name="account_centre_activity")]
