"""Lists by cursor: each page names the next one, and none is counted."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from web.api.problems import Refused
from web.shared.keyset import keyset_page, ordering_of

USUAL_ROWS, MOST_ROWS = 50, 500


class PageIn(serializers.Serializer[Any]):
    """What every list takes beside its filters."""

    cursor = serializers.CharField(
        required=False, max_length=2000, help_text="`next` of the page before."
    )
    limit = serializers.IntegerField(
        required=False, min_value=1, max_value=MOST_ROWS, default=USUAL_ROWS
    )


class NothingIn(serializers.Serializer[Any]):
    """An address that takes no parameters."""


class StrictIn(serializers.Serializer[Any]):
    """An object that says nothing which is not known: a name misspelt would choose too much."""

    def to_internal_value(self, sent: Any) -> Any:
        """The values by name.

        :raises ValidationError: by field.
        """
        if isinstance(sent, Mapping):
            unknown = sorted(str(name) for name in sent.keys() - self.fields.keys())
            if unknown:
                raise serializers.ValidationError(
                    {name: ["There is no such field here."] for name in unknown}
                )
        return super().to_internal_value(sent)


def page_response(
    request: Request,
    rows: QuerySet[Any],
    asked: dict[str, Any],
    write: Callable[[list[Any]], list[dict[str, Any]]],
) -> Response:
    """A page of rows in the order they come in, with the address of the next one.

    :raises Refused: the cursor is none of this list.
    """
    cursor = asked.get("cursor", "")
    page = keyset_page(rows, ordering=ordering_of(rows), size=asked["limit"], after=cursor)
    if cursor and page.rows and not page.before:
        raise Refused(
            HTTPStatus.BAD_REQUEST,
            "CursorNotUnderstood",
            "Take the cursor from next of the page before, and send the same filters with it.",
        )
    query = {name: value for name, value in request.query_params.items() if name != "cursor"}
    following = f"{request.path}?{urlencode({**query, 'cursor': page.after})}"
    return Response({"results": write(page.rows), "next": following if page.after else None})


def read_query(serializer: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """The filters of an address, checked; one that is not known is refused, not passed over.

    :raises ValidationError: by field.
    """
    sent = request.query_params.dict()
    unknown = sorted(sent.keys() - serializer().fields.keys())
    if unknown:
        raise serializers.ValidationError(
            {name: ["There is no such parameter here."] for name in unknown}
        )
    read = serializer(data=sent)
    read.is_valid(raise_exception=True)
    values: dict[str, Any] = read.validated_data
    return values


def read_nothing(request: Request) -> None:
    """Refuse parameters, and a body that says anything: there is nothing to choose here.

    :raises ValidationError: by field.
    """
    read_query(NothingIn, request)
    StrictIn(data=request.data).is_valid(raise_exception=True)
