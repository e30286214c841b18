"""Which pages are lists, found by what their views call, so that no new one is forgotten."""

import dis
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType, FunctionType

from django.urls import URLPattern, URLResolver, get_resolver

from web.shared.lists import list_page


@dataclass(frozen=True)
class ListPage:
    """A list's URL name and the arguments that its address takes."""

    name: str
    arguments: tuple[str, ...]


def all_list_pages() -> list[ListPage]:
    """The pages of every surface whose view calls `list_page`, itself or by another function."""
    return [
        ListPage(str(pattern.name), tuple(pattern.pattern.converters))
        for pattern in url_patterns()
        if _calls(pattern.callback, list_page, set())
    ]


def url_patterns(
    patterns: list[URLPattern | URLResolver] | None = None,
) -> Iterator[URLPattern]:
    """Every address there is."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            yield from url_patterns(pattern.url_patterns)
        else:
            yield pattern


def _calls(view: object, wanted: object, seen: set[object]) -> bool:
    view = inspect.unwrap(view) if callable(view) else view
    if not isinstance(view, FunctionType) or view in seen:
        return False
    seen.add(view)
    called = [view.__globals__.get(name) for name in _names(view.__code__)]
    return any(
        function is wanted
        or (
            getattr(function, "__module__", "").startswith("web.")
            and _calls(function, wanted, seen)
        )
        for function in called
    )


def _names(code: CodeType) -> Iterator[str]:
    """The names of its module that a function and those defined in it use."""
    for instruction in dis.get_instructions(code):
        if instruction.opname == "LOAD_GLOBAL":
            yield instruction.argval
        elif isinstance(instruction.argval, CodeType):
            yield from _names(instruction.argval)
