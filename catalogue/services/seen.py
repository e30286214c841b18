"""Refusing a change by somebody who has not seen what it would replace."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

from common.errors import DomainError


class ChangedMeanwhile(DomainError):
    """Somebody else has changed it since it was looked at; `now` is what it is, as text."""

    def __init__(self, what: str, now: Mapping[str, str], by_field: Mapping[str, str]) -> None:
        super().__init__(
            f"Somebody changed this {what} while you had it open. Nothing was saved: look at what"
            " it is now, and save again to have it as you wrote it.",
            by_field=by_field,
        )
        self.now = now


def written(values: Mapping[str, object]) -> dict[str, str]:
    """The same as texts, by which what somebody saw is compared with what is."""
    return {name: _written(value) for name, value in values.items()}


def check_seen(
    what: str, seen: Mapping[str, str], now: Mapping[str, str], wanted: Mapping[str, str]
) -> None:
    """Check that somebody who wants it otherwise has `seen` it as it is; all by field, as text.

    :raises ChangedMeanwhile: with what it is, was and is to be, at each field that differs.
    """
    others = [name for name in now if seen.get(name) != now[name]]
    if others:
        by_field = {
            name: f"Somebody made it {_quoted(now[name])}: it was {_quoted(seen.get(name))}"
            f" when you saw it, and you wrote {_quoted(wanted[name])}."
            for name in others
        }
        raise ChangedMeanwhile(what, now, by_field)


def _written(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case Decimal():
            return f"{value.normalize():f}"
        case datetime():
            return value.astimezone(UTC).isoformat()
    return str(value)


def _quoted(text: object) -> str:
    return f"'{text}'" if text else "empty"
