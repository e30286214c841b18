from dataclasses import replace
from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, connection, transaction

from audit.models import Entry
from common.scope import Scope
from resellers.models import Reseller
from resellers.selectors import reseller_tree
from resellers.services.module import ModuleSettings, change_module
from resellers.services.resellers import (
    DetailsRefused,
    OwnsDefaultCode,
    ResellerBelowItself,
    ResellerDetails,
    ResellerRefused,
    ResellerStateUnchanged,
    create_reseller,
    disable_reseller,
    edit_reseller,
    enable_reseller,
    move_reseller,
)
from tenancy.models import Provider
from tests.factories import make_code, make_customer, make_provider, make_reseller, make_staff
from tests.race import race
from tests.refusals import refused

AT = datetime(2026, 10, 1, 9, tzinfo=UTC)
MERIDIAN = ResellerDetails(
    organisation="Meridian",
    first_name="Mia",
    last_name="Meridian",
    email="mia@meridian.example",
    phone="+49 30 1234",
    address="Ring 1",
    country="DE",
    tax_number="DE1",
)

pytestmark = pytest.mark.django_db


def create(provider: Provider, parent: Reseller | None = None) -> Reseller:
    return create_reseller(
        provider_id=provider.pk,
        details=MERIDIAN,
        currency="EUR",
        parent=parent,
        at=AT,
        actor_id=None,
    )


def move(reseller: Reseller, parent: Reseller | None) -> Reseller:
    return move_reseller(reseller=reseller, parent=parent, at=AT, actor_id=None)


class TestCreateReseller:
    def test_keeps_the_details_of_an_active_reseller(self) -> None:
        reseller = create(make_provider())

        reseller.refresh_from_db()
        assert {name: getattr(reseller, name) for name in vars(MERIDIAN)} == vars(MERIDIAN)
        assert (reseller.state, reseller.active_since) == (Reseller.State.ACTIVE, AT)
        assert (reseller.currency, reseller.parent) == ("EUR", None)

    def test_numbers_each_providers_resellers_from_one(self) -> None:
        aurora, borealis = make_provider(), make_provider()

        numbers = [create(provider).number for provider in (aurora, borealis, aurora, aurora)]

        assert numbers == [1, 1, 2, 3]

    def test_takes_the_number_of_one_that_was_rolled_back(self) -> None:
        provider = make_provider()
        with transaction.atomic():
            create(provider)
            transaction.set_rollback(True)

        assert create(provider).number == 1

    def test_is_audited(self) -> None:
        provider = make_provider()
        admin = make_staff(provider)

        reseller = create_reseller(
            provider_id=provider.pk, details=MERIDIAN, currency="EUR", at=AT, actor_id=admin.pk
        )

        entry = Entry.objects.get(action="reseller.created")
        assert (entry.actor, entry.object_id) == (admin, str(reseller.pk))
        assert entry.after == {"number": "1", "organisation": "Meridian", "parent": None}

    def test_refuses_what_is_no_currency(self) -> None:
        provider = make_provider()

        with refused(ResellerRefused):
            create_reseller(
                provider_id=provider.pk, details=MERIDIAN, currency="€", at=AT, actor_id=None
            )

    def test_refuses_details_that_cannot_be_kept(self) -> None:
        provider = make_provider()
        reseller = create(provider)
        details = replace(MERIDIAN, organisation="", email="mara@", phone="1" * 41)

        with refused(DetailsRefused, match=r"Organisation: .* Email: .* Phone: "):
            create_reseller(
                provider_id=provider.pk, details=details, currency="EUR", at=AT, actor_id=None
            )
        with refused(DetailsRefused):
            edit_reseller(reseller=reseller, details=details, at=AT, actor_id=None)

    def test_cannot_have_a_parent_of_another_provider(self) -> None:
        aurora, borealis = make_provider(), make_provider()
        with transaction.atomic():
            create(aurora, make_reseller(borealis))

            with pytest.raises(IntegrityError, match="same_provider"):
                connection.check_constraints()
            transaction.set_rollback(True)


class TestEditReseller:
    def test_records_what_changed(self) -> None:
        reseller = create(make_provider())

        edited = edit_reseller(
            reseller=reseller, details=replace(MERIDIAN, phone="1"), at=AT, actor_id=None
        )

        assert edited.phone == "1"
        entry = Entry.objects.get(action="reseller.edited")
        assert (entry.before, entry.after) == ({"phone": "+49 30 1234"}, {"phone": "1"})

    def test_leaves_no_trace_where_nothing_changes(self) -> None:
        reseller = create(make_provider())

        edit_reseller(reseller=reseller, details=MERIDIAN, at=AT, actor_id=None)

        assert not Entry.objects.filter(action="reseller.edited").exists()


