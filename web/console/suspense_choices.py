"""Which suspense an address means, and how groups of it are told."""

import re
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import Http404, HttpRequest
from django.urls import reverse

from cdr.models import IdentifiedBy, Source, Suspense, SuspenseReason
from cdr.models.suspense import SUBJECT_CHARACTERS
from cdr.rules.mending import Choice
from cdr.rules.suspense import LINE_REASONS
from cdr.selectors.sources import sources
from cdr.selectors.suspense_groups import SuspenseGroup
from cdr.services.mending import MOST_CHOSEN
from common.scope import Scope
from customers.models import Customer
from customers.selectors import customers
from web.access import SurfaceRequest
from web.shared.actions import Action

_LARGEST = 2**63 - 1
_ID = re.compile(r"[0-9]{1,19}")
NAMES = (
    *("reason", "source", "named_by", "subject", "nameless"),
    *("rate_table", "customer", "file", "row"),
)
HEADINGS = ("Chosen", "How much")
_BY_NUMBER = (SuspenseReason.UNKNOWN_VENDOR,)
BY_TABLE = (
    SuspenseReason.UNRATED_CUSTOMER,
    SuspenseReason.UNRATED_VENDOR,
    SuspenseReason.RESELLER_UNRATED,
    SuspenseReason.BLOCKED,
    SuspenseReason.OVERFLOW,
)


class ChoiceForm(forms.Form):
    """What an address says; none of it must be there, and what is empty says nothing."""

    reason = forms.ChoiceField(choices=SuspenseReason.choices, required=False)
    source = forms.ModelChoiceField(queryset=Source.objects.none(), required=False)
    named_by = forms.ChoiceField(choices=IdentifiedBy.choices, required=False)
    subject = forms.CharField(max_length=SUBJECT_CHARACTERS, required=False, strip=False)
    nameless = forms.BooleanField(required=False)
    rate_table = forms.IntegerField(min_value=1, max_value=_LARGEST, required=False)
    customer = forms.IntegerField(min_value=1, max_value=_LARGEST, required=False)
    file = forms.IntegerField(min_value=1, max_value=_LARGEST, required=False)

    def __init__(self, *args: Any, scope: Scope, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["source"].queryset = sources(scope)  # type: ignore[attr-defined]


def choice_of(request: SurfaceRequest) -> Choice:
    """The choice that an address makes; whoever names rows chooses these at most.

    :raises Http404: it names what there is not.
    """
    form = ChoiceForm(request.GET, scope=request.scope)
    if not form.is_valid():
        raise Http404
    said = form.cleaned_data
    return Choice(
        reason=said["reason"],
        source_id=said["source"].pk if said["source"] else None,
        named_by=said["named_by"],
        subject="" if said["nameless"] else said["subject"] or None,
        rate_table_id=said["rate_table"],
        customer_id=_customer_id(request.scope, said["customer"]),
        file_id=said["file"],
        suspense_ids=_rows(request),
    )


def choice_if_any(request: SurfaceRequest) -> Choice | None:
    """The choice that an address makes; None where it makes none that can be understood."""
    try:
        return choice_of(request)
    except Http404:
        return None


def _customer_id(scope: Scope, number: int | None) -> int | None:
    if number is None:
        return None
    found = customers(scope).filter(number=number).first()
    if found is None:
        raise Http404
    return found.pk


def _rows(request: SurfaceRequest) -> tuple[int, ...]:
    """The rows chosen one by one; of none in a list of boxes, one that there is not."""
    asked = request.GET.getlist("row")
    if len(asked) > MOST_CHOSEN or not all(_ID.fullmatch(each) for each in asked):
        raise Http404
    ids = tuple(int(each) for each in asked if int(each) <= _LARGEST)
    return ids or ((0,) if "chosen" in request.GET else ())


def query_of(request: HttpRequest) -> str:
    """The choice of an address as it is handed on to another."""
    kept = [(name, value) for name in NAMES for value in request.GET.getlist(name) if value]
    if "chosen" in request.GET:
        kept.append(("chosen", "1"))
    return urlencode(kept)


def query(choice: Choice, customer: Customer | None = None) -> str:
    """A choice as an address has it; `customer` is the one that it names, if it names one."""
    assert choice.customer_id == (customer and customer.pk)
    said: list[tuple[str, object]] = [
        ("reason", choice.reason),
        ("source", choice.source_id),
        ("named_by", choice.named_by),
        ("subject", choice.subject),
        ("nameless", choice.subject == "" and 1),
        ("rate_table", choice.rate_table_id),
        ("customer", customer and customer.number),
        ("file", choice.file_id),
        *(("row", each) for each in choice.suspense_ids),
    ]
    return urlencode([(name, value) for name, value in said if value])


def address(url_name: str, asked: str) -> str:
    """The address of a page about a choice."""
    return f"{reverse(url_name)}?{asked}" if asked else reverse(url_name)


def subject_text(row: SuspenseGroup | Suspense) -> str:
    """What a group is about, in words."""
    reason = SuspenseReason(row.reason)
    if reason == SuspenseReason.UNKNOWN_CUSTOMER:
        if not row.named_by:
            return "nothing that could name one"
        return f"{IdentifiedBy(row.named_by).label} {row.subject}"
    if reason in _BY_NUMBER:
        return f"dialled {row.subject}…"
    if reason in BY_TABLE:
        if row.rate_table is None:
            return "no rate table"
        return f"{row.subject}… in {row.rate_table}"
    return row.subject


def title_of(choice: Choice) -> str:
    """A choice in a few words, for headings."""
    label = SuspenseReason(choice.reason).label.lower() if choice.reason else "suspense"
    if choice.suspense_ids:
        return f"{label}, chosen rows"
    return f"{label}: {choice.subject}" if choice.subject else label


def steps(choice: Choice, asked: str) -> list[Action]:
    """What can be done about the rows of a choice."""
    found = [
        Action(
            "Try again",
            address("console_suspense_retry", asked),
            "arrow-path",
            needs="usage.write",
            is_main=True,
        ),
        Action(
            "Correct",
            address("console_suspense_correct", asked),
            "pencil-square",
            needs="usage.write",
        ),
    ]
    if choice.reason in (SuspenseReason.TOO_OLD, SuspenseReason.IN_FUTURE):
        url = address("console_suspense_accept", asked)
        found.append(Action("Accept nevertheless", url, "check", needs="usage.write"))
    discard = address("console_suspense_discard", asked)
    found.append(Action("Discard", discard, "trash", needs="usage.write"))
    return found


def is_of_lines(choice: Choice) -> bool:
    """Whether it is of lines that became no xDR."""
    return choice.reason in LINE_REASONS


def worth_text(amounts: list[tuple[Decimal, str]]) -> str:
    """Amounts of several currencies for a file: they are never added up."""
    return "; ".join(f"{amount.normalize():f} {currency}" for amount, currency in amounts if amount)
