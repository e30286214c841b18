"""What billing mode would have cost is what the import of the same calls then charges."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from audit.models import Entry
from catalogue.models import RateTable
from cdr.models import (
    Leg,
    LegKind,
    PartyKind,
    Source,
    Suspense,
    UsageCharge,
    WhatIf,
    WhatIfMargin,
    WhatIfReseller,
    Xdr,
    XdrFile,
)
from cdr.services.what_ifs import (
    NobodyAskedAbout,
    WhatIfOver,
    WhatIfTooLong,
    answer_what_if,
    ask_what_if,
    cancel_what_if,
    requeue_lost_what_ifs,
)
from common.errors import DomainError
from common.periods import Period
from resellers.models import BillingModeAssignment, Reseller
from resellers.services.billing_mode import InternalTableNeeded, RateTableDoesNotFit
from tests.cdr.worlds import World, make_world, margin_of
from tests.factories import (
    make_billing_mode,
    make_customer,
    make_identifier,
    make_rate,
    make_rate_table,
    make_reseller,
    make_source,
    make_trunk,
    make_vendor,
)
from tests.factories.cdr import CALL_AT, Call, import_lines, legs_of, max_xdr_id, min_xdr_id
from tests.factories.subscriptions import make_subscription
from tests.factories.tiers import make_metered, totals, usage
from tests.refusals import refused

Policy = BillingModeAssignment.Policy
AT = datetime(2026, 11, 1, tzinfo=UTC)
OCTOBER = Period(date(2026, 10, 1), date(2026, 11, 1))


@pytest.fixture
def world(db: None) -> World:
    """Sub has a vendor of its own on a trunk; its table has every kind of rate."""
    world = make_world()
    own_vendor = make_vendor(make_rate_table(world.product, {"": "0.01"}), owner=world.sub)
    make_trunk(world.source, own_vendor, "77#")
    make_rate(world.default_table(), "4988", status="blocked")
    table = world.sub_table
    table.rates.all().delete()
    make_rate(table, "49", rate="0.03", minimum=60, increment=30, attempt_fee="0.002")
    make_rate(table, "4989", rate="0.2", effective_from=CALL_AT + timedelta(hours=1))
    make_rate(table, "49", rate="0.001", policy="additive")
    return world


def calls() -> list[Call]:
    """Calls of every fate, over two days."""
    numbers = {
        "far": "498912345678",
        "abroad": "331234567890",  # Sub's table has no rate for it
        "blocked": "498812345678",
        "own vendor": "77#498912345678",
        "inside": "493055550001",
        "to Root's": "493055550002",
    }
    return [
        Call(account=account, to=number, seconds=seconds, started_at=CALL_AT + after)
        for number in numbers.values()
        for account in ("carla", "subsub", "roots", "nobody")
        for seconds in (0, 61)
        for after in (timedelta(0), timedelta(hours=2), timedelta(days=1, hours=3))
    ]


def with_customers(world: World) -> Reseller:
    below = make_reseller(world.provider, parent=world.sub)
    for reseller, account, number in (
        (below, "subsub", "493055550003"),
        (world.root, "roots", "493055550002"),
        (world.sub, "inside", "493055550001"),
    ):
        customer = make_customer(world.provider, reseller)
        make_identifier(customer, account)
        make_identifier(customer, number, "NUMBER")
    return below


def ask(world: World, **fields: Any) -> WhatIf:
    values: dict[str, Any] = {
        "resellers": [world.sub],
        "rate_table": world.sub_table,
        "policy": Policy.PARENT_VENDORS_ONLY,
        "period": OCTOBER,
    }
    return ask_what_if(provider_id=world.provider.pk, at=AT, actor_id=None, **values | fields)


def answered(question: WhatIf) -> WhatIf:
    assert answer_what_if(what_if_id=question.pk, clock=lambda: AT)
    question.refresh_from_db()
    assert question.state == WhatIf.State.DONE
    return question


def second_source(world: World) -> Source:
    """A switch like the first one: the same calls from it are other xDRs."""
    source = make_source(world.product, default_vendor=world.vendor)
    for trunk in world.source.trunks.all():
        make_trunk(source, trunk.vendor, trunk.tech_prefix)
    return source


def legs_paid(file: XdrFile, resellers: list[Reseller]) -> list[Leg]:
    ids = [reseller.pk for reseller in resellers]
    rows = Leg.objects.filter(xdr_id__gte=min_xdr_id(file), xdr_id__lt=max_xdr_id(file))
    return list(rows.filter(kind=LegKind.RESELLER, usage_charge__payer_id__in=ids))


def margins_by_party(question: WhatIf) -> dict[tuple[int, int], Decimal]:
    rows = WhatIfMargin.objects.filter(what_if=question)
    return {(row.party_kind, row.party_id): row.after_amount for row in rows}


class TestWhatIf:
    @pytest.mark.parametrize("policy", Policy)
    @pytest.mark.parametrize("was_on_before", [False, True])
    def test_adds_the_legs_that_billing_mode_then_makes(
        self, world: World, policy: Policy, was_on_before: bool
    ) -> None:
        below = with_customers(world)
        resellers = [world.sub, below]
        internal = None
        if policy == Policy.INTERNAL_TABLE:
            internal = make_rate_table(world.product, {"49": "0.004"})
        make_billing_mode(world.root, make_rate_table(world.product, {"49": "0.025"}))
        if was_on_before:
            make_billing_mode(world.sub, make_rate_table(world.product, {"": "0.011"}))
        first = import_lines(world.source, calls())
        question = answered(
            ask(world, resellers=resellers, policy=policy, internal_rate_table=internal)
        )

        BillingModeAssignment.objects.filter(reseller__in=resellers).delete()
        for reseller in resellers:
            make_billing_mode(
                reseller, world.sub_table, policy=policy, internal_rate_table=internal
            )
        then = import_lines(second_source(world), calls())

        for reseller in resellers:
            row = WhatIfReseller.objects.get(what_if=question, reseller=reseller)
            paid, made = legs_paid(first, [reseller]), legs_paid(then, [reseller])
            assert row.paid_leg_count == len(paid)
            assert row.paid_amount == sum(leg.amount for leg in paid)
            assert row.leg_count == len(made) > 0
            assert row.added_leg_count == len(made) - len(paid)
            assert row.billed_volume == sum(leg.billed_volume for leg in made)
            assert row.amount == sum(leg.amount for leg in made)
            waiting = Suspense.objects.filter(chunk__file=then, payer_kind=PartyKind.RESELLER)
            assert row.unrated_count == waiting.filter(payer_id=reseller.pk).count()
        for (kind, pk), amount in margins_by_party(question).items():
            assert amount == margin_of(legs_of(then), PartyKind(kind), pk)

    def test_shifts_margins_between_payers_and_payees_only(self, world: World) -> None:
        import_lines(world.source, [Call(account="carla", seconds=120)])

        question = answered(ask(world))

        rows = WhatIfMargin.objects.filter(what_if=question)
        shifts = {row.party_id: (row.before_amount, row.shift_amount) for row in rows}
        assert shifts == {
            world.sub.pk: (Decimal("0.10"), Decimal("-0.062")),
            world.root.pk: (Decimal("-0.04"), Decimal("0.062")),
        }
        assert question.xdr_count == 1

    def test_writes_nothing_that_anybody_is_charged(self, world: World) -> None:
        import_lines(world.source, calls())
        tables = (Xdr, Leg, UsageCharge, Suspense)
        before = [sorted(model.objects.values_list()) for model in tables]

        answered(ask(world))

        assert [sorted(model.objects.values_list()) for model in tables] == before

    def test_is_of_the_days_asked_about_only(self, world: World) -> None:
        import_lines(world.source, calls())
        quiet = Period(date(2026, 10, 10), date(2026, 10, 12))

        question = answered(ask(world, period=quiet))

        row = question.resellers.get()
        assert (question.xdr_count, row.leg_count, row.paid_leg_count) == (0, 0, 0)
        assert not question.margins.exists()

    def test_answered_twice_comes_to_the_same(self, world: World) -> None:
        import_lines(world.source, calls())
        question = answered(ask(world))
        before = sorted(WhatIfMargin.objects.values_list())

        assert not answer_what_if(what_if_id=question.pk, clock=lambda: AT)

        assert sorted(WhatIfMargin.objects.values_list()) == before

    def test_at_a_table_that_is_not_rated_by_fails_and_says_why(self, world: World) -> None:
        table = make_rate_table(world.product, {"49": {"rate": "1", "steps": "by and by"}})
        question = ask(world, rate_table=table)

        assert not answer_what_if(what_if_id=question.pk, clock=lambda: AT)

        question.refresh_from_db()
        assert question.state == WhatIf.State.FAILED
        assert "steps 'by and by'" in question.error


class TestWhatIfAtTiers:
    def test_leaves_customers_what_tiers_charged_them(self, db: None) -> None:
        metered = make_metered()
        sub = make_reseller(metered.provider)
        ben = make_customer(metered.provider, sub)
        make_identifier(ben, "ben")
        make_subscription(ben, metered.item, OCTOBER.from_date)
        for _ in range(2):
            line = usage(60_000, account="ben", destination_number="493012345678")
            import_lines(metered.source, [line])
        table = make_rate_table(metered.product, {"": "0.03"})

        question = answered(
            ask_what_if(
                provider_id=metered.provider.pk,
                resellers=[sub],
                rate_table=table,
                policy=Policy.PARENT_VENDORS_ONLY,
                period=OCTOBER,
                at=AT,
                actor_id=None,
            )
        )

        row = WhatIfReseller.objects.get(what_if=question)
        assert (question.xdr_count, row.leg_count, row.unrated_count) == (2, 2, 0)
        margins = WhatIfMargin.objects.filter(what_if=question, party_id=sub.pk)
        assert [(each.before_amount, each.shift_amount) for each in margins] == [
            (Decimal(11), -row.amount)
        ]
        assert totals() == [(OCTOBER.from_date, 120_000)]


class TestAsking:
    def test_is_audited(self, world: World) -> None:
        question = ask(world)

        entry = Entry.objects.get(action="what_if.asked")
        assert entry.object_id == str(question.pk)

    @pytest.mark.parametrize(
        ("fields", "refusal"),
        [
            ({"resellers": []}, NobodyAskedAbout),
            ({"policy": Policy.INTERNAL_TABLE}, InternalTableNeeded),
            ({"period": Period(date(2025, 1, 1), date(2026, 1, 3))}, WhatIfTooLong),
        ],
    )
    def test_is_refused_where_there_is_no_answer(
        self, world: World, fields: dict[str, Any], refusal: type[DomainError]
    ) -> None:
        with refused(refusal):
            ask(world, **fields)

        assert not WhatIf.objects.exists()

    def test_is_refused_for_a_table_of_another_currency(self, world: World) -> None:
        table: RateTable = make_rate_table(world.product, currency="USD")

        with refused(RateTableDoesNotFit):
            ask(world, rate_table=table)


class TestCancelling:
    def test_ends_it_without_an_answer(self, world: World) -> None:
        import_lines(world.source, calls())
        question = ask(world)

        cancel_what_if(what_if_id=question.pk, at=AT, actor_id=None)

        assert not answer_what_if(what_if_id=question.pk, clock=lambda: AT)
        question.refresh_from_db()
        assert question.state == WhatIf.State.CANCELLED
        assert not question.margins.exists()

    def test_stops_a_worker_before_the_next_day(self, world: World) -> None:
        question = ask(world)
        days: list[datetime] = []

        def clock() -> datetime:
            days.append(AT)
            if len(days) == 3:
                cancel_what_if(what_if_id=question.pk, at=AT, actor_id=None)
            return AT

        assert not answer_what_if(what_if_id=question.pk, clock=clock)

        question.refresh_from_db()
        assert (question.state, question.done_count) == (WhatIf.State.CANCELLED, 1)

    def test_of_what_is_over_is_refused(self, world: World) -> None:
        question = answered(ask(world))

        with refused(WhatIfOver):
            cancel_what_if(what_if_id=question.pk, at=AT, actor_id=None)


class TestRequeueing:
    def test_asks_again_for_what_nobody_is_seen_at(self, world: World) -> None:
        lost, seen, over = ask(world), ask(world), answered(ask(world))
        later = AT + timedelta(minutes=10)
        WhatIf.objects.filter(pk=seen.pk).update(queued_at=later)

        requeue_lost_what_ifs(at=later)

        for question, queued_at in ((lost, later), (seen, later), (over, AT)):
            question.refresh_from_db()
            assert question.queued_at == queued_at
