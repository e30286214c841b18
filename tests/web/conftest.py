from collections.abc import Iterator

import pytest
from django.core.cache import cache


@pytest.fixture(autouse=True)
def forget_failed_sign_ins() -> Iterator[None]:
    """Lock-outs are counted in the cache, which no transaction takes back."""
    cache.clear()
    yield
    cache.clear()
