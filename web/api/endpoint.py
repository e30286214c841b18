"""The base of every route: token, scope, rate limit, body, idempotency and refusals."""

from collections.abc import Mapping
from http import HTTPMethod, HTTPStatus
from typing import Any, ClassVar, cast

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.exceptions import NotAuthenticated, Throttled
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common import clock
from common.scope import Scope
from tenancy.rules.scopes import SCOPES
from tenancy.selectors import Grant
from tenancy.services.api_tokens import note_use
from web.access import CommittedFirst, ScopedRequest, client_address
from web.api.bodies import Body, JsonParser, read_text
from web.api.idempotency import Answer, NamedCall, key_of, stored_answer
from web.api.problems import Refused, answer_refusal
from web.api.rate_limits import Allowance, count_call, count_failure

SAFE = (HTTPMethod.GET, HTTPMethod.HEAD)
MOST_BODY_BYTES = 1024**2


class OnlyJson(BaseContentNegotiation):
    """JSON, whatever the caller says it accepts: most programs say nothing or anything."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        content_type = str(request.content_type).partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == content_type), None)

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[Any, str]:
        return renderers[0], renderers[0].media_type


class Endpoint(APIView):
    """A route. `needs` names, by method, the scope without which it answers 403.

    Who shows no valid token gets 401. What a method writes is taken back if it raises; its answer
    is kept where the call named itself by a key.
    """

    needs: ClassVar[Mapping[str, str]] = {}
    most_bytes: ClassVar[int] = MOST_BODY_BYTES

    authentication_classes = []
    permission_classes = []
    throttle_classes = []
    renderer_classes = [JSONRenderer]
    parser_classes = [JsonParser]
    content_negotiation_class = OnlyJson
    metadata_class = None

    allowance: Allowance | None = None
    body: Body
    fingerprint: str = ""

    @property
    def scope(self) -> Scope:
        """Who asks."""
        scope = self._asked.scope
        assert scope is not None
        return scope

    @property
    def grant(self) -> Grant:
        """What their token says."""
        grant = self._asked.grant
        assert grant is not None
        return grant

    @property
    def _asked(self) -> ScopedRequest:
        return cast("ScopedRequest", self.request._request)

    def text(self) -> bytes:
        """The whole body, unpacked."""
        return read_text(self.body, self.request.headers.get("Content-Encoding", "").lower())

    @property
    def allowed_methods(self) -> list[str]:
        """What the route understands, for the refusal of anything else."""
        return [method for method in super().allowed_methods if method != HTTPMethod.OPTIONS]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Find out whether the call may be made at all, before anything of it is read."""
        if self._asked.grant is None:
            self._refuse_stranger()
        self.allowance = count_call(self.grant.token_id)
        if self.allowance.remaining < 0:
            raise Throttled(self.allowance.resets_in)
        if request.method not in self.allowed_methods:
            self.http_method_not_allowed(request)
        self._check_scope(str(request.method))
        self.body = Body(self._asked, self.most_bytes)
        self.body.check_length()

    def _refuse_stranger(self) -> None:
        allowance = count_failure(client_address(self._asked))
        if allowance.remaining < 0:
            raise Throttled(allowance.resets_in)
        raise NotAuthenticated(
            "Show a token that is valid, and may be used from where you are:"
            " Authorization: Bearer tgt_…"
        )

    def _note_use(self) -> None:
        """Last, as it locks the token: who sends a body slowly must not keep it from revocation."""
        note_use(
            token_id=self.grant.token_id,
            last_used_at=self.grant.last_used_at,
            address=client_address(self._asked),
            at=clock.now(),
        )

    def _check_scope(self, method: str) -> None:
        scope = self.needs["GET" if method == HTTPMethod.HEAD else method]
        if SCOPES[scope] not in self.scope.permissions:
            raise Refused(
                HTTPStatus.FORBIDDEN,
                "ScopeMissing",
                f"This needs the scope {scope}, and {SCOPES[scope]} in the role of the token.",
            )

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """As the framework does it, with the call done once where it names itself by a key."""
        self.args, self.kwargs = args, kwargs
        self.headers = self.default_response_headers
        self.request = self.initialize_request(request, *args, **kwargs)
        response: Any
        try:
            self.initial(self.request, *args, **kwargs)
            response = self._do_once(*args, **kwargs)
            self._note_use()
        except Exception as error:
            response = self.handle_exception(error)
        self.response = self.finalize_response(self.request, response, *args, **kwargs)
        return self.response

    def handle_exception(self, exc: Exception) -> Response:
        """A refusal in words; nothing that the call wrote stays."""
        return answer_refusal(exc, self.request)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Say what is left of the minute; what is somebody's is kept by nobody."""
        final = super().finalize_response(request, response, *args, **kwargs)
        final.headers.setdefault("Cache-Control", "private, no-store")
        for name, value in (self.allowance.headers if self.allowance else {}).items():
            final.headers[name] = value
        return final

    def _do_once(self, *args: Any, **kwargs: Any) -> HttpResponse:
        method = str(self.request.method)
        work = getattr(self, "get" if method == HTTPMethod.HEAD else method.lower())
        key = None if method in SAFE else key_of(self.request.headers)
        if key is None:
            done: HttpResponse = work(self.request, *args, **kwargs)
            return done
        stored = stored_answer(self.scope, self.grant.token_id, key, self.body.fingerprint)
        if stored is not None:
            return stored
        response: HttpResponse = work(self.request, *args, **kwargs)
        if not isinstance(response, CommittedFirst):
            self._keep(response)
        return response

    def named_call(self) -> NamedCall | None:
        """The call by its key and what it asks; None where it has no key."""
        key = key_of(self.request.headers)
        if key is None:
            return None
        grant = self.grant
        return NamedCall(grant.provider_id, grant.token_id, key, self.body.fingerprint())

    def _keep(self, response: Any) -> None:
        call = self.named_call()
        assert call is not None
        body = JSONRenderer().render(response.data).decode()
        answer = Answer(response.status_code, body, response.headers.get("Location", ""))
        call.answered(answer, clock.now()).save(force_insert=True)
