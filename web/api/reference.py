"""The reference of the API, for people and for programs: one description, written two ways."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from tenancy.rules.scopes import MEANINGS
from web.api.schema import openapi

_REF = "#/components/schemas/"


@dataclass(frozen=True)
class Field:
    """One field or parameter: `of` names the schema that it is made of, if any."""

    name: str
    kind: str
    of: str
    is_required: bool
    text: str


@dataclass(frozen=True)
class Body:
    """What is sent or answered: a media type or status, and the schema it follows."""

    label: str
    text: str
    of: str


@dataclass(frozen=True)
class Route:
    """One method of one address."""

    id: str
    method: str
    path: str
    summary: str
    text: str
    scope: str
    parameters: list[Field]
    requests: list[Body]
    responses: list[Body]


@dataclass(frozen=True)
class Shape:
    """An object of JSON and its fields."""

    name: str
    text: str
    fields: list[Field]


@require_safe
def schema(request: HttpRequest) -> HttpResponse:
    """OpenAPI 3.1, for programs; it holds nothing of any provider."""
    return JsonResponse(openapi(), content_type="application/vnd.oai.openapi+json;version=3.1")


@require_safe
def reference(request: HttpRequest) -> HttpResponse:
    """The same for people, without a script."""
    described = openapi()
    context = {
        "routes": list(_routes(described["paths"])),
        "shapes": [
            Shape(name, shape.get("description", ""), list(_fields(shape)))
            for name, shape in described["components"]["schemas"].items()
            if shape["type"] == "object"
        ],
        "scopes": MEANINGS.items(),
    }
    return render(request, "api/reference.html", context)


def _routes(paths: Mapping[str, Mapping[str, Any]]) -> Iterator[Route]:
    for path, methods in paths.items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {})
            yield Route(
                id=operation["operationId"],
                method=method.upper(),
                path=path,
                summary=operation["summary"],
                text=operation["description"],
                scope=operation["security"][0]["token"][0],
                parameters=[_parameter(each) for each in operation.get("parameters", [])],
                requests=[_body(kind, "", each["schema"]) for kind, each in content.items()],
                responses=list(_responses(operation["responses"])),
            )


def _responses(responses: Mapping[str, Any]) -> Iterator[Body]:
    for status, response in responses.items():
        for content in response["content"].values():
            yield _body(status, response["description"], content["schema"])


def _parameter(parameter: Mapping[str, Any]) -> Field:
    return _field(
        parameter["name"],
        {**parameter["schema"], "description": parameter.get("description", "")},
        is_required=parameter.get("required", False),
    )


def _fields(shape: Mapping[str, Any]) -> Iterator[Field]:
    required = shape.get("required", [])
    for name, field in shape.get("properties", {}).items():
        yield _field(name, field, is_required=name in required)


def _field(name: str, field: Mapping[str, Any], *, is_required: bool) -> Field:
    return Field(name, _kind(field), _of(field), is_required, field.get("description", ""))


def _body(label: str, text: str, schema: Mapping[str, Any]) -> Body:
    return Body(label, text, _of(schema))


def _of(schema: Any) -> str:
    """The schema that something is made of, wherever it is named."""
    if isinstance(schema, Mapping):
        if "$ref" in schema:
            return str(schema["$ref"]).removeprefix(_REF)
        return next(filter(None, map(_of, schema.values())), "")
    if isinstance(schema, list):
        return next(filter(None, map(_of, schema)), "")
    return ""


def _kind(field: Mapping[str, Any]) -> str:
    """The type in a few words: `string (date-time)`, `rated or zero`."""
    if "enum" in field:
        return " or ".join(str(value) for value in field["enum"] if value is not None)
    kinds = field.get("type", "object")
    kind = " or ".join(kinds) if isinstance(kinds, list) else str(kinds)
    form = field.get("format", "")
    return f"{kind} ({form})" if form and form != kind else kind
