"""What gateways wrote to us, in the console: each message and what became of it."""

from django.http import HttpResponse
from django.urls import path

from common.scope import Surface
from payments.models import WebhookEvent
from payments.selectors.payments import webhook_events
from web.access import SurfaceRequest, page_of
from web.shared.filters import Filters, choice_filter, since_filter, until_filter
from web.shared.lists import Empty, list_page
from web.shared.tables import BadgeColumn, Column, InstantColumn, Table


class MessageTable(Table):
    event_id = Column("Message", attrs={"td": {"class": "code"}})
    gateway = Column("Gateway")
    state = BadgeColumn("State", accessor="get_state_display", value="state")
    outcome = Column("What became of it")
    received_at = InstantColumn("Received")
    processed_at = InstantColumn("Acted on")


class MessageFilters(Filters):
    searches = ("event_id__istartswith", "outcome__icontains")
    search_hint = "Message or order"

    state = choice_filter("State", "state", WebhookEvent.State.choices)
    since = since_filter("Received since", "received_at", of_instants=True)
    until = until_filter("Received until", "received_at", of_instants=True)


@page_of(Surface.CONSOLE, "money.list")
def message_list(request: SurfaceRequest) -> HttpResponse:
    return list_page(
        request,
        title="Gateway messages",
        lead="Each is kept as it came and acted on once. One that is refused changed nothing.",
        rows=webhook_events(request.scope),
        table=MessageTable,
        filters=MessageFilters,
        name="gateway-messages",
        empty=Empty("No messages yet", "Gateways write here when a payment succeeds or fails."),
    )


urls = [path("payments/messages/", message_list, name="console_gateway_messages")]
