from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from audit.models import Entry
from catalogue.models import RateTable
from resellers.models import BillingModeAssignment, Reseller
from resellers.services.billing_mode import (
    EVERY_CALL_WARNING,
    BillingModeAssigned,
    BillingModeEmpty,
    BillingModeOverlaps,
    InternalTableNeeded,
    RateTableDoesNotFit,
    assign_billing_mode,
    end_billing_mode,
)
from tests.factories import make_product, make_provider, make_rate_table, make_reseller
from tests.race import race
from tests.refusals import refused

AT = datetime(2026, 9, 1, 9, tzinfo=UTC)
OCTOBER = datetime(2026, 10, 1, tzinfo=UTC)
NOVEMBER = datetime(2026, 11, 1, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)
Policy = BillingModeAssignment.Policy

pytestmark = pytest.mark.django_db


@pytest.fixture
def reseller() -> Reseller:
    return make_reseller(make_provider())


@pytest.fixture
def table(reseller: Reseller) -> RateTable:
    return make_rate_table(make_product(reseller.provider))


def assign(
    reseller: Reseller, table: RateTable, valid_from: datetime = OCTOBER, **fields: Any
) -> BillingModeAssigned:
    return assign_billing_mode(
        reseller=reseller,
        rate_table=table,
        valid_from=valid_from,
        at=AT,
        actor_id=None,
        **fields,
    )


def end(assignment: BillingModeAssignment, valid_to: datetime) -> BillingModeAssignment:
    return end_billing_mode(assignment=assignment, valid_to=valid_to, at=AT, actor_id=None)


class TestAssignBillingMode:
    def test_charges_calls_over_the_parents_vendors_only(
        self, reseller: Reseller, table: RateTable
    ) -> None:
        assigned = assign(reseller, table)

        row = assigned.assignment
        row.refresh_from_db()
        assert (row.reseller, row.rate_table, row.product) == (reseller, table, table.product)
        assert (row.policy, row.internal_rate_table) == (Policy.PARENT_VENDORS_ONLY, None)
        assert (row.valid_from, row.valid_to) == (OCTOBER, None)
        assert assigned.warning == ""
        assert Entry.objects.get(action="billing_mode.assigned").object_id == str(row.pk)

    def test_warns_of_every_call(self, reseller: Reseller, table: RateTable) -> None:
        assigned = assign(reseller, table, policy=Policy.EVERY_CALL)

        assert assigned.warning == EVERY_CALL_WARNING

    def test_charges_internal_calls_at_a_second_table(
        self, reseller: Reseller, table: RateTable
    ) -> None:
        internal = make_rate_table(table.product)

        assigned = assign(
            reseller, table, policy=Policy.INTERNAL_TABLE, internal_rate_table=internal
        )

        assert assigned.assignment.internal_rate_table == internal

    def test_may_follow_another_at_once(self, reseller: Reseller, table: RateTable) -> None:
        assign(reseller, table, OCTOBER, valid_to=NOVEMBER)

        assign(reseller, table, NOVEMBER)

        assert reseller.billing_mode_assignments.count() == 2

    def test_may_hold_for_two_products(self, reseller: Reseller, table: RateTable) -> None:
        assign(reseller, table)

        assign(reseller, make_rate_table(make_product(reseller.provider)))

        assert reseller.billing_mode_assignments.count() == 2

    @pytest.mark.parametrize(
        ("valid_from", "valid_to"),
        [
            (OCTOBER, None),
            (OCTOBER, NOVEMBER),
            (AT, None),
            (AT, OCTOBER + timedelta(microseconds=1)),
            (NOVEMBER - timedelta(microseconds=1), DECEMBER),
        ],
    )
    def test_refuses_to_overlap(
        self,
        reseller: Reseller,
        table: RateTable,
        valid_from: datetime,
        valid_to: datetime | None,
    ) -> None:
        assign(reseller, table, OCTOBER, valid_to=NOVEMBER)

        with refused(BillingModeOverlaps, "already"):
            assign(reseller, table, valid_from, valid_to=valid_to)

    def test_is_kept_from_overlapping_by_the_database_too(
        self, reseller: Reseller, table: RateTable
    ) -> None:
        row = assign(reseller, table).assignment

        row.pk = None
        with pytest.raises(IntegrityError, match="one_billing_mode"), transaction.atomic():
            row.save(force_insert=True)

    def test_refuses_to_end_before_it_starts(self, reseller: Reseller, table: RateTable) -> None:
        with refused(BillingModeEmpty):
            assign(reseller, table, OCTOBER, valid_to=OCTOBER)

    def test_refuses_an_internal_table_without_its_policy(
        self, reseller: Reseller, table: RateTable
    ) -> None:
        internal = make_rate_table(table.product)

        with refused(InternalTableNeeded):
            assign(reseller, table, policy=Policy.INTERNAL_TABLE)
        with refused(InternalTableNeeded):
            assign(reseller, table, internal_rate_table=internal)

    def test_refuses_tables_that_do_not_fit(self, reseller: Reseller, table: RateTable) -> None:
        dollars = make_rate_table(table.product, currency="USD")
        messages = make_rate_table(make_product(reseller.provider))

        with refused(RateTableDoesNotFit, "USD"):
            assign(reseller, dollars)
        for internal in (dollars, messages):
            with refused(RateTableDoesNotFit):
                assign(reseller, table, policy=Policy.INTERNAL_TABLE, internal_rate_table=internal)


class TestEndBillingMode:
    def test_ends_it(self, reseller: Reseller, table: RateTable) -> None:
        assignment = assign(reseller, table).assignment

        ended = end(assignment, NOVEMBER)

        assert ended.valid_to == NOVEMBER
        entry = Entry.objects.get(action="billing_mode.ended")
        assert (entry.before, entry.after) == ({"valid_to": None}, {"valid_to": str(NOVEMBER)})

    def test_refuses_to_end_before_the_start(self, reseller: Reseller, table: RateTable) -> None:
        assignment = assign(reseller, table).assignment

        with refused(BillingModeEmpty):
            end(assignment, OCTOBER)

    def test_refuses_to_reach_into_the_following_one(
        self, reseller: Reseller, table: RateTable
    ) -> None:
        first = assign(reseller, table, OCTOBER, valid_to=NOVEMBER).assignment
        assign(reseller, table, NOVEMBER)

        with refused(BillingModeOverlaps):
            end(first, DECEMBER)


@pytest.mark.django_db(transaction=True)
class TestTwoAssignmentsAtOnce:
    def test_leave_one(self) -> None:
        reseller = make_reseller(make_provider())
        table = make_rate_table(make_product(reseller.provider))

        outcomes = race(lambda: assign(reseller, table), lambda: assign(reseller, table))

        assert sorted(type(outcome).__name__ for outcome in outcomes) == [
            "BillingModeAssigned",
            "BillingModeOverlaps",
        ]
        assert reseller.billing_mode_assignments.count() == 1
