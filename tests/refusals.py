"""A refusal changes nothing: checked on every row that the refused service could have touched."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.apps import apps

from common.errors import DomainError

APPS = (
    "tenancy",
    "audit",
    "ledger",
    "catalogue",
    "resellers",
    "customers",
    "subscriptions",
    "billing",
    "payments",
    "payouts",
    "cdr",
)


@contextmanager
def refused(refusal: type[DomainError], match: str | None = None) -> Iterator[None]:
    """What runs inside raises `refusal`, with a message that `match` finds, and changes no row."""
    before = _rows()
    with pytest.raises(refusal, match=match):
        yield
    assert _rows() == before


def _rows() -> dict[str, list[tuple[Any, ...]]]:
    models = [model for label in APPS for model in apps.get_app_config(label).get_models()]
    return {
        model._meta.label: list(model._default_manager.order_by("pk").values_list())
        for model in models
    }
