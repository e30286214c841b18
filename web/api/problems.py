"""Every refusal as `application/problem+json` (RFC 9457): what happened, and what to do."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response

from common.errors import DomainError, NotFound

MEDIA_TYPE = "application/problem+json"
# Names of refusals that have no DomainError; they are part of the interface, like the routes.
_CODES = {
    HTTPStatus.BAD_REQUEST: "NotUnderstood",
    HTTPStatus.UNAUTHORIZED: "TokenRefused",
    HTTPStatus.FORBIDDEN: "ScopeMissing",
    HTTPStatus.NOT_FOUND: "NotFound",
    HTTPStatus.METHOD_NOT_ALLOWED: "MethodNotAllowed",
    HTTPStatus.NOT_ACCEPTABLE: "NotAcceptable",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "MediaTypeNotSupported",
    HTTPStatus.TOO_MANY_REQUESTS: "TooManyRequests",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Failed",
}

logger = logging.getLogger(__name__)


class Refused(exceptions.APIException):
    """A call is refused for what it is, not for what it asks: a status, a code and what to do."""

    def __init__(self, status: HTTPStatus, code: str, detail: str) -> None:
        super().__init__(detail, code)
        self.status_code = status
        self.code = code


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    fields: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A refusal; `fields` says the same of each field by its name."""
    body: dict[str, Any] = {
        "type": f"urn:tollgate:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "code": code,
        "detail": detail,
    }
    if fields:
        body["fields"] = fields
    return Response(body, status=status, headers=dict(headers or {}), content_type=MEDIA_TYPE)


def answer_refusal(error: Exception, request: Any) -> Response:
    """What a call is answered that raised; what it wrote is taken back."""
    transaction.set_rollback(True)
    return refusal_of(error, request)


def refusal_of(error: Exception, request: Any) -> Response:
    """What a call is answered that raised and has written nothing."""
    if isinstance(error, Refused):
        return problem(error.status_code, error.code, str(error.detail))
    if isinstance(error, (NotFound, ObjectDoesNotExist, Http404)):
        return _named(HTTPStatus.NOT_FOUND, "There is nothing at this address.")
    if isinstance(error, DomainError):
        fields = {name: [text] for name, text in error.by_field.items()}
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, error.code, str(error), fields=fields)
    if isinstance(error, exceptions.APIException):
        return _of_framework(error)
    logger.exception("%s %s failed", request.method, request.path, exc_info=error)
    return _named(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "Something went wrong here, and nothing was changed. Try again later.",
    )


def _named(status: HTTPStatus, detail: str) -> Response:
    return problem(status, _CODES[status], detail)


def _invalid(error: exceptions.ValidationError) -> Response:
    detail = error.detail
    fields = detail if isinstance(detail, dict) else {"non_field_errors": detail}
    first = next(iter(fields), "")
    return problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "Invalid",
        f"What was sent is not right; see fields, and {first} first.",
        fields=fields,
    )


def _of_framework(error: exceptions.APIException) -> Response:
    if isinstance(error, exceptions.ValidationError):
        return _invalid(error)
    headers = {}
    if error.status_code == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="api"'
    wait = getattr(error, "wait", None)
    if wait is not None:
        headers["Retry-After"] = str(max(1, round(wait)))
    code = _CODES.get(HTTPStatus(error.status_code), "Refused")
    return problem(error.status_code, code, str(error.detail), headers=headers)
