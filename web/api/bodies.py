"""What a program sends: read once, up to a bound, and hashed on the way."""

import gzip
import hashlib
import json
import zlib
from collections.abc import Mapping
from http import HTTPStatus
from io import BytesIO, RawIOBase
from typing import Any

from django.http import HttpRequest
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from web.api.problems import Refused

GZIP = "gzip"
_BYTES_AT_ONCE = 1 << 20
_MOST_JSON_BYTES = 256 * 1024
"""Of a JSON body as it is sent, and once more of what a compressed one unfolds to."""


class Body(RawIOBase):
    """The request's body as a stream that counts and hashes what goes by."""

    def __init__(self, request: HttpRequest, most_bytes: int) -> None:
        self._request = request
        self._most_bytes = most_bytes
        self._hash = hashlib.sha256()

    def check_length(self) -> None:
        """Refuse a body before any of it is read.

        :raises Refused: it does not say how long it is, or is too long.
        """
        sent = self._request.headers.get("Content-Length", "")
        if "Transfer-Encoding" in self._request.headers and not sent:
            raise Refused(HTTPStatus.LENGTH_REQUIRED, "LengthRequired", "Say how long the body is.")
        if sent.isdigit() and int(sent) > self._most_bytes:
            raise too_large(self._most_bytes)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        chunk = self._request.read(len(buffer))
        buffer[: len(chunk)] = chunk
        self._hash.update(chunk)
        return len(chunk)

    def fingerprint(self) -> str:
        """Of method, address and the whole body, the rest of which is read for it."""
        while self.read(_BYTES_AT_ONCE):
            pass
        asked = f"{self._request.method} {self._request.get_full_path()}\0"
        return hashlib.sha256(asked.encode() + self._hash.digest()).hexdigest()


def too_large(most_bytes: int) -> Refused:
    """The refusal of a body of more bytes than these."""
    return Refused(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "BodyTooLarge",
        f"A body may have {most_bytes} bytes, compressed or not: send less at once.",
    )


class JsonParser(BaseParser):
    """JSON as RFC 8259 has it, plain or gzip."""

    media_type = "application/json"

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The value; an object, in every route there is."""
        assert parser_context is not None
        text = parser_context["view"].text()
        try:
            return json.loads(text, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise ParseError(f"The body is not JSON: {error}.") from error


def read_text(body: Body, encoding: str) -> bytes:
    """A whole body that is kept in memory, unpacked where it is compressed.

    :raises Refused: it is too large, or in an encoding that is not understood.
    """
    sent = body.read(_MOST_JSON_BYTES + 1)
    if len(sent) > _MOST_JSON_BYTES:
        raise too_large(_MOST_JSON_BYTES)
    check_encoding(encoding)
    if encoding != GZIP:
        return sent
    try:
        with gzip.GzipFile(fileobj=BytesIO(sent)) as unpacked:
            text = unpacked.read(_MOST_JSON_BYTES + 1)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ParseError(f"The gzip stream cannot be read: {error}.") from error
    if len(text) > _MOST_JSON_BYTES:
        raise too_large(_MOST_JSON_BYTES)
    return text


def check_encoding(encoding: str) -> None:
    """Refuse what cannot be unpacked.

    :raises Refused: the encoding is not understood.
    """
    if encoding not in ("", "identity", GZIP):
        raise Refused(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "EncodingNotSupported",
            "Send the body plain, or with Content-Encoding: gzip.",
        )


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")
