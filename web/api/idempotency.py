"""A call that names itself by an `Idempotency-Key` is done once, however often it is sent."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from rest_framework.response import Response

from common.locks import try_lock_in_transaction
from common.scope import Scope
from tenancy.models import AnsweredCall
from tenancy.selectors import answered_call
from web.api.problems import Refused

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
_LONGEST = 255


def key_of(headers: Any) -> str | None:
    """The key that a call names itself by; None where it does not.

    :raises Refused: it is empty, too long or not plain ASCII.
    """
    key: str | None = headers.get(HEADER)
    if key is None:
        return None
    if not 0 < len(key) <= _LONGEST or not key.isascii() or not key.isprintable():
        raise Refused(
            HTTPStatus.BAD_REQUEST,
            "IdempotencyKeyNotUnderstood",
            f"{HEADER} is 1 to {_LONGEST} printable ASCII characters, such as a UUID.",
        )
    return key


def stored_answer(
    scope: Scope, token_id: int, key: str, fingerprint: Callable[[], str]
) -> Response | None:
    """The answer that the call was given before; None where it is made for the first time.

    Until the transaction ends nobody else can do the call. `fingerprint` is asked for only then.

    :raises Refused: the call is being done at this moment, or the key stands for another one.
    """
    if not try_lock_in_transaction("api.call", token_id, key):
        raise Refused(
            HTTPStatus.CONFLICT,
            "CallInProgress",
            "A call with this key is being done: ask again in a moment for its answer.",
        )
    stored = answered_call(scope, token_id, key)
    return replayed(stored, fingerprint()) if stored else None


def replayed(stored: AnsweredCall, fingerprint: str) -> Response:
    """A stored answer once more.

    :raises Refused: it is the answer to another question.
    """
    if stored.fingerprint != fingerprint:
        raise Refused(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "IdempotencyKeyReused",
            "This key stands for another call: take a new key for each call.",
        )
    headers = {REPLAYED: "true"}
    if stored.location:
        headers["Location"] = stored.location
    return Response(json.loads(stored.body), status=stored.status, headers=headers)


@dataclass(frozen=True)
class Answer:
    """An answer as it is sent, and kept: a body of JSON, and the address of what was made."""

    status: int
    body: str
    location: str = ""


@dataclass(frozen=True)
class NamedCall:
    """A call that named itself by a key, with the SHA-256 of what it asks."""

    provider_id: int
    token_id: int
    key: str
    fingerprint: str

    def answered(self, answer: Answer, at: datetime) -> AnsweredCall:
        """The row that keeps its answer."""
        return AnsweredCall(
            provider_id=self.provider_id,
            token_id=self.token_id,
            key=self.key,
            fingerprint=self.fingerprint,
            status=answer.status,
            body=answer.body,
            location=answer.location,
            answered_at=at,
        )
