"""Why the legs of one xDR cost what they cost, in words."""

from argparse import ArgumentParser
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from cdr.models import Xdr
from cdr.rating import Candidate, Explanation
from cdr.rules.xdr_keys import parse_xdr_key
from cdr.selectors.explaining import ExplainedLeg, explained_legs
from cdr.selectors.reratings import FormerLeg, former_legs
from cdr.selectors.suspense import suspense_of_xdr
from cdr.selectors.xdrs import xdr as xdr_of
from common.commands import Refused, TollgateCommand
from common.scope import Scope
from tenancy.selectors import provider_by_slug


class Command(TollgateCommand):
    help = (
        "Explain what the legs of an xDR cost: rates considered, the sum, and what changed since."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "xdr", metavar="XDR", help="as in the address of its page in the console: START-ID"
        )
        parser.add_argument("--provider", required=True, metavar="SLUG")

    def handle(self, *_: Any, **options: Any) -> None:
        scope = Scope.system(provider_by_slug(options["provider"]).pk)
        try:
            started_at, xdr_id = parse_xdr_key(options["xdr"])
            xdr = xdr_of(scope, started_at=started_at, xdr_id=xdr_id)
        except ValueError as error:
            raise Refused(f"{error}.") from error
        except Xdr.DoesNotExist as error:
            raise Refused(
                f"There is no xDR {options['xdr']} of {options['provider']};"
                " copy it from the address of its page in the console."
            ) from error
        for line in _about_xdr(xdr):
            self.stdout.write(line)
        for row in suspense_of_xdr(scope, xdr):
            self.stdout.write(f"waits: {row.get_reason_display()}: {row.detail}")
        legs = explained_legs(scope, xdr)
        for leg in legs:
            self.stdout.write("")
            for line in _about_leg(leg):
                self.stdout.write(line)
        if not legs:
            self.stdout.write("No leg: nobody pays for it.")
        for former in former_legs(scope, xdr):
            self.stdout.write(_about_former(former))


def _about_xdr(xdr: Xdr) -> Iterator[str]:
    yield f"xDR {xdr.id}, {xdr.started_at:%Y-%m-%d %H:%M:%S} UTC, {xdr.get_result_display()}"
    yield f"from {xdr.caller_number or 'nobody known'} to {xdr.destination_number}"
    yield f"normalised {xdr.normalised_number or 'to no number'}, volume {xdr.volume}"
    if xdr.tags:
        yield f"tags {xdr.tags}"


def _about_leg(explained: ExplainedLeg) -> Iterator[str]:
    leg = explained.leg
    amount = f"{_plain(leg.amount)} {leg.currency}"
    who = f"{explained.payer} pays {explained.payee}"
    yield f"{leg.get_kind_display()} leg {leg.number}: {who} {amount}"
    by = f'rate table "{leg.rate_table}"'
    if leg.subscription is not None:
        by = f'the tiers of subscription {leg.subscription.pk} to "{leg.subscription.product}"'
    yield f"  by {by}, in its currency: nothing is converted"
    for also in explained.equivalents:
        about = "unknown" if also.amount is None else f"{_plain(also.amount)} {also.currency}"
        yield f"  in {also.currency}: {about}, {also.rate_line}"
    for name, volume in explained.included.items():
        yield f'  {volume} from allowance "{name}"'
    if explained.tiered is not None:
        yield from (f"  {line}" for line in explained.arithmetic)
        yield f"  comes to the stored {amount}"
        return
    if explained.explanation is None:
        yield f"  cannot be explained by the table as it is now: {explained.change}"
        return
    yield from _about_rates(explained.explanation)
    yield from (f"  {line}" for line in explained.explanation.lines)
    if not explained.change:
        yield f"  comes to the stored {amount}"
        return
    now = (
        "nothing" if explained.cost_now is None else f"{_plain(explained.cost_now)} {leg.currency}"
    )
    yield f"  stored {amount}, now {now}: {explained.change}"


def _about_former(former: FormerLeg) -> str:
    leg, rerating = former.leg, former.leg.rerating
    terms = f'rate table "{leg.rate_table}"'
    if leg.subscription is not None:
        terms = f"the tiers of subscription {leg.subscription_id}, from {leg.total_before} on"
    return (
        f"until re-rating {rerating.pk} ({rerating.reason}): {leg.get_kind_display()} leg"
        f" {leg.number}: {former.payer} paid {former.payee} {_plain(leg.amount)} {leg.currency}"
        f" by {terms}"
    )


def _about_rates(explanation: Explanation) -> Iterator[str]:
    additive = explanation.additive.candidates if explanation.additive else ()
    yield from (_about_candidate(candidate, "rate") for candidate in explanation.candidates)
    yield from (_about_candidate(candidate, "additive rate") for candidate in additive)


def _about_candidate(candidate: Candidate, kind: str) -> str:
    rate = candidate.rate
    conditions = "".join(f", {condition}" for condition in rate.conditions)
    source = f' of parent "{candidate.table.name}"' if candidate.depth else ""
    price = rate.steps or _plain(rate.rate)
    return (
        f"  {kind} {rate.id}{source}: prefix {rate.prefix or 'any'}{conditions},"
        f" {rate.destination or 'no destination'}, {price}"
        f" from {rate.effective_from:%Y-%m-%d %H:%M} UTC: {candidate.lost or 'used'}"
    )


def _plain(amount: Decimal) -> str:
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
