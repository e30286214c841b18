"""The project's own source, as the tests of its shape read it."""

import ast
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
# From top to bottom; a layer may use those that follow it.
STACK: list[str] = PYPROJECT["tool"]["importlinter"]["contracts"][0]["layers"]
PACKAGES: list[str] = PYPROJECT["tool"]["importlinter"]["root_packages"]
DOMAIN_APPS = [name for name in STACK if name not in ("demo", "web", "common")]


@cache
def modules(*packages: str) -> tuple[Path, ...]:
    """Modules of the packages (paths from the root), without migrations."""
    return tuple(
        sorted(
            path.relative_to(ROOT)
            for package in packages
            for path in (ROOT / package).rglob("*.py")
            if "migrations" not in path.parts
        )
    )


@cache
def tree(module: Path) -> ast.Module:
    return ast.parse((ROOT / module).read_text(), filename=str(module))


def functions(module: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