class TestMoveReseller:
    def test_takes_everyone_below_along(self) -> None:
        provider = make_provider()
        meridian, zenith = create(provider), create(provider)
        solstice = create(provider, meridian)
        below = create(provider, solstice)

        move(solstice, zenith)

        tree = reseller_tree(Scope.system(provider.pk))
        assert tree.ancestors(below.pk) == (solstice.pk, zenith.pk)
        assert tree.descendants(meridian.pk) == frozenset()
        entry = Entry.objects.get(action="reseller.moved")
        assert (entry.before, entry.after) == ({"parent": "1"}, {"parent": "2"})

    def test_may_lead_to_the_top(self) -> None:
        provider = make_provider()
        solstice = create(provider, create(provider))

        assert move(solstice, None).parent is None

    def test_refuses_to_close_a_circle(self) -> None:
        provider = make_provider()
        top = create(provider)
        middle = create(provider, top)
        bottom = create(provider, middle)

        for parent in (top, middle, bottom):
            with refused(ResellerBelowItself):
                move(top, parent)

    def test_is_kept_from_closing_a_circle_by_the_database_too(self) -> None:
        provider = make_provider()
        top = create(provider)
        bottom = create(provider, top)

        with pytest.raises(IntegrityError, match="its own ancestor"), transaction.atomic():
            Reseller.objects.filter(pk=top.pk).update(parent=bottom)

    def test_leaves_no_trace_where_nothing_changes(self) -> None:
        provider = make_provider()
        meridian = create(provider)
        solstice = create(provider, meridian)

        move(solstice, meridian)

        assert not Entry.objects.filter(action="reseller.moved").exists()


class TestDisableReseller:
    def test_may_be_taken_back(self) -> None:
        reseller = create(make_provider())

        disabled = disable_reseller(reseller=reseller, at=AT, actor_id=None)
        assert disabled.state == Reseller.State.DISABLED
        assert disabled.disabled_at == AT

        enabled = enable_reseller(reseller=reseller, at=AT, actor_id=None)
        assert enabled.state == Reseller.State.ACTIVE
        assert enabled.disabled_at is None
        actions = Entry.objects.order_by("pk").values_list("action", flat=True)
        assert list(actions)[1:] == ["reseller.disabled", "reseller.enabled"]

    def test_leaves_customers_tagged(self) -> None:
        provider = make_provider()
        reseller = create(provider)
        customer = make_customer(provider, reseller)

        disable_reseller(reseller=reseller, at=AT, actor_id=None)

        customer.refresh_from_db()
        assert customer.reseller == reseller

    def test_refuses_the_owner_of_the_default_code(self) -> None:
        provider = make_provider()
        reseller, other = create(provider), create(provider)
        settings = ModuleSettings(is_enabled=True, default_code_id=make_code(reseller).pk)
        change_module(provider_id=provider.pk, settings=settings, at=AT, actor_id=None)

        with refused(OwnsDefaultCode, "choose another first"):
            disable_reseller(reseller=reseller, at=AT, actor_id=None)

        settings = ModuleSettings(is_enabled=True, default_code_id=make_code(other).pk)
        change_module(provider_id=provider.pk, settings=settings, at=AT, actor_id=None)
        disable_reseller(reseller=reseller, at=AT, actor_id=None)

    def test_refuses_to_do_it_twice(self) -> None:
        reseller = create(make_provider())
        disable_reseller(reseller=reseller, at=AT, actor_id=None)

        with refused(ResellerStateUnchanged):
            disable_reseller(reseller=reseller, at=AT, actor_id=None)

    def test_refuses_to_enable_an_active_one(self) -> None:
        reseller = create(make_provider())

        with refused(ResellerStateUnchanged):
            enable_reseller(reseller=reseller, at=AT, actor_id=None)


@pytest.mark.django_db(transaction=True)
class TestAtTheSameMoment:
    def test_new_resellers_get_numbers_without_gaps(self) -> None:
        provider = make_provider()

        race(*[lambda: create(provider)] * 5)

        numbers = Reseller.objects.order_by("number").values_list("number", flat=True)
        assert list(numbers) == [1, 2, 3, 4, 5]

    def test_two_moves_close_no_circle(self) -> None:
        provider = make_provider()
        one, other = create(provider), create(provider)

        outcomes = race(lambda: move(one, other), lambda: move(other, one))

        assert sorted(type(outcome).__name__ for outcome in outcomes) == [
            "Reseller",
            "ResellerBelowItself",
        ]
        assert Reseller.objects.filter(parent__isnull=True).count() == 1

    def test_the_default_code_is_never_one_of_a_disabled_reseller(self) -> None:
        provider = make_provider()
        reseller = create(provider)
        settings = ModuleSettings(is_enabled=True, default_code_id=make_code(reseller).pk)

        outcomes = race(
            lambda: disable_reseller(reseller=reseller, at=AT, actor_id=None),
            lambda: change_module(provider_id=provider.pk, settings=settings, at=AT, actor_id=None),
        )

        assert sum(isinstance(outcome, Exception) for outcome in outcomes) == 1
