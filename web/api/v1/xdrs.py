"""xDRs: the list, one of them, and why its legs cost what they cost."""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpResponse
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from cdr.models import Xdr
from cdr.rules.xdr_keys import format_xdr_key, parse_xdr_key
from cdr.selectors import xdrs as selectors
from cdr.selectors.explaining import ExplainedLeg, explained_legs
from cdr.selectors.suspense import suspense_of_xdr
from common.scope import Scope
from web.api.endpoint import Endpoint
from web.api.pages import NothingIn, PageIn, page_response, read_query
from web.api.v1.legs import (
    XDR_RESULTS,
    CandidateOut,
    EquivalentOut,
    IncludedOut,
    LegOut,
    PartyOut,
    WaitingOut,
    amount_out,
    candidates_out,
    equivalents_out,
    included_out,
    instant_out,
    leg_out,
    waiting_out,
)
from web.api.v1.receiving import (
    BulkParser,
    SourceIn,
    XdrIn,
    XdrReceivedOut,
    is_bulk,
    receive_bulk,
    receive_xdr,
    source_asked_for,
)
from web.api.v1.xdr_files import XdrFileOut


class XdrsIn(PageIn):
    """Which xDRs; without any, all of them, the latest first."""

    started_from = serializers.DateTimeField(required=False)
    started_to = serializers.DateTimeField(required=False, help_text="Those before it.")
    customer = serializers.IntegerField(required=False, help_text="The customer's number.")
    source = serializers.SlugField(required=False)  # type: ignore[assignment]
    result = serializers.ChoiceField(choices=XDR_RESULTS, required=False)


class XdrOut(serializers.Serializer[Any]):
    """A usage detail record as received, and as understood."""

    id = serializers.CharField(help_text="Its start and its number, which find it.")
    started_at = serializers.DateTimeField()
    source = serializers.SlugField()  # type: ignore[assignment]
    chunk = serializers.IntegerField(help_text="Lines of a file that were rated together.")
    line = serializers.IntegerField()
    call_id = serializers.CharField()
    account_code = serializers.CharField()
    caller_number = serializers.CharField()
    destination_number = serializers.CharField()
    normalised_number = serializers.CharField()
    duration_seconds = serializers.IntegerField()
    volume = serializers.IntegerField(help_text="In the volume unit of the product.")
    hangup_cause = serializers.CharField()
    customer = PartyOut(allow_null=True)
    vendor = PartyOut(allow_null=True)
    terminating_customer = PartyOut(allow_null=True)
    result = serializers.ChoiceField(choices=XDR_RESULTS)


class XdrPageOut(serializers.Serializer[Any]):
    results = XdrOut(many=True)
    next = serializers.CharField(allow_null=True, help_text="Address of the next page.")


class XdrWithLegsOut(XdrOut):
    """An xDR with its charges, and what of it waits."""

    legs = LegOut(many=True)
    waiting = WaitingOut(many=True)


class ExplainedLegOut(LegOut):
    """A charge, and why it is what it is by the rate table as it is now."""

    included = IncludedOut(many=True)
    candidates = CandidateOut(many=True)
    additive_candidates = CandidateOut(many=True)
    arithmetic = serializers.ListField(child=serializers.CharField())
    amount_now = serializers.DecimalField(
        max_digits=26,
        decimal_places=8,
        allow_null=True,
        help_text="What the table makes of it now; null where it cannot be charged.",
    )
    change = serializers.CharField(help_text="Why that is not what was charged; empty where it is.")
    equivalents = EquivalentOut(many=True)


class ExplainedXdrOut(XdrOut):
    """An xDR with every charge explained."""

    legs = ExplainedLegOut(many=True)
    waiting = WaitingOut(many=True)


class Xdrs(Endpoint):
    """The list, and the door for new ones."""

    needs = {"GET": "xdrs:read", "POST": "xdrs:write"}
    most_bytes = settings.XDR_UPLOAD_BYTES
    parser_classes = [*Endpoint.parser_classes, BulkParser]

    @extend_schema(operation_id="list_xdrs", parameters=[XdrsIn], responses=XdrPageOut)
    def get(self, request: Request) -> Response:
        """xDRs as received, the latest first."""
        asked = read_query(XdrsIn, request)
        rows = selectors.xdrs(
            self.scope,
            started_from=asked.get("started_from"),
            started_to=asked.get("started_to"),
        )
        if "customer" in asked:
            rows = selectors.of_customer_number(self.scope, rows, asked["customer"])
        if "source" in asked:
            rows = selectors.of_source_slug(self.scope, rows, asked["source"])
        if "result" in asked:
            rows = rows.filter(result=Xdr.Result[asked["result"].upper()])
        return page_response(request, rows, asked, lambda page: [xdr_out(xdr) for xdr in page])

    @extend_schema(
        operation_id="create_xdrs",
        parameters=[SourceIn],
        request={"application/json": XdrIn, "application/x-ndjson": OpenApiTypes.BINARY},
        responses={201: XdrReceivedOut, 200: XdrReceivedOut, 202: XdrFileOut},
    )
    def post(self, request: Request) -> HttpResponse:
        """One xDR as JSON, rated and committed before it is answered, or many as NDJSON.

        201: it was stored, with its legs, or why it waits in suspense. 200: it was stored before.
        202: a file of lines, plain or gzip, which is rated in the background; look at it again.
        """
        asked = read_query(SourceIn, request) if request.query_params else {}
        source = source_asked_for(self.scope, asked.get("source", ""))
        if is_bulk(request):
            return receive_bulk(self, source.slug)
        return receive_xdr(self, source.id, request.data)


