"""Who was told of rates by e-mail, of every table: sent, on its way, or not to be handed over."""

from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import path, reverse

from common.scope import Surface
from customers.models import RateNotification
from customers.selectors import all_rate_notifications
from reports.selectors.given_up import failed_rate_emails
from web.access import SurfaceRequest, page_of
from web.console.rate_notices import AddressesColumn, ChangesColumn, RecipientColumn
from web.shared.actions import Action
from web.shared.filters import Filters, choice_filter
from web.shared.lists import Empty, list_page
from web.shared.tables import BadgeColumn, Column, InstantColumn, LinkColumn, Table

State = RateNotification.State


class RateEmailTable(Table):
    recipient = RecipientColumn("Recipient", accessor="pk")
    state = BadgeColumn("State", accessor="get_state_display", value="state")
    rate_table = LinkColumn("Rate table", to="rate_table")
    changes = ChangesColumn("What changed", accessor="pk")
    addresses = AddressesColumn("To")
    sent_at = InstantColumn("Sent")
    error = Column("Failure")


class RateEmailFilters(Filters):
    state = choice_filter(
        "State", "state", [choice for choice in State.choices if choice[0] != State.DRAFT]
    )
    told = choice_filter("Told", "pk", [("NOT_SINCE", "Not until now")], method="of_told")

    def of_told(
        self, rows: QuerySet[RateNotification], name: str, told: str
    ) -> QuerySet[RateNotification]:
        return failed_rate_emails(rows)


@page_of(Surface.CONSOLE, "catalogue.read")
def rate_email_list(request: SurfaceRequest) -> HttpResponse:
    return list_page(
        request,
        title="Rate notices by e-mail",
        lead="Who could not be told is told by the table's next notice, at the address of then.",
        rows=all_rate_notifications(request.scope),
        table=RateEmailTable,
        filters=RateEmailFilters,
        name="rate-notice-emails",
        actions=[Action("Rate tables", reverse("console_rate_tables"), "arrow-left")],
        empty=Empty("Nobody was told yet", "The notices of a rate table tell what has changed."),
    )


urls = [path("rate-tables/notices/e-mails/", rate_email_list, name="console_rate_emails")]
