"""The colours of states: one table for all models, so that the same word looks the same."""

from django.utils.html import format_html
from django.utils.safestring import SafeString

_TONES = {
    "good": "ACTIVE PAID SUCCEEDED PUBLISHED ISSUED DONE COMPLETED RATED LOADED APPROVED SETTLED"
    " ENABLED ON BILLED APPLIED NEW DECREASED SENT PREPARED",
    "wait": "AWAITING_CONFIRMATION PENDING PART_PAID REQUESTED ENDING QUEUED RUNNING CALCULATING"
    " ESTIMATED ISSUING LOADING RATING RESTRICTED DRAFT ESTIMATE PLANNING MEASURING MEASURED"
    " AT_WORK APPLYING PARTLY_APPLIED COMPARING COMPARED WRITING STASHED CONFIRMING DISCARDING"
    " UNDOING INCREASED CHANGED PREPARING",
    "wrong": "DISABLED FAILED EXPIRED OVERDUE REFUSED SUSPENDED SUSPENSE REJECTED ERROR",
    "quiet": "TERMINATED ENDED CANCELLED REVERSED OFF SUPERSEDED VOID CLOSED UNCHANGED IGNORED"
    " DISCARDED UNDONE DUPLICATE",
}
_TONE_OF = {state: tone for tone, states in _TONES.items() for state in states.split()}


def badge(value: str, label: str) -> SafeString:
    """A label coloured by the choice value it stands for; grey for values that carry no weight."""
    words = label.replace("_", " ")
    return format_html(
        '<span class="badge badge-{}">{}</span>',
        _TONE_OF.get(value.upper(), "plain"),
        words[:1].upper() + words[1:].lower(),
    )
