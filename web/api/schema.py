"""The interface as OpenAPI 3.1 says it, worked out from the routes themselves."""

from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers

from tenancy.rules.scopes import MEANINGS

_BASE = "/api/v1/"


class ProblemOut(serializers.Serializer[Any]):
    """What any refusal says (RFC 9457)."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField(help_text="Stable name of the refusal, for programs.")
    detail = serializers.CharField(help_text="What happened and what to do, for people.")
    fields = serializers.DictField(  # type: ignore[assignment]
        child=serializers.ListField(child=serializers.CharField()), required=False
    )


class RouteSchema(AutoSchema):
    """What `Endpoint` adds to every route: its scope, its refusals, and its key."""

    def get_tags(self) -> list[str]:
        """Routes are grouped by the first part of their address."""
        return [self.path.removeprefix(_BASE).partition("/")[0]]

    def get_auth(self) -> list[dict[str, list[str]]]:
        needs: dict[str, str] = self.view.needs  # type: ignore[attr-defined]
        return [{"token": [needs[self.method]]}]

    def get_operation(self, *args: Any, **kwargs: Any) -> Any:
        operation = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        text = operation.pop("description", "").strip()
        summary, _, rest = text.partition("\n")
        operation = {"summary": summary, "description": rest.strip(), **operation}
        if self.method not in ("GET", "HEAD"):
            operation.setdefault("parameters", []).append(_IDEMPOTENCY_KEY)
        problem = self.resolve_serializer(ProblemOut, "response").ref
        operation["responses"]["4XX"] = {
            "description": "Refused: what happened, and what to do.",
            "content": {"application/problem+json": {"schema": problem}},
        }
        return operation


_IDEMPOTENCY_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "schema": {"type": "string", "maxLength": 255},
    "description": "Names this call: sent again with it, it is answered again and not done again.",
}


def describe_token(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """How to show a token, and what the scopes mean."""
    meanings = "\n".join(f"* `{scope}`: {meaning}." for scope, meaning in MEANINGS.items())
    result.setdefault("components", {})["securitySchemes"] = {
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": f"A token from Settings, API tokens. Its scopes:\n\n{meanings}",
        }
    }
    return result


@cache
def openapi() -> dict[str, Any]:
    """The description; the routes do not change while a process runs."""
    generator: Any = SchemaGenerator  # untyped
    described: dict[str, Any] = generator().get_schema(request=None, public=True)
    return described
