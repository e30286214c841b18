"""Where the pages of suspense are, and what they ask a group by."""

from tests.cdr.worlds import World

SUSPENSE = "/console/usage/suspense/"
ROWS = f"{SUSPENSE}rows/"


def group(reason: str, subject: str, world: World, named_by: str = "ACCOUNT_CODE") -> str:
    """The choice of one group, as addresses say it."""
    return f"reason={reason}&source={world.source.pk}&named_by={named_by}&subject={subject}"
