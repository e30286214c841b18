"""What waits: by group, row by row, and what a correction would make of it."""

from typing import Any

from django.urls import path
from django.utils.timezone import localdate
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from cdr.models import Suspense, SuspenseReason
from cdr.rules.mending import Choice
from cdr.rules.xdr_keys import format_xdr_key
from cdr.selectors import suspense as selectors
from cdr.selectors.sources import sources
from cdr.selectors.suspense_groups import SuspenseGroup, suspense_groups
from cdr.services.mending import check_change
from cdr.services.mending_previews import MOST_SHOWN, PreviewedRow, preview_change
from common import clock
from common.scope import Scope
from customers.selectors import customers
from web.api.endpoint import Endpoint
from web.api.pages import NothingIn, PageIn, StrictIn, page_response, read_query
from web.api.v1.legs import (
    LEG_KINDS,
    PartyOut,
    WaitingOut,
    amount_out,
    instant_out,
    party_out,
    waiting_out,
)
from web.api.v1.suspense_choices import (
    LARGEST_ID,
    NAMED_BY,
    ChangeIn,
    ChoiceIn,
    change_asked_for,
    choice_asked_for,
)

STATES = [state.lower() for state in Suspense.State.values]
USUAL_GROUPS, MOST_GROUPS = 200, 1000


class GroupsIn(serializers.Serializer[Any]):
    """Which groups; without any, all of them."""

    reason = serializers.ChoiceField(choices=SuspenseReason.values, required=False)
    source = serializers.SlugField(required=False)  # type: ignore[assignment]
    limit = serializers.IntegerField(
        required=False, min_value=1, max_value=MOST_GROUPS, default=USUAL_GROUPS
    )


class WorthOut(serializers.Serializer[Any]):
    """What customers would pay for the rows of a group, in one currency."""

    currency = serializers.CharField()
    known_amount = serializers.DecimalField(
        max_digits=36, decimal_places=8, help_text="By their rates."
    )
    average_amount = serializers.DecimalField(
        max_digits=36,
        decimal_places=8,
        help_text="Beyond that, by what their usage came to on average in the last 30 days.",
    )


class SuspenseGroupOut(serializers.Serializer[Any]):
    """Open rows that wait for the same thing; reason to rate_table choose them."""

    reason = serializers.ChoiceField(choices=SuspenseReason.values)
    source = serializers.SlugField()  # type: ignore[assignment]
    named_by = serializers.ChoiceField(choices=NAMED_BY, allow_null=True)
    subject = serializers.CharField(help_text="What it waits for; empty: nothing names it.")
    rate_table = serializers.IntegerField(allow_null=True)
    row_count = serializers.IntegerField()
    unpriced_count = serializers.IntegerField(help_text="Rows whose worth nobody can tell.")
    worth = WorthOut(many=True)
    oldest_at = serializers.DateTimeField()
    newest_at = serializers.DateTimeField()


class SuspenseGroupsOut(serializers.Serializer[Any]):
    """The groups of most rows, and how much waits in all of them."""

    results = SuspenseGroupOut(many=True)
    group_count = serializers.IntegerField()
    row_count = serializers.IntegerField()


class SuspenseIn(PageIn):
    """Which rows; without any, all that wait, the oldest first."""

    reason = serializers.ChoiceField(choices=SuspenseReason.values, required=False)
    source = serializers.SlugField(required=False)  # type: ignore[assignment]
    named_by = serializers.ChoiceField(choices=NAMED_BY, required=False)
    subject = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False)
    rate_table = serializers.IntegerField(required=False, min_value=1, max_value=LARGEST_ID)
    customer = serializers.IntegerField(
        required=False, min_value=1, max_value=LARGEST_ID, help_text="The customer's number."
    )
    file = serializers.IntegerField(required=False, min_value=1, max_value=LARGEST_ID)
    mending = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=LARGEST_ID,
        help_text="Those that it dealt with last.",
    )
    state = serializers.ChoiceField(choices=STATES, required=False, default="open")


class SuspenseOut(serializers.Serializer[Any]):
    """A line, an xDR or one leg of it that waits or has waited, and why."""

    id = serializers.IntegerField()
    state = serializers.ChoiceField(choices=STATES)
    reason = serializers.ChoiceField(choices=SuspenseReason.values)
    detail = serializers.CharField()
    source = serializers.SlugField()  # type: ignore[assignment]
    file = serializers.IntegerField()
    line = serializers.IntegerField()
    named_by = serializers.ChoiceField(choices=NAMED_BY, allow_null=True)
    subject = serializers.CharField()
    rate_table = serializers.IntegerField(allow_null=True)
    xdr = serializers.CharField(allow_null=True, help_text="null: the line became no xDR.")
    started_at = serializers.DateTimeField(allow_null=True)
    leg = serializers.ChoiceField(
        choices=LEG_KINDS, allow_null=True, help_text="null: the whole of it waits."
    )
    payer = PartyOut(allow_null=True)
    customer = PartyOut(allow_null=True)
    volume = serializers.IntegerField()
    estimated_amount = serializers.DecimalField(
        max_digits=18, decimal_places=8, help_text="What the customer would pay; 0: unknown."
    )
    currency = serializers.CharField()
    created_at = serializers.DateTimeField()
    resolved_at = serializers.DateTimeField(allow_null=True)
    mending = serializers.IntegerField(allow_null=True, help_text="The last that dealt with it.")


