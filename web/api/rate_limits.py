"""How many calls a token may make a minute, counted in the cache by whole minutes.

The headers are those of the IETF's `draft-ietf-httpapi-ratelimit-headers`.
"""

import logging
import math
import time
from dataclasses import dataclass
from functools import cache

from django.conf import settings
from redis import Redis, RedisError

WINDOW_SECONDS = 60
ANSWERS_WITHIN_SECONDS = 1
"""How long a call waits to be counted, before it is answered uncounted."""
FAILURES_A_MINUTE = 60
"""Calls with no valid token, from one address, before it is told to wait."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Allowance:
    """What of a minute's calls is left, with this one taken off; negative: it is one too many."""

    limit: int
    remaining: int
    resets_in: int

    @property
    def headers(self) -> dict[str, str]:
        """What the caller is told of it."""
        return {
            "RateLimit-Policy": f'"calls";q={self.limit};w={WINDOW_SECONDS}',
            "RateLimit": f'"calls";r={max(0, self.remaining)};t={self.resets_in}',
        }


def count_call(token_id: int) -> Allowance:
    """Count a call of a token."""
    return _count(f"api-calls:{token_id}", settings.API_CALLS_A_MINUTE)


def count_failure(address: str) -> Allowance:
    """Count a call without a valid token."""
    return _count(f"api-failures:{address}", FAILURES_A_MINUTE)


def _count(name: str, limit: int) -> Allowance:
    """A cache that is out of reach, or silent, limits nobody: calls are more than the counting."""
    now = time.time()
    key = f"{name}:{int(now // WINDOW_SECONDS)}"
    resets_in = max(1, math.ceil(WINDOW_SECONDS - now % WINDOW_SECONDS))
    try:
        count = _counted(key)
    except RedisError as error:
        logger.warning("A call could not be counted: %s", error)
        count = 1
    return Allowance(limit, limit - count, resets_in)


def _counted(key: str) -> int:
    """By one question: the framework's cache asks whether there is something to count first."""
    counts = _counts(settings.REDIS_URL)
    count: int = counts.incr(f"{settings.KEY_PREFIX}:{key}")
    if count == 1:
        counts.expire(f"{settings.KEY_PREFIX}:{key}", 2 * WINDOW_SECONDS)
    return count


@cache
def _counts(url: str) -> Redis:
    return Redis.from_url(
        url, socket_timeout=ANSWERS_WITHIN_SECONDS, socket_connect_timeout=ANSWERS_WITHIN_SECONDS
    )
