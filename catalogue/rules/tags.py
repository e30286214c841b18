"""Tags: the words by which usage gets rates of its own."""

import re
from collections.abc import Iterable

TAG_CHARACTERS = 40
TAGS_CHARACTERS = 200
"""The most room that the tags of a source, a trunk, an identifier or a line may take."""

_BREAK = re.compile("[,;]")
_TAG = re.compile(rf"[A-Za-z0-9._-]{{1,{TAG_CHARACTERS}}}")


class TagsNotUnderstood(ValueError):
    """A tag is no single word, or they are too many to be kept."""


def split_tags(text: str) -> frozenset[str]:
    """The words of a text, parted by commas or semicolons, whatever they are.

    >>> sorted(split_tags("vip; test,,vip"))
    ['test', 'vip']
    """
    return frozenset(filter(None, (tag.strip() for tag in _BREAK.split(text))))


def join_tags(tags: Iterable[str]) -> str:
    """Tags as they are kept: each once, in order, parted by commas.

    >>> join_tags(["vip", "test", "vip"])
    'test,vip'
    """
    return ",".join(sorted(set(tags)))


def parse_tags(text: str) -> str:
    """Tags that somebody wrote, as they are kept.

    >>> parse_tags("vip, on-net")
    'on-net,vip'

    :raises TagsNotUnderstood: one is no word of up to 40 letters, digits, dots, hyphens and
        underscores, or they take more than 200 characters.
    """
    tags = split_tags(text)
    for tag in sorted(tags):
        if not _TAG.fullmatch(tag):
            raise TagsNotUnderstood(
                f"'{tag}' is not a tag: a word of up to {TAG_CHARACTERS} letters, digits, dots,"
                " hyphens and underscores."
            )
    kept = join_tags(tags)
    if len(kept) > TAGS_CHARACTERS:
        raise TagsNotUnderstood(f"These tags take more than {TAGS_CHARACTERS} characters.")
    return kept
