"""The lines of suspense as they were received, as a file that can be mended and sent again."""

from cdr.models import XdrFile
from cdr.rules.mending import Choice
from cdr.selectors.suspense import chosen_suspense
from common.errors import DomainError
from common.scope import Scope

MOST_LINES = 100_000
MOST_SAMPLED = 50


class HeadersDiffer(DomainError):
    """The lines come from files whose headers name other columns."""


class TooManyLines(DomainError):
    """More lines are chosen than a file is made of."""


def received_lines(scope: Scope, choice: Choice) -> str:
    """The lines of the chosen rows verbatim, each once, under the header of their files.

    Of a line that was no text the escaped copy that is kept.

    :raises HeadersDiffer: they come from files of other columns, or of other sources.
    :raises TooManyLines: there are more than MOST_LINES.
    """
    rows = chosen_suspense(scope, choice)
    file_ids = rows.values("chunk__file_id").distinct()
    files = XdrFile.objects.visible_to(scope).filter(pk__in=file_ids)
    kinds = set(files.values_list("source_id", "header").distinct()[:2])
    if len(kinds) > 1:
        raise HeadersDiffer(
            "These lines are of several sources, or of files whose headers differ:"
            " choose a source or a file first."
        )
    chosen = rows.order_by("chunk_id", "line_number", "pk")
    found = list(chosen.values_list("chunk_id", "line_number", "raw")[: MOST_LINES + 1])
    if len(found) > MOST_LINES:
        raise TooManyLines(f"A file holds up to {MOST_LINES:,} lines. Narrow the filter.")
    # An xDR that waits for two legs has one line.
    lines = {(chunk_id, number): raw for chunk_id, number, raw in found}
    header = [text for _, text in kinds if text]
    return "".join(f"{line}\n" for line in [*header, *lines.values()])


def suspense_sample(scope: Scope, choice: Choice | None, source_id: int) -> str:
    """The first lines of a choice among those of a source, under their header; empty of none."""
    if choice is None or choice.source_id != source_id:
        return ""
    rows = chosen_suspense(scope, choice).select_related("chunk__file")
    found = list(rows.order_by("chunk_id", "line_number", "pk")[:MOST_SAMPLED])
    if not found:
        return ""
    header = found[0].chunk.file.header
    return "\n".join([*([header] if header else []), *(row.raw for row in found)])