class SuspensePageOut(serializers.Serializer[Any]):
    results = SuspenseOut(many=True)
    next = serializers.CharField(allow_null=True, help_text="Address of the next page.")


class SuspenseWithLineOut(SuspenseOut):
    """A row with its line as received."""

    raw = serializers.CharField()
    correction = serializers.CharField(help_text="How the line is read; empty: as received.")
    zone = serializers.CharField(help_text="Of its local times; empty: as its source says.")


class PreviewIn(StrictIn):
    """A correction of chosen rows."""

    choice = ChoiceIn()
    change = ChangeIn()


class ChargeOut(serializers.Serializer[Any]):
    """A leg that would stand."""

    kind = serializers.ChoiceField(choices=LEG_KINDS)
    amount = serializers.DecimalField(max_digits=26, decimal_places=8)
    currency = serializers.CharField()


class PreviewedRowOut(serializers.Serializer[Any]):
    """What a row would become."""

    id = serializers.IntegerField()
    is_left = serializers.BooleanField(help_text="It would be left as it is.")
    before = serializers.CharField()
    after = serializers.CharField()
    customer = PartyOut(allow_null=True)
    charges = ChargeOut(many=True)
    waiting = WaitingOut(many=True, help_text="Why it would wait on.")
    duplicate_of = serializers.CharField(
        allow_null=True, help_text="The xDR, stored already, that it would be once more."
    )


class PreviewOut(serializers.Serializer[Any]):
    """How many rows are chosen, and what the first of them would become."""

    row_count = serializers.IntegerField()
    freed_count = serializers.IntegerField(help_text="Of the results: would wait no more.")
    left_count = serializers.IntegerField(help_text="Of the results: would be left as they are.")
    results = PreviewedRowOut(many=True, help_text=f"The first {MOST_SHOWN}.")


class Groups(Endpoint):
    """What waits for the same thing."""

    needs = {"GET": "xdrs:read"}

    @extend_schema(
        operation_id="list_suspense_groups", parameters=[GroupsIn], responses=SuspenseGroupsOut
    )
    def get(self, request: Request) -> Response:
        """Open suspense by what it waits for, the most rows first, with what it is worth."""
        asked = read_query(GroupsIn, request)
        source = _source_id(self.scope, asked)
        today = localdate(clock.now())
        reason = asked.get("reason", "")
        groups = suspense_groups(self.scope, today, reason=reason, source_id=source)
        return Response(
            {
                "results": [_group_out(group) for group in groups[: asked["limit"]]],
                "group_count": len(groups),
                "row_count": sum(group.row_count for group in groups),
            }
        )


class Rows(Endpoint):
    """What waits, row by row."""

    needs = {"GET": "xdrs:read"}

    @extend_schema(operation_id="list_suspense", parameters=[SuspenseIn], responses=SuspensePageOut)
    def get(self, request: Request) -> Response:
        """Rows of suspense, the oldest first."""
        asked = read_query(SuspenseIn, request)
        choice = _narrowing(self.scope, asked)
        rows = selectors.of_choice(selectors.all_suspense(self.scope), choice)
        rows = rows.filter(state=asked["state"].upper()).defer("raw", "correction")
        if "mending" in asked:
            rows = rows.filter(mending_id=asked["mending"])
        return page_response(request, rows, asked, lambda page: [_row_out(row) for row in page])


class OneRow(Endpoint):
    """One row of suspense."""

    needs = {"GET": "xdrs:read"}

    @extend_schema(operation_id="get_suspense", responses=SuspenseWithLineOut)
    def get(self, request: Request, suspense_id: int) -> Response:
        """A row, open or ended, with its line as received."""
        read_query(NothingIn, request)
        row = selectors.suspense(self.scope, suspense_id)
        return Response(
            {**_row_out(row), "raw": row.raw, "correction": row.correction, "zone": row.zone}
        )


