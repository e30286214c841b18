"""Whatever is renamed, moved and rated again: sums of usage are those of the legs, key by key."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.db import connection, transaction
from hypothesis import strategies as st

from catalogue.models import Rate
from cdr.models import CustomerIdentifier, Leg, LegKind, UsageCharge
from resellers.models import BillingModeAssignment
from tenancy.models import Provider
from tests.cdr.worlds import make_world
from tests.factories import make_billing_mode, make_customer, make_identifier
from tests.factories.cdr import CALL_AT, IMPORT_AT, Call, import_lines
from tests.factories.mending import try_again
from tests.factories.rerating import price, rerate

pytestmark = pytest.mark.django_db

_KEY = """
    u.kind, u.payer_kind, u.payer_id, u.payee_kind, u.payee_id, u.customer_reseller_id,
    u.product_id, u.day, u.destination, u.currency
"""
_DIFFERENCES = f"""
    SELECT {_KEY}, sum(u.calls), sum(u.volume), sum(u.billed), sum(u.amount) FROM (
        SELECT {_KEY}, u.call_count AS calls, u.volume, u.billed_volume AS billed, u.amount
        FROM cdr_usagecharge u
        UNION ALL
        SELECT {_KEY}, -1, -x.volume, -l.billed_volume, -l.amount
        FROM cdr_leg l
        JOIN cdr_xdr x ON x.id = l.xdr_id
        LEFT JOIN cdr_usagecharge u ON u.id = l.usage_charge_id AND u.kind = l.kind
    ) u
    GROUP BY {_KEY}
    HAVING sum(u.calls) <> 0 OR sum(u.volume) <> 0 OR sum(u.billed) <> 0 OR sum(u.amount) <> 0
"""


def differences() -> list[tuple[Any, ...]]:
    """The keys under which charges are not the sums of the legs that name one of them."""
    with connection.cursor() as cursor:
        cursor.execute(_DIFFERENCES)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


class Story:
    """A world in which names, resellers, zones, modes and prices change between calls."""

    def __init__(self) -> None:
        self.world = make_world()
        self.of_root = make_customer(self.world.provider, self.world.root)
        make_identifier(self.of_root, "second")

    def take(self, step: tuple[Any, ...]) -> None:
        name, *arguments = step
        action: Callable[..., None] = getattr(self, name)
        action(*arguments)

    def calls(self, drawn: list[tuple[str, int, int]]) -> None:
        made = [
            Call(account=account, seconds=seconds, started_at=CALL_AT + timedelta(hours=hours))
            for account, seconds, hours in drawn
        ]
        import_lines(self.world.source, made)

    def price(self, kind: LegKind, rate: str) -> None:
        price(self.table(kind), rate)

    def rename(self, kind: LegKind, destination: str) -> None:
        for rate in Rate.objects.filter(rate_table=self.table(kind)):
            rate.destination = destination
            rate.save()

    def move(self, account: str, is_to_sub: bool) -> None:
        """The account code names a customer of another reseller from now on."""
        heir = self.world.carla if is_to_sub else self.of_root
        CustomerIdentifier.objects.filter(provider=self.world.provider, value=account).update(
            customer=heir
        )

    def mode(self, is_on: bool) -> None:
        BillingModeAssignment.objects.filter(reseller=self.world.sub).delete()
        if is_on:
            make_billing_mode(self.world.sub, self.world.sub_table)

    def zone(self, name: str) -> None:
        Provider.objects.filter(pk=self.world.provider.pk).update(time_zone=name)

    def know(self) -> None:
        """Whoever called without being known becomes a customer, and waits no longer."""
        if not CustomerIdentifier.objects.filter(
            provider=self.world.provider, value="third"
        ).exists():
            make_identifier(make_customer(self.world.provider, self.world.sub), "third")
        try_again(self.world.provider, at=IMPORT_AT)

    def rerate(self) -> None:
        rerate(self.world.provider)

    def table(self, kind: LegKind) -> Any:
        return {
            LegKind.CUSTOMER: self.world.default_table(),
            LegKind.RESELLER: self.world.sub_table,
            LegKind.VENDOR: self.world.vendor.rate_table,
        }[kind]


kinds = st.sampled_from(list(LegKind))
calls = st.tuples(
    st.sampled_from(["carla", "second", "third"]),
    st.sampled_from([0, 1, 60, 61]),
    st.sampled_from([0, 1, 14]),
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("calls"), st.lists(calls, min_size=1, max_size=4)),
        st.tuples(st.just("price"), kinds, st.sampled_from(["0.05", "0.07"])),
        st.tuples(st.just("rename"), kinds, st.sampled_from(["", "Anywhere", "Elsewhere"])),
        st.tuples(st.just("move"), st.sampled_from(["carla", "second"]), st.booleans()),
        st.tuples(st.just("mode"), st.booleans()),
        st.tuples(st.just("zone"), st.sampled_from(["Europe/Berlin", "Pacific/Auckland"])),
        st.tuples(st.just("know")),
        st.tuples(st.just("rerate")),
    ),
    min_size=2,
    max_size=10,
)


@contextmanager
def rolled_back() -> Iterator[None]:
    """Examples leave nothing behind for the next."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def _own_files_dir(settings: Any, tmp_path: Path) -> None:
    settings.XDR_FILES_DIR = tmp_path / "xdr_files"