class OneXdr(Endpoint):
    """One xDR with what it costs whom."""

    needs = {"GET": "xdrs:read"}

    @extend_schema(operation_id="get_xdr", responses=XdrWithLegsOut)
    def get(self, request: Request, xdr_id: str) -> Response:
        """An xDR with its legs, and what of it waits."""
        read_query(NothingIn, request)
        xdr = _find(self.scope, xdr_id)
        legs = [leg_out(leg) for leg in selectors.legs_of_xdr(self.scope, xdr)]
        return Response({**xdr_out(xdr), "legs": legs, "waiting": _waiting(self.scope, xdr)})


class ExplainedXdr(Endpoint):
    """Why its legs cost what they cost."""

    needs = {"GET": "xdrs:read"}

    @extend_schema(operation_id="explain_xdr", responses=ExplainedXdrOut)
    def get(self, request: Request, xdr_id: str) -> Response:
        """Every leg with the rates that were considered, why each lost, and the arithmetic."""
        read_query(NothingIn, request)
        xdr = _find(self.scope, xdr_id)
        legs = [_explained_out(leg) for leg in explained_legs(self.scope, xdr)]
        return Response({**xdr_out(xdr), "legs": legs, "waiting": _waiting(self.scope, xdr)})


def _find(scope: Scope, xdr_id: str) -> Xdr:
    try:
        started_at, number = parse_xdr_key(xdr_id)
    except ValueError as error:
        raise Http404 from error
    return selectors.xdr(scope, started_at=started_at, xdr_id=number)


def _waiting(scope: Scope, xdr: Xdr) -> list[dict[str, Any]]:
    rows = suspense_of_xdr(scope, xdr)
    return [waiting_out(row.reason, row.detail, row.leg_kind) for row in rows]


def xdr_out(xdr: Xdr) -> dict[str, Any]:
    """An xDR as it is written."""
    return {
        "id": format_xdr_key(xdr.started_at, xdr.id),
        "started_at": instant_out(xdr.started_at),
        "source": xdr.source.slug,
        "chunk": xdr.chunk_id,
        "line": xdr.line_number,
        "call_id": xdr.call_id,
        "account_code": xdr.account_code,
        "caller_number": xdr.caller_number,
        "destination_number": xdr.destination_number,
        "normalised_number": xdr.normalised_number,
        "duration_seconds": xdr.duration_seconds,
        "volume": xdr.volume,
        "hangup_cause": xdr.hangup_cause,
        "customer": xdr.customer and {"kind": "customer", "id": xdr.customer_id},
        "vendor": xdr.vendor and {"kind": "vendor", "id": xdr.vendor_id},
        "terminating_customer": xdr.terminating_customer_id
        and {"kind": "customer", "id": xdr.terminating_customer_id},
        "result": Xdr.Result(xdr.result).name.lower(),
    }


def _explained_out(explained: ExplainedLeg) -> dict[str, Any]:
    explanation = explained.explanation
    additive = explanation.additive if explanation else None
    now = explained.cost_now
    return {
        **leg_out(explained.leg),
        "included": included_out(explained.included),
        "candidates": candidates_out(explanation.candidates if explanation else ()),
        "additive_candidates": candidates_out(additive.candidates if additive else ()),
        "arithmetic": explained.arithmetic,
        "amount_now": None if now is None else amount_out(now),
        "change": explained.change,
        "equivalents": equivalents_out(explained.equivalents),
    }


urls = [
    path("xdrs", Xdrs.as_view(), name="api_xdrs"),
    path("xdrs/<str:xdr_id>", OneXdr.as_view(), name="api_xdr"),
    path("xdrs/<str:xdr_id>/explain", ExplainedXdr.as_view(), name="api_xdr_explain"),
]
