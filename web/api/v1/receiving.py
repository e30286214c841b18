"""xDRs that programs send: one, rated before it is answered, or a file of them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from http import HTTPStatus
from io import BufferedReader
from typing import Any, cast

from django.db import IntegrityError, OperationalError
from django.http import HttpResponse
from django.urls import reverse
from psycopg2.errors import LockNotAvailable
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from cdr.importers.chunks import FileTooLarge
from cdr.importers.tollgate_json.adapter import (
    MOST_SECONDS,
    MOST_VOLUME,
    FieldsRefused,
    read_record,
)
from cdr.models import Leg, Source
from cdr.rules.xdr_keys import format_xdr_key
from cdr.selectors.files import files
from cdr.selectors.sources import NamedSource, find_source, source_named
from cdr.selectors.xdrs import legs_by_xdr
from cdr.services.intake import XdrFileKnown, receive_file
from cdr.services.races import run_until_won
from cdr.services.single_xdrs import (
    MOST_AT_ONCE,
    Received,
    SourceTakesNoSingleXdrs,
    receive_xdrs,
)
from common import clock
from common.connections import SharedConnection
from common.scope import Scope
from common.statements import execute, sent_together
from tenancy import row_security
from tenancy.models import AnsweredCall
from tenancy.selectors import answered_call
from web.access import CommittedFirst
from web.api.bodies import check_encoding
from web.api.combining import Combiner
from web.api.endpoint import Endpoint
from web.api.idempotency import REPLAYED, Answer, NamedCall, replayed
from web.api.problems import MEDIA_TYPE, Refused, refusal_of
from web.api.v1.legs import XDR_RESULTS, LegOut, WaitingOut, leg_out, waiting_out
from web.api.v1.xdr_files import file_out

NDJSON = "application/x-ndjson"
LOCKS_WITHIN_SECONDS = 5
"""How long xDRs wait for what others hold: the xDRs of all sources that a process is sent wait with
them, and a re-rating may hold the allowances of a customer for minutes."""

rating_connection = SharedConnection()


class SourceIn(serializers.Serializer[Any]):
    """The source that says how xDRs are read."""

    source = serializers.SlugField(  # type: ignore[assignment]
        required=False,
        help_text="Left out: the only source of the format tollgate-json.",
    )


class XdrIn(serializers.Serializer[Any]):
    """One xDR, and one line of a file of them."""

    started_at = serializers.DateTimeField(help_text="With its offset from UTC.")
    destination_number = serializers.CharField(
        max_length=64, help_text="As dialled, a tech prefix in front where there is one."
    )
    volume = serializers.IntegerField(
        min_value=0,
        max_value=MOST_VOLUME,
        help_text="In the volume unit of the source's product; 0: unanswered.",
    )
    duration_seconds = serializers.IntegerField(
        required=False, min_value=0, max_value=MOST_SECONDS, help_text="Left out: the volume."
    )
    account_code = serializers.CharField(required=False, max_length=64)
    caller_number = serializers.CharField(required=False, max_length=64)
    call_id = serializers.CharField(
        required=False, max_length=64, help_text="With leg_id: what the same xDR is known by."
    )
    leg_id = serializers.CharField(required=False, max_length=64)
    hangup_cause = serializers.CharField(required=False, max_length=40)
    trunk = serializers.CharField(required=False, max_length=64)
    caller_ip = serializers.CharField(required=False, max_length=45)
    tags = serializers.CharField(
        required=False, max_length=200, help_text="Separated by commas, for rates of their own."
    )


class XdrReceivedOut(serializers.Serializer[Any]):
    """What became of an xDR."""

    id = serializers.CharField(
        allow_null=True,
        help_text="null: it waits, and is not even stored as an xDR, or is kept in files by now.",
    )
    result = serializers.ChoiceField(
        choices=XDR_RESULTS,
        allow_null=True,
        help_text="null: it was stored before, in a month that is kept in files by now.",
    )
    is_duplicate = serializers.BooleanField(help_text="It was stored before.")
    legs = LegOut(many=True)
    waiting = WaitingOut(many=True)


class BulkParser(BaseParser):
    """Lines, which nothing reads but the intake."""

    media_type = NDJSON


def is_bulk(request: Request) -> bool:
    """Whether the body is lines of xDRs.

    :raises Refused: it is neither these nor JSON.
    """
    content_type = str(request.content_type).partition(";")[0].strip().lower()
    if content_type in (NDJSON, "application/json"):
        return content_type == NDJSON
    raise Refused(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "MediaTypeNotSupported",
        f"Send one xDR as application/json, or lines of them as {NDJSON}.",
    )


def source_asked_for(scope: Scope, slug: str) -> NamedSource:
    """The source by its slug, or the only one that JSON comes to.

    :raises UnknownSource: there is none, or several could be meant.
    :raises SourceTakesNoSingleXdrs: it reads another format.
    """
    source = find_source(scope, slug or Source.Format.TOLLGATE_JSON.value)
    if source.format != Source.Format.TOLLGATE_JSON:
        raise SourceTakesNoSingleXdrs(
            f"{source.slug} reads {source.format}; name one that reads"
            f" {Source.Format.TOLLGATE_JSON.value}."
        )
    return source


def receive_bulk(endpoint: Endpoint, slug: str) -> Response:
    """Lines of xDRs become a file, which is rated in the background.

    :raises Refused: they are packed as nobody here can unpack them.
    """
    source = source_named(endpoint.scope, slug)
    check_encoding(endpoint.request.headers.get("Content-Encoding", "").lower())
    name = f"{source.slug}-{clock.now():%Y%m%dT%H%M%S.%f}.ndjson"
    try:
        file = receive_file(
            content=cast(Any, BufferedReader(endpoint.body)),
            name=name,
            source=source,
            at=clock.now(),
            actor_id=endpoint.scope.user_id,
        )
    except XdrFileKnown as known:
        raise Refused(HTTPStatus.CONFLICT, known.code, str(known)) from known
    except FileTooLarge as error:
        raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, error.code, str(error)) from error
    address = reverse("api_xdr_file", kwargs={"file_id": file.pk})
    shown = file_out(files(endpoint.scope).get(pk=file.pk))
    return Response(shown, status=HTTPStatus.ACCEPTED, headers={"Location": address})


@dataclass(frozen=True)
class _Wish:
    """One xDR to be stored, and the call that its answer is kept for."""

    scope: Scope
    source_id: int
    line: str
    call: NamedCall | None


def receive_xdr(endpoint: Endpoint, source_id: int, sent: Any) -> HttpResponse:
    """One xDR, stored with others that wait at this moment; answered after the commit.

    :raises ValidationError: it is no xDR, by field.
    """
    if not isinstance(sent, dict):
        raise serializers.ValidationError({"body": ["Send one xDR as an object of JSON."]})
    try:
        read_record(sent)
    except FieldsRefused as refusal:
        by_field = {name: [f"It {why}."] for name, why in refusal.by_field.items()}
        raise serializers.ValidationError(by_field) from refusal
    line = json.dumps(sent, ensure_ascii=False, separators=(",", ":"))
    wish = _Wish(endpoint.scope, source_id, line, endpoint.named_call())
    return CommittedFirst(lambda response: _settle(response, wish, endpoint.request))


def _settle(response: HttpResponse, wish: _Wish, request: Request) -> None:
    try:
        together = _together.answer((wish.scope.provider_id, wish.source_id), wish)
        answer = together or _refusal(_held_by_others(), request)
    except IntegrityError as error:
        answer = _answered_meanwhile(response, wish, request) or _refusal(error, request)
    except Exception as error:
        answer = _refusal(error, request)
    response.status_code = answer.status
    response.content = answer.body
    is_refused = answer.status >= HTTPStatus.BAD_REQUEST
    response.headers["Content-Type"] = MEDIA_TYPE if is_refused else "application/json"
    if answer.location:
        response.headers["Location"] = answer.location


def _held_by_others() -> Refused:
    return Refused(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "HeldByOthers",
        "Usage of the same customers is being rated at this moment, and holds what this needs."
        " Nothing was stored: send it again in a while.",
    )


def _refusal(error: Exception, request: Request) -> Answer:
    refused = refusal_of(error, request)
    return Answer(refused.status_code, JSONRenderer().render(refused.data).decode())


def _answered_meanwhile(response: HttpResponse, wish: _Wish, request: Request) -> Answer | None:
    """The answer to the same call, if somebody else sent it at the same instant."""
    call = wish.call
    if call is None:
        return None
    with _acting_for(wish.scope):
        stored = answered_call(wish.scope, call.token_id, call.key)
    if stored is None:
        return None
    try:
        replayed(stored, call.fingerprint)
    except Refused as refusal:
        return _refusal(refusal, request)
    response.headers[REPLAYED] = "true"
    return Answer(stored.status, stored.body, stored.location)


def _acting_for(scope: Scope) -> Any:
    return row_security.web_role_for(provider_id=scope.provider_id, user_id=scope.user_id)


def _receive_together(wishes: Sequence[_Wish]) -> Sequence[Answer | None]:
    """xDRs of one source, and the answers that are kept of them, in one transaction.

    None for each where others hold what it needs: to do each alone would wait as long every time.
    """
    try:
        with rating_connection.used():
            return run_until_won(partial(_receive, wishes, clock.now()))
    except OperationalError as error:
        if not isinstance(error.__cause__, LockNotAvailable):
            raise
        return [None] * len(wishes)


def _receive(wishes: Sequence[_Wish], at: datetime) -> list[Answer]:
    scope, source_id = wishes[0].scope, wishes[0].source_id
    with _acting_for(scope), sent_together():
        execute("SELECT set_config('lock_timeout', %s, true)", [f"{LOCKS_WITHIN_SECONDS}s"])
        lines = [wish.line for wish in wishes]
        received = receive_xdrs(source_id=source_id, lines=lines, at=at)
        known = {each.name for each in received if each.is_duplicate and each.name is not None}
        before = legs_by_xdr(scope, known) if known else {}
        answers = [_answer(each, before) for each in received]
        calls = [
            wish.call.answered(answer, at)
            for wish, answer in zip(wishes, answers, strict=True)
            if wish.call is not None
        ]
        if calls:
            AnsweredCall.objects.bulk_create(calls)
    return answers


_together: Combiner[_Wish, Answer | None] = Combiner(_receive_together, MOST_AT_ONCE)


def _answer(received: Received, before: Mapping[Any, Sequence[Leg]]) -> Answer:
    name = received.name and format_xdr_key(*received.name)
    legs = before.get(received.name, ()) if received.is_duplicate else received.legs
    body = {
        "id": name,
        "result": received.result and received.result.name.lower(),
        "is_duplicate": received.is_duplicate,
        "legs": [leg_out(leg) for leg in legs],
        "waiting": [waiting_out(*each) for each in received.waiting],
    }
    status = HTTPStatus.OK if received.is_duplicate else HTTPStatus.CREATED
    location = reverse("api_xdr", kwargs={"xdr_id": name}) if name else ""
    return Answer(status, json.dumps(body, separators=(",", ":")), location)
