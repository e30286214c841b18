"""The guides' pictures: each is there, small, shown, and made by a browser test."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GUIDES = sorted(ROOT.glob("docs/guide-*.md"))
MOST_BYTES = 120_000


def shown(guide: Path) -> set[str]:
    """The names of the pictures in a guide."""
    return set(re.findall(r"!\[[^]]+\]\(pictures/([a-z-]+)\.png\)", guide.read_text()))


def made() -> set[str]:
    """The names of the pictures that browser tests make."""
    code = "".join(path.read_text() for path in ROOT.glob("tests/e2e/*.py"))
    by_name = re.findall(r'illustrate\("([a-z-]+)"\)', code)
    [in_guides] = re.findall(r"IN_GUIDES = {(.*?)}", code, re.DOTALL)
    return {*by_name, *(name.replace("_", "-") for name in re.findall(r'"(\w+)"', in_guides))}


class TestTheGuides:
    def test_are_four_and_the_readme_leads_to_each(self) -> None:
        readme = (ROOT / "README.md").read_text()

        assert len(GUIDES) == 4
        assert all(f"(docs/{guide.name})" in readme for guide in GUIDES)

    @pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.stem)
    def test_have_their_pictures(self, guide: Path) -> None:
        sizes = {name: (ROOT / f"docs/pictures/{name}.png").stat().st_size for name in shown(guide)}

        assert sizes
        assert {name for name, size in sizes.items() if size > MOST_BYTES} == set()

    def test_show_every_picture_that_is_kept(self) -> None:
        kept = {path.stem for path in ROOT.glob("docs/pictures/*")}

        assert kept == set().union(*map(shown, GUIDES))

    def test_have_no_picture_but_those_that_browser_tests_make(self) -> None:
        assert made() == set().union(*map(shown, GUIDES))
