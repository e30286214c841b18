import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.source import DOMAIN_APPS, PACKAGES, ROOT, functions, modules, tree

MOST_LINES_OF_A_MODULE = 400
MOST_LINES_OF_A_FUNCTION = 60
BANNED_WORDS = {"manager", "handler", "processor", "helper", "helpers", "util", "utils"} | {
    "data",
    "info",
    "misc",
}
# Units of data sessions, beside those of calls and messages.
TRADE_WORDS = {"catalogue/rules/units.py: _DATA"}
BANNED_MODULES = {"views", "forms", "serializers", "signals", "utils", "helpers"}
ALL = modules(*PACKAGES, "tests", "benchmarks")
OWN = modules(*PACKAGES)


def words(name: str) -> set[str]:
    """`WebRoleMiddleware` and `web_role_middleware` as web, role, middleware."""
    return set(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().split("_"))


def names(module: Path) -> Iterator[str]:
    """What the module names: itself, its classes, functions, parameters and variables."""
    yield module.stem
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


class TestTheSource:
    def test_has_modules_to_look_at(self) -> None:
        assert Path("tenancy/selectors.py") in OWN
        assert {module.parts[0] for module in OWN} == set(PACKAGES)

    def test_keeps_modules_short(self) -> None:
        too_long = {
            str(module): lines
            for module in ALL
            if (lines := (ROOT / module).read_text().count("\n")) > MOST_LINES_OF_A_MODULE
        }

        assert too_long == {}

    def test_keeps_functions_short(self) -> None:
        too_long = {
            f"{module}:{function.lineno} {function.name}": lines
            for module in ALL
            for function in functions(module)
            if (lines := (function.end_lineno or 0) - function.lineno + 1)
            > MOST_LINES_OF_A_FUNCTION
        }

        assert too_long == {}

    def test_names_things_by_what_they_are(self) -> None:
        banned = {
            f"{module}: {name}"
            for module in OWN
            for name in names(module)
            if words(name) & BANNED_WORDS
        }

        assert banned <= TRADE_WORDS

    def test_says_no_http_in_domain_apps(self) -> None:
        found = {str(module) for module in modules(*DOMAIN_APPS) if module.stem in BANNED_MODULES}

        assert found == set()

    def test_reads_the_clock_only_at_the_edge(self) -> None:
        """Commands, tasks, pages and the demo may; all else is told the time."""
        readers = {
            str(module)
            for module in modules(*DOMAIN_APPS, "common")
            if "management" not in module.parts
            and module.stem not in ("tasks", "clock")
            and "tasks" not in module.parts
            and any(reads_the_clock(node) for node in ast.walk(tree(module)))
        }

        assert readers == set()


def reads_the_clock(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.module in ("common.clock", "django.utils.timezone") or (
            node.module == "common" and "clock" in {name.name for name in node.names}
        )
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("now", "utcnow", "today")
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in ("datetime", "date", "timezone")
    )
