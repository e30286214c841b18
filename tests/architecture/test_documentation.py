import re
from pathlib import Path

import pytest

from tests.architecture.source import ROOT, STACK

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)")
SETTING = re.compile(r'env\.\w+\(\s*"(\w+)"')


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
class TestAPage:
    def test_links_to_what_is_there(self, page: Path) -> None:
        broken = {
            target
            for target in LINK.findall(page.read_text())
            if not (page.parent / target).exists()
        }

        assert broken == set()


class TestTheDocumentation:
    def test_explains_every_setting(self) -> None:
        settings = set(SETTING.findall((ROOT / "config/settings.py").read_text()))
        operations = (ROOT / "docs/operations.md").read_text()

        assert settings
        assert {name for name in settings if f"`{name}`" not in operations} == set()

    def test_explains_every_app(self) -> None:
        architecture = (ROOT / "docs/architecture.md").read_text()

        assert {name for name in STACK if f"| `{name}` |" not in architecture} == set()

    def test_names_every_command(self) -> None:
        commands = {path.stem for path in ROOT.glob("*/management/commands/[a-z]*.py")} - {"demo"}
        readme = (ROOT / "README.md").read_text()

        assert commands
        assert {name for name in commands if f"| `{name} " not in readme} == set()

    def test_lists_every_decision(self) -> None:
        folder = ROOT / "docs/adr"
        listed = set(LINK.findall((folder / "README.md").read_text()))

        assert listed == {path.name for path in folder.glob("0*.md")}
