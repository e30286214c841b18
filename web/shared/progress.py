"""How long work in the background will take, by how long what is done of it took."""

from datetime import datetime

from common import clock

_SECONDS_UNTIL = 120


def time_left(since: datetime | None, done: int, total: int) -> str:
    """In words; nothing while none of it is done."""
    if since is None or not done or done >= total:
        return ""
    passed = int((clock.now() - since).total_seconds())
    seconds = passed * (total - done) // done
    if seconds < _SECONDS_UNTIL:
        return f"About {seconds} seconds left"
    return f"About {seconds // 60} min left"