class TestAnySequence:
    @hypothesis.settings(
        max_examples=40, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture]
    )
    @hypothesis.given(first=calls, steps=steps)
    def test_leaves_every_sum_of_usage_equal_to_that_of_its_legs(
        self, first: tuple[str, int, int], steps: list[tuple[Any, ...]]
    ) -> None:
        with rolled_back():
            story = Story()
            for step in [("calls", [first]), *steps, ("rerate",)]:
                story.take(step)
                assert not differences()


class TestRenamedDestination:
    def test_is_reversed_under_the_name_it_was_charged_under(self) -> None:
        story = Story()
        story.rename(LegKind.CUSTOMER, "Old")
        story.calls([("carla", 60, 0)])
        story.rename(LegKind.CUSTOMER, "New")
        story.price(LegKind.CUSTOMER, "0.07")

        story.rerate()

        charges = UsageCharge.objects.filter(kind=LegKind.CUSTOMER).order_by("pk")
        assert [(row.destination, str(row.amount)) for row in charges] == [
            ("Old", "0.05000000"),
            ("Old", "-0.05000000"),
            ("New", "0.07000000"),
        ]

    def test_alone_changes_nothing(self) -> None:
        story = Story()
        story.calls([("carla", 60, 0)])
        story.rename(LegKind.CUSTOMER, "New")

        story.rerate()

        assert not UsageCharge.objects.filter(rerating__isnull=False).exists()


class TestAccountOfAnotherReseller:
    def test_has_its_old_sum_reversed_under_the_old_one(self) -> None:
        story = Story()
        world = story.world
        story.calls([("carla", 60, 0)])
        story.move("carla", is_to_sub=False)
        story.price(LegKind.VENDOR, "0.01")

        story.rerate()

        charges = UsageCharge.objects.filter(kind=LegKind.VENDOR).order_by("pk")
        assert [(row.customer_reseller_id, str(row.amount)) for row in charges] == [
            (world.sub.pk, "0.02000000"),
            (world.sub.pk, "-0.02000000"),
            (world.root.pk, "0.01000000"),
        ]


class TestLegThatMoved:
    def test_stays_in_the_sum_that_held_it(self) -> None:
        story = Story()
        story.calls([("carla", 60, 0)])
        held = Leg.objects.get(kind=LegKind.VENDOR)
        story.mode(is_on=True)

        story.rerate()

        moved = Leg.objects.get(kind=LegKind.VENDOR)
        assert (held.number, moved.number) == (2, 3)
        assert moved.usage_charge_id == held.usage_charge_id
