"""What to do about each reason for which suspense waits, and where."""

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlencode

from django.urls import reverse

from cdr.models import Source, SuspenseReason
from cdr.rules.mending import Choice
from cdr.selectors.sources import sources
from cdr.selectors.suspense import chosen_suspense
from common.scope import Scope
from web.console.suspense_choices import BY_TABLE, query
from web.shared.actions import Action

REMEDIES = {
    SuspenseReason.UNPARSABLE: "Correct the line, or what its source says of the columns; it is"
    " read again.",
    SuspenseReason.UNKNOWN_CUSTOMER: "Give the account code or number to a customer, or correct it;"
    " then it is tried again.",
    SuspenseReason.UNKNOWN_VENDOR: "Add a trunk for the tech prefix, which tries again by itself;"
    " or give the source a vendor, then try again.",
    SuspenseReason.UNRATED_CUSTOMER: "Add a rate for the destination to the customer's rate table,"
    " then try again.",
    SuspenseReason.UNRATED_VENDOR: "Add a rate for the destination to the vendor's rate table, then"
    " try again.",
    SuspenseReason.RESELLER_UNRATED: "Add a rate for the destination to the table assigned to the"
    " reseller, then try again.",
    SuspenseReason.FOREIGN_VENDOR: "The vendor belongs to another branch: correct the trunk, or let"
    " the source take foreign vendors, then try again.",
    SuspenseReason.BLOCKED: "A rate blocks this destination: change its status and try again, or"
    " discard the calls.",
    SuspenseReason.TOO_OLD: "Let the source take older xDRs and try again, or accept these.",
    SuspenseReason.IN_FUTURE: "Check the clock and time zone of the switch; try again once its time"
    " has come, or accept these.",
    SuspenseReason.OVERFLOW: "The charge is larger than any real one: check the rate, then try"
    " again.",
}
_OF_SOURCE = (
    SuspenseReason.UNKNOWN_VENDOR,
    SuspenseReason.FOREIGN_VENDOR,
    SuspenseReason.TOO_OLD,
    SuspenseReason.IN_FUTURE,
)


def remedies(scope: Scope, choice: Choice) -> list[Action]:
    """Pages where the cause of a choice is mended."""
    return list(_remedies(scope, choice))


def _remedies(scope: Scope, choice: Choice) -> Iterator[Action]:
    row = chosen_suspense(scope, choice).order_by("pk").first()
    if row is None:
        return
    if choice.reason == SuspenseReason.UNKNOWN_CUSTOMER and choice.named_by and choice.subject:
        url = reverse("console_suspense_give", kwargs={"suspense_id": row.pk})
        yield Action("Give it to a customer", url, "user-plus", needs="customers.write")
    if choice.reason in BY_TABLE and choice.rate_table_id is not None:
        url = reverse("console_rates", kwargs={"table_id": choice.rate_table_id})
        prefix = urlencode({"prefix": choice.subject or ""})
        yield Action("Rates of this table", f"{url}?{prefix}", "banknotes", needs="catalogue.read")
    source = sources(scope).filter(pk=choice.source_id).first() if choice.source_id else None
    if source is None:
        return
    of_source = {"source_id": source.pk}
    if choice.reason == SuspenseReason.UNKNOWN_VENDOR and choice.subject:
        url = reverse("console_suspense_trunk", kwargs={"suspense_id": row.pk})
        yield Action("Add a trunk", url, "plus", needs="usage.write")
    if choice.reason in _OF_SOURCE:
        url = reverse("console_source_edit", kwargs=of_source)
        yield Action(f"Trunks and times of {source}", url, "cog-6-tooth", needs="usage.write")
    if choice.reason == SuspenseReason.UNPARSABLE:
        is_mapped = source.format == Source.Format.MAPPED_CSV
        name = "console_source_mapping" if is_mapped else "console_source_try"
        label = f"Columns of {source}" if is_mapped else f"How {source} reads lines"
        url = f"{reverse(name, kwargs=of_source)}?{query(replace(choice, customer_id=None))}"
        yield Action(label, url, "table-cells", needs="usage.write")
