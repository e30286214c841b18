"""Workers killed as they rate usage at tiers again: legs, totals and charges exact all the same."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Sum

from cdr.models import AllowanceCounter, Leg, ReplacedLeg, Rerating, TierTotal, UsageCharge
from cdr.services import rerating as services
from cdr.services import rerating_slices
from cdr.services.rerating import apply_rerating
from cdr.services.rerating_slices import work_on_slice
from common.clock import now
from tenancy.models import Provider
from tests.cdr.test_faults import killed_at_the_end
from tests.cdr.test_rerating_faults import is_blocked, is_over, sweep_until_over
from tests.factories import make_customer, make_identifier
from tests.factories.catalogue import make_allowance
from tests.factories.cdr import CALL_AT, import_lines
from tests.factories.rerating import apply, measure, snapshot
from tests.factories.subscriptions import make_subscription
from tests.factories.tiers import make_metered, usage
from tests.kills import kill_at_every_statement
from tests.workers import forget_queued_work, running_worker, start_worker, wait_for

pytestmark = pytest.mark.django_db(transaction=True)

ACCOUNTS = ("carla", "ben", "dora", "erik")
USES_PER_ACCOUNT = 10


@pytest.fixture(autouse=True)
def _small_slices(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(services, "SLICE_XDRS", USES_PER_ACCOUNT)
    monkeypatch.setattr(rerating_slices, "SLICE_XDRS", USES_PER_ACCOUNT)
    forget_queued_work()
    yield
    forget_queued_work()


def make_disordered() -> Provider:
    """Usage of four customers at tiers, the last of it first; Ben's account is Dora's by now."""
    metered = make_metered("GRADUATED", "0:0.10;10:0.07")
    make_allowance(metered.item, metered.product, volume=7_000)
    for account in ACCOUNTS[1:]:
        customer = make_customer(metered.provider)
        identifier = make_identifier(customer, account)
        make_subscription(customer, metered.item, metered.subscription.start_date)
        if account == "ben":
            bens = identifier
        if account == "dora":
            dora = customer
    uses = [
        usage(
            number * 7 + 1_000,
            at=CALL_AT - timedelta(minutes=number),
            account=ACCOUNTS[number % len(ACCOUNTS)],
        )
        for number in range(len(ACCOUNTS) * USES_PER_ACCOUNT)
    ]
    for first in range(0, len(uses), 20):
        import_lines(metered.source, uses[first : first + 20])
    bens.customer = dora
    bens.save()
    return metered.provider


def agreed(provider: Provider) -> Rerating:
    """Measured here; what is agreed to waits for workers."""
    rerating = measure(provider)
    forget_queued_work()
    return apply_rerating(rerating_id=rerating.pk, at=now(), actor_id=None)


def totals(provider: Provider) -> dict[str, Any]:
    """Every leg in its place, and what counts them; ids differ between providers, these do not."""
    legs = ("started_at", "total_before", "billed_volume", "included_volume", "amount")
    charges = UsageCharge.objects.filter(provider=provider).values_list("payer_id")
    return {
        "legs": list(Leg.objects.filter(provider=provider).order_by(*legs).values_list(*legs)),
        "replaced": list(
            ReplacedLeg.objects.filter(provider=provider).order_by(*legs).values_list(*legs)
        ),
        "totals": list(
            TierTotal.objects.filter(provider=provider)
            .order_by("subscription_id")
            .values_list("month", "volume")
        ),
        "counters": list(
            AllowanceCounter.objects.filter(provider=provider)
            .order_by("customer_id")
            .values_list("month", "used_volume")
        ),
        "charged": [
            sums[1:] for sums in charges.annotate(Sum("volume"), Sum("amount")).order_by("payer_id")
        ],
    }


def undisturbed() -> dict[str, Any]:
    """The totals of another provider with whom nothing fails."""
    provider = make_disordered()
    apply(measure(provider))
    return totals(provider)


def applied(rerating: Rerating) -> int:
    return rerating.slices.filter(state="APPLIED").count()


class TestKilledWorker:
    def test_at_the_end_of_a_month_and_at_any_moment_leaves_the_same_totals(
        self, tmp_path: Path
    ) -> None:
        provider = make_disordered()
        rerating = agreed(provider)
        # Held up by this lock, the worker has written all of a slice and not committed it.
        with transaction.atomic():
            Rerating.objects.select_for_update().get(pk=rerating.pk)
            with killed_at_the_end(start_worker(tmp_path)):
                wait_for(is_blocked, "the worker to wait for the lock")
        assert applied(rerating) == 0
        with killed_at_the_end(start_worker(tmp_path, children=2)):
            wait_for(lambda: applied(rerating) >= 1, "a slice to be applied")

        with running_worker(tmp_path, children=2):
            sweep_until_over(rerating)

        assert totals(provider) == undisturbed()


class TestLostSession:
    """The database forgets a session that is killed: at whichever statement, nothing is left."""

    def test_at_any_statement_of_months_at_tiers_changes_nothing(self) -> None:
        provider = make_disordered()
        rerating = agreed(provider)
        slices = list(rerating.slices.order_by("number"))
        together = next(each for each in slices if len(each.customer_ids) > 1)
        before = snapshot(), totals(provider)

        def check() -> None:
            assert (snapshot(), totals(provider)) == before

        kills = kill_at_every_statement(
            lambda: work_on_slice(slice_id=together.pk, at=now()), check=check
        )

        assert kills > 20
        for part in slices:
            work_on_slice(slice_id=part.pk, at=now())
        assert is_over(rerating)
        assert totals(provider) == undisturbed()
