"""Which suspense a call means, and what is to be read otherwise than it was received."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from cdr.models import IdentifiedBy, SuspenseReason
from cdr.models.suspense import SUBJECT_CHARACTERS
from cdr.rules.mending import CORRECTABLE, Change, ChangeKind, Choice
from cdr.selectors.sources import sources
from cdr.services.mending import MOST_CHOSEN, ChangeRefused
from common.scope import Scope
from customers.selectors import customers
from web.api.pages import StrictIn

LARGEST_ID = 2**63 - 1
NAMED_BY = [kind.lower() for kind in IdentifiedBy.values]
CHANGES = [kind.lower() for kind in ChangeKind]


class ChoiceIn(StrictIn):
    """Open suspense that everything said here is true of; of nothing said, all of it."""

    reason = serializers.ChoiceField(choices=SuspenseReason.values, required=False)
    source = serializers.SlugField(required=False)  # type: ignore[assignment]
    named_by = serializers.ChoiceField(choices=NAMED_BY, required=False)
    subject = serializers.CharField(
        required=False,
        allow_blank=True,
        trim_whitespace=False,
        max_length=SUBJECT_CHARACTERS,
        help_text="What it waits for, as its group says; empty: what names nothing.",
    )
    rate_table = serializers.IntegerField(required=False, min_value=1, max_value=LARGEST_ID)
    customer = serializers.IntegerField(
        required=False, min_value=1, max_value=LARGEST_ID, help_text="The customer's number."
    )
    file = serializers.IntegerField(required=False, min_value=1, max_value=LARGEST_ID)
    rows = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=LARGEST_ID),
        required=False,
        min_length=1,
        max_length=MOST_CHOSEN,
        help_text="Of these at most, by their ids.",
    )


class ChangeIn(StrictIn):
    """What is read otherwise; what was received is kept beside it."""

    kind = serializers.ChoiceField(
        choices=CHANGES,
        help_text="set: a field of xDRs is new_text. prefix: a field that begins with old_text"
        " begins with new_text. text: in lines old_text is read as new_text. line: the one line"
        " chosen is read as new_text. zone: local times of lines are of the time zone new_text,"
        " or, where that is empty, of their source's.",
    )
    field = serializers.ChoiceField(
        choices=list(CORRECTABLE),
        required=False,
        help_text="For set and prefix; started_at for set only: a date and time, of the source's"
        " time zone unless it says an offset.",
    )
    old_text = serializers.CharField(
        required=False, allow_blank=True, trim_whitespace=False, max_length=1000
    )
    new_text = serializers.CharField(allow_blank=True, trim_whitespace=False, max_length=65_536)


class ChangeOut(serializers.Serializer[Any]):
    """What is read otherwise than it was received."""

    kind = serializers.ChoiceField(choices=CHANGES)
    field = serializers.CharField(help_text="Empty where it is of lines.")
    old_text = serializers.CharField()
    new_text = serializers.CharField()


class ChoiceOut(serializers.Serializer[Any]):
    """Which rows were chosen; null and empty lists say nothing."""

    reason = serializers.ChoiceField(choices=SuspenseReason.values, allow_null=True)
    source = serializers.SlugField(allow_null=True)  # type: ignore[assignment]
    named_by = serializers.ChoiceField(choices=NAMED_BY, allow_null=True)
    subject = serializers.CharField(allow_null=True)
    rate_table = serializers.IntegerField(allow_null=True)
    customer = serializers.IntegerField(allow_null=True, help_text="The customer's id.")
    file = serializers.IntegerField(allow_null=True)
    rows = serializers.ListField(child=serializers.IntegerField())


def choice_asked_for(scope: Scope, said: Mapping[str, Any]) -> Choice:
    """The choice that a call makes.

    :raises ValidationError: there is no such source or customer.
    """
    found = {
        "source": sources(scope).filter(slug=said.get("source", "")).first(),
        "customer": customers(scope).filter(number=said.get("customer", 0)).first(),
    }
    unknown = {
        name: [f"There is no {name} {said[name]}."]
        for name, row in found.items()
        if name in said and row is None
    }
    if unknown:
        raise serializers.ValidationError(unknown)
    return Choice(
        reason=said.get("reason", ""),
        source_id=found["source"].pk if found["source"] else None,
        named_by=said.get("named_by", "").upper(),
        subject=said.get("subject"),
        rate_table_id=said.get("rate_table"),
        customer_id=found["customer"].pk if found["customer"] else None,
        file_id=said.get("file"),
        suspense_ids=tuple(said.get("rows", ())),
    )


def change_asked_for(said: Mapping[str, Any], choice: Choice) -> Change:
    """The correction that a call asks for.

    :raises ChangeRefused: it names no field, or one line for several rows.
    """
    kind = ChangeKind(said["kind"].upper())
    if not kind.is_of_lines and "field" not in said:
        raise _refused("field", "Say which field of the xDRs.")
    if kind is ChangeKind.LINE and len(choice.suspense_ids) != 1:
        raise _refused("kind", "A whole line is of one row: choose it by its id.")
    return Change(
        kind,
        "" if kind.is_of_lines else said["field"],
        said.get("old_text", "") if kind in (ChangeKind.PREFIX, ChangeKind.TEXT) else "",
        said["new_text"],
    )


def _refused(field: str, why: str) -> ChangeRefused:
    return ChangeRefused(why, by_field={field: why})


def choice_out(choice: Choice, source_slug: str | None) -> dict[str, Any]:
    """A choice as it is written."""
    return {
        "reason": choice.reason or None,
        "source": source_slug,
        "named_by": choice.named_by.lower() or None,
        "subject": choice.subject,
        "rate_table": choice.rate_table_id,
        "customer": choice.customer_id,
        "file": choice.file_id,
        "rows": list(choice.suspense_ids),
    }


def change_out(change: Change | None) -> dict[str, Any] | None:
    """A correction as it is written."""
    if change is None:
        return None
    texts = {"old_text": change.old_text, "new_text": change.new_text}
    return {"kind": change.kind.lower(), "field": change.field, **texts}
