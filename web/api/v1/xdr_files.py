"""Files of xDRs: how far each is, and what its lines became."""

from http import HTTPStatus
from typing import Any

from django.urls import path, reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from cdr.models import XdrFile
from cdr.selectors.files import files
from cdr.services.giving_up import FileNotFailed, start_file_again
from common import clock
from web.api.endpoint import Endpoint
from web.api.pages import NothingIn, PageIn, page_response, read_nothing, read_query
from web.api.problems import Refused
from web.api.v1.legs import instant_out


class CountsOut(serializers.Serializer[Any]):
    """What lines became; each that was read is one of rated, unbilled, duplicate or suspended."""

    read = serializers.IntegerField(help_text="Lines dealt with so far; blank ones too.")
    rated = serializers.IntegerField()
    unbilled = serializers.IntegerField(help_text="Nothing was used.")
    duplicate = serializers.IntegerField()
    suspended = serializers.IntegerField()
    partly_suspended = serializers.IntegerField(help_text="Of the rated: with a leg that waits.")
    blank = serializers.IntegerField()


_COUNTS = {
    "read": "line",
    "rated": "rated",
    "unbilled": "zero",
    "duplicate": "duplicate",
    "suspended": "suspended",
    "partly_suspended": "partly_suspended",
    "blank": "blank",
}
_CHUNKS = {"count": "chunk", "done": "done", "failed": "failed"}
"""How counts are written, and the columns that hold them."""


class ChunksOut(serializers.Serializer[Any]):
    """How far it is: chunks are rated one by one, each as a whole."""

    count = serializers.IntegerField()
    done = serializers.IntegerField()
    failed = serializers.IntegerField(help_text="Given up, until the file is started again.")


class XdrFileOut(serializers.Serializer[Any]):
    """A file as received, and how far it is."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    source = serializers.SlugField()  # type: ignore[assignment]
    sha256 = serializers.CharField()
    size_bytes = serializers.IntegerField()
    state = serializers.ChoiceField(choices=[name.lower() for name in XdrFile.State.names])
    error = serializers.CharField()
    received_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    chunks = ChunksOut()
    counts = CountsOut()


class XdrFilesIn(PageIn):
    """Which files; without any, all of them, the latest first."""

    source = serializers.SlugField(required=False)  # type: ignore[assignment]
    state = serializers.ChoiceField(
        choices=[name.lower() for name in XdrFile.State.names], required=False
    )


class XdrFilePageOut(serializers.Serializer[Any]):
    results = XdrFileOut(many=True)
    next = serializers.CharField(allow_null=True, help_text="Address of the next page.")


class XdrFiles(Endpoint):
    """The files there are."""

    needs = {"GET": "xdrs:read"}

    @extend_schema(operation_id="list_xdr_files", parameters=[XdrFilesIn], responses=XdrFilePageOut)
    def get(self, request: Request) -> Response:
        """Files of xDRs, the latest first."""
        asked = read_query(XdrFilesIn, request)
        rows = files(self.scope)
        if "source" in asked:
            rows = rows.filter(source__slug=asked["source"])
        if "state" in asked:
            rows = rows.filter(state=asked["state"].upper())
        return page_response(request, rows, asked, lambda page: [file_out(file) for file in page])


class OneXdrFile(Endpoint):
    """One file, to be asked for until it has ended."""

    needs = {"GET": "xdrs:read"}

    @extend_schema(operation_id="get_xdr_file", responses=XdrFileOut)
    def get(self, request: Request, file_id: int) -> Response:
        """How far a file is, and what its lines became."""
        read_query(NothingIn, request)
        return Response(file_out(files(self.scope).get(pk=file_id)))


class StartingFileAgain(Endpoint):
    """What of a file was given up is rated after all."""

    needs = {"POST": "xdrs:write"}

    @extend_schema(operation_id="start_xdr_file_again", request=None, responses={202: XdrFileOut})
    def post(self, request: Request, file_id: int) -> Response:
        """Have what is left of a failed file rated; what was rated stays.

        202: workers are at it, tried anew. 409: nothing of it has failed.
        """
        read_nothing(request)
        failed = files(self.scope).get(pk=file_id)
        try:
            start_file_again(file_id=failed.pk, at=clock.now(), actor_id=self.scope.user_id)
        except FileNotFailed as conflict:
            raise Refused(HTTPStatus.CONFLICT, conflict.code, str(conflict)) from conflict
        body = file_out(files(self.scope).get(pk=failed.pk))
        url = reverse("api_xdr_file", kwargs={"file_id": failed.pk})
        return Response(body, status=HTTPStatus.ACCEPTED, headers={"Location": url})


def file_out(file: XdrFile) -> dict[str, Any]:
    """A file of `files` as it is written, with its counts."""
    return {
        "id": file.pk,
        "name": file.name,
        "source": file.source.slug,
        "sha256": file.sha256,
        "size_bytes": file.size_bytes,
        "state": file.state.lower(),
        "error": file.error,
        "received_at": instant_out(file.received_at),
        "finished_at": file.finished_at and instant_out(file.finished_at),
        "chunks": {name: getattr(file, f"{column}_count") for name, column in _CHUNKS.items()},
        "counts": {name: getattr(file, f"{column}_count") for name, column in _COUNTS.items()},
    }


urls = [
    path("xdr-files", XdrFiles.as_view(), name="api_xdr_files"),
    path("xdr-files/<int:file_id>", OneXdrFile.as_view(), name="api_xdr_file"),
    path(
        "xdr-files/<int:file_id>/start-again",
        StartingFileAgain.as_view(),
        name="api_xdr_file_start_again",
    ),
]