class CorrectionPreview(Endpoint):
    """A question that is too long for an address; asking changes nothing."""

    needs = {"POST": "xdrs:write"}

    @extend_schema(operation_id="preview_correction", request=PreviewIn, responses=PreviewOut)
    def post(self, request: Request) -> Response:
        """What a correction would make of chosen suspense by the terms of now; nothing is written.

        Send `row_count` with the mending, and it is refused if other rows are chosen by then.
        """
        read_query(NothingIn, request)
        asked = PreviewIn(data=request.data)
        asked.is_valid(raise_exception=True)
        choice = choice_asked_for(self.scope, asked.validated_data["choice"])
        change = change_asked_for(asked.validated_data["change"], choice)
        check_change(change)
        preview = preview_change(self.scope, choice, change, clock.now())
        return Response(
            {
                "row_count": selectors.chosen_suspense(self.scope, choice).count(),
                "freed_count": preview.freed_count,
                "left_count": preview.left_count,
                "results": [_previewed_out(row) for row in preview.rows],
            }
        )


def _source_id(scope: Scope, asked: dict[str, Any]) -> int | None:
    """The source that a filter names; 0, of which there is none, where it names none."""
    if "source" not in asked:
        return None
    found = sources(scope).filter(slug=asked["source"]).first()
    return 0 if found is None else found.pk


def _narrowing(scope: Scope, asked: dict[str, Any]) -> Choice:
    """What filters say; whoever names what there is not finds nothing."""
    customer = customers(scope).filter(number=asked.get("customer", 0)).first()
    is_nobody = ("customer" in asked and customer is None) or _source_id(scope, asked) == 0
    return Choice(
        reason=asked.get("reason", ""),
        source_id=_source_id(scope, asked) or None,
        named_by=asked.get("named_by", "").upper(),
        subject=asked.get("subject"),
        rate_table_id=asked.get("rate_table"),
        customer_id=customer.pk if customer else None,
        file_id=asked.get("file"),
        suspense_ids=(0,) if is_nobody else (),
    )


def _group_out(group: SuspenseGroup) -> dict[str, Any]:
    return {
        "reason": group.reason.value,
        "source": group.source.slug,
        "named_by": group.named_by.lower() or None,
        "subject": group.subject,
        "rate_table": group.rate_table and group.rate_table.pk,
        "row_count": group.row_count,
        "unpriced_count": group.unpriced_count,
        "worth": [
            {
                "currency": worth.currency,
                "known_amount": amount_out(worth.known_amount),
                "average_amount": amount_out(worth.average_amount),
            }
            for worth in group.worth
        ],
        "oldest_at": instant_out(group.oldest_at),
        "newest_at": instant_out(group.newest_at),
    }


def _row_out(row: Suspense) -> dict[str, Any]:
    waits = waiting_out(row.reason, row.detail, row.leg_kind)
    has_payer = row.payer_kind is not None and row.payer_id is not None
    started_at = row.started_at
    return {
        "id": row.pk,
        "state": row.state.lower(),
        **waits,
        "source": row.source.slug,
        "file": row.chunk.file_id,
        "line": row.line_number,
        "named_by": row.named_by.lower() or None,
        "subject": row.subject,
        "rate_table": row.rate_table_id,
        "xdr": format_xdr_key(started_at, row.xdr_id) if started_at and row.xdr_id else None,
        "started_at": started_at and instant_out(started_at),
        "payer": party_out(row.payer_kind or 0, row.payer_id or 0) if has_payer else None,
        "customer": row.customer_id and {"kind": "customer", "id": row.customer_id},
        "volume": row.volume,
        "estimated_amount": amount_out(row.estimated_amount),
        "currency": row.currency,
        "created_at": instant_out(row.created_at),
        "resolved_at": row.resolved_at and instant_out(row.resolved_at),
        "mending": row.mending_id,
    }


def _previewed_out(row: PreviewedRow) -> dict[str, Any]:
    stored = row.duplicate_of
    return {
        "id": row.row.pk,
        "is_left": row.is_left,
        "before": row.before,
        "after": row.after,
        "customer": row.customer and {"kind": "customer", "id": row.customer.pk},
        "charges": [
            {"kind": kind.name.lower(), "amount": amount_out(amount), "currency": currency}
            for kind, amount, currency in row.charges
        ],
        "waiting": [
            waiting_out(trouble.reason.value, trouble.detail, None) for trouble in row.waits
        ],
        "duplicate_of": stored and format_xdr_key(stored.started_at, stored.id),
    }


urls = [
    path("suspense", Rows.as_view(), name="api_suspense"),
    path("suspense/groups", Groups.as_view(), name="api_suspense_groups"),
    path("suspense/preview", CorrectionPreview.as_view(), name="api_suspense_preview"),
    path("suspense/<int:suspense_id>", OneRow.as_view(), name="api_suspense_row"),
]
