"""Suspense tried again as it is, corrected, accepted, discarded and taken back."""

from datetime import timedelta
from decimal import Decimal

import pytest

from audit.models import Entry
from cdr.models import Leg, Mending, PartyKind, Suspense, UsageCharge, Xdr, XdrCorrection
from cdr.rules.mending import Change, ChangeKind, Choice
from cdr.rules.rerating import Selection
from cdr.services.mending import (
    ChangeRefused,
    ChoiceChanged,
    NothingChosen,
    ask_for_mending,
    requeue_lost_mendings,
    work_on_mending,
)
from cdr.services.mending_previews import preview_change
from cdr.services.rating_again import Counting, rate_again
from cdr.services.splitting import PATIENCE
from common.scope import Scope
from tests.cdr.worlds import World, make_world
from tests.factories import make_billing_mode, make_identifier, make_rate_table, make_staff
from tests.factories.cdr import CALL_AT, IMPORT_AT, Call, import_lines
from tests.factories.mending import MENDED_AT, SET_CARLA, counts, mend, states, worked_on
from tests.refusals import refused

Kind = Mending.Kind
OPEN, RESOLVED, DISCARDED = Suspense.State.OPEN, Suspense.State.RESOLVED, Suspense.State.DISCARDED


@pytest.fixture
def world(db: None) -> World:
    return make_world()


class TestCorrectingAField:
    def test_rates_the_group_by_what_it_is_corrected_to(self, world: World) -> None:
        actor = make_staff(world.provider)
        accounts = ("K-17", "K-17", "K-18")
        import_lines(world.source, [*(Call(account=each) for each in accounts), "junk"])

        mending = mend(
            world.provider,
            Kind.CORRECT,
            change=SET_CARLA,
            actor_id=actor.pk,
            reason="unknown_customer",
            subject="K-17",
        )

        assert (mending.state, mending.row_count) == (Mending.State.DONE, 2)
        assert counts(mending) == (2, {}, 0)
        rated = Xdr.objects.filter(result=Xdr.Result.RATED)
        assert {xdr.account_code for xdr in rated} == {"K-17"}
        assert {xdr.customer for xdr in rated} == {world.carla}
        assert Leg.objects.count() == 4
        charged = UsageCharge.objects.filter(
            payer_kind=PartyKind.CUSTOMER, payer_id=world.carla.pk
        ).values_list("amount")
        assert sum(amount for (amount,) in charged) == Decimal("0.20")
        assert states() == [RESOLVED, RESOLVED, OPEN, OPEN]
        kept = XdrCorrection.objects.all()
        assert [(row.account_code, row.trunk, row.mending.created_by) for row in kept] == [
            ("carla", None, actor)
        ] * 2

    def test_is_in_the_audit_log_with_what_was_and_what_is(self, world: World) -> None:
        import_lines(world.source, [Call(account="K-17")])

        mend(world.provider, Kind.CORRECT, change=SET_CARLA, subject="K-17")

        asked = Entry.objects.get(action="suspense.mending_asked")
        assert asked.before == {"rows": "1"}
        assert asked.after is not None
        assert asked.after["Account code"] == " → carla"
        assert asked.after["subject"] == "K-17"
        done = Entry.objects.get(action="suspense.mended")
        assert done.after == {"freed": "1", "waiting": "0", "left": "0"}

    def test_is_what_rating_again_goes_by(self, world: World) -> None:
        import_lines(world.source, [Call(account="K-17")])
        mend(world.provider, Kind.CORRECT, change=SET_CARLA)
        scope = Scope.system(world.provider.pk)
        day = timedelta(days=1)

        selection = Selection(started_from=CALL_AT - day, started_to=CALL_AT + day)
        counting = Counting.before(scope, selection)
        (again,) = rate_again(scope, selection, counting, holds=False).batches

        assert not again.has_changes

    def test_recognises_the_received_line_as_the_same_xdr(self, world: World) -> None:
        call = Call(account="K-17")
        import_lines(world.source, [call])
        mend(world.provider, Kind.CORRECT, change=SET_CARLA)

        file = import_lines(world.source, [call, "# another file"])

        assert file.chunks.get().duplicate_count == 1
        assert Xdr.objects.count() == 1

    def test_of_a_prefix_leaves_what_begins_otherwise(self, world: World) -> None:
        world.default_table().rates.update(prefix="4420")
        world.vendor.rate_table.rates.update(prefix="4420")
        for to in ("999442012345678", "493012345678"):
            import_lines(world.source, [Call(account="carla", to=to)])
        change = Change(ChangeKind.PREFIX, "destination_number", "99944", "44")

        mending = mend(world.provider, Kind.CORRECT, change=change)

        assert counts(mending) == (2, {}, 2)
        xdr = Xdr.objects.get(result=Xdr.Result.RATED)
        assert (xdr.destination_number, xdr.normalised_number) == (
            "999442012345678",
            "442012345678",
        )
        assert Leg.objects.count() == 2

    def test_keeps_earlier_corrections_of_other_fields(self, world: World) -> None:
        world.default_table().rates.update(prefix="44")
        world.vendor.rate_table.rates.update(prefix="44")
        import_lines(world.source, [Call(account="K-17", to="555442012345678")])
        mend(world.provider, Kind.CORRECT, change=SET_CARLA)
        assert set(states()) == {OPEN, RESOLVED}

        change = Change(ChangeKind.PREFIX, "destination_number", "555", "")
        mending = mend(world.provider, Kind.CORRECT, change=change)

        assert counts(mending) == (2, {}, 0)
        current = XdrCorrection.objects.get(is_current=True)
        assert (current.account_code, current.destination_number) == ("carla", "442012345678")
        assert XdrCorrection.objects.filter(is_current=False).count() == 1
        assert set(states()) == {RESOLVED}

    def test_that_does_not_help_says_what_it_waits_for_now(self, world: World) -> None:
        import_lines(world.source, [Call(account="K-17")])
        change = Change(ChangeKind.SET, "account_code", "", "K-71")

        mending = mend(world.provider, Kind.CORRECT, change=change)

        assert counts(mending) == (0, {"unknown_customer": 1}, 0)
        row = Suspense.objects.get()
        assert (row.state, row.subject, row.named_by) == (OPEN, "K-71", "ACCOUNT_CODE")

    def test_leaves_an_xdr_of_which_a_leg_stands(self, world: World) -> None:
        make_billing_mode(world.sub, make_rate_table(world.product))
        import_lines(world.source, [Call(account="carla")])
        legs = sorted(Leg.objects.values_list("pk", "amount"))
        change = Change(ChangeKind.PREFIX, "destination_number", "49", "44")

        mending = mend(world.provider, Kind.CORRECT, change=change)

        assert counts(mending) == (0, {}, 1)
        assert sorted(Leg.objects.values_list("pk", "amount")) == legs
        assert not XdrCorrection.objects.exists()

    @pytest.mark.parametrize(
        "change",
        [
            Change(ChangeKind.PREFIX, "destination_number", "", "44"),
            Change(ChangeKind.PREFIX, "destination_number", "44", "44"),
            Change(ChangeKind.SET, "caller_ip", "", "9" * 46),
            Change(ChangeKind.SET, "caller_number", "", "49\x1f30"),
            Change(ChangeKind.TEXT, "", "", "x"),
            Change(ChangeKind.LINE, "", "", "a\nb"),
            Change(ChangeKind.ZONE, "", "", "Europe/Atlantis"),
            Change(ChangeKind.ZONE, "", "", "posix/Europe/Berlin"),
            Change(ChangeKind.ZONE, "", "", "Factory"),
        ],
    )
    def test_is_refused_where_it_says_nothing_that_can_be(
        self, world: World, change: Change
    ) -> None:
        import_lines(world.source, [Call(account="K-17")])

        with refused(ChangeRefused):
            mend(world.provider, Kind.CORRECT, change=change)


class TestCorrectingLines:
    def test_reads_a_text_of_all_of_them_otherwise(self, world: World) -> None:
        good = [Call(account="carla").line for _ in range(2)]
        bad = [line.replace("2026-10-05", "2026-13-05") for line in good]
        import_lines(world.source, [*bad, "junk"])

        change = Change(ChangeKind.TEXT, "", "2026-13-", "2026-10-")
        mending = mend(world.provider, Kind.CORRECT, change=change, reason="unparsable")

        assert counts(mending) == (2, {}, 1)
        assert Xdr.objects.filter(customer=world.carla).count() == 2
        rows = Suspense.objects.order_by("line_number")
        assert [row.raw for row in rows] == [*bad, "junk"]
        assert [row.correction for row in rows] == [*good, ""]

    def test_keeps_the_key_of_the_line_as_received(self, world: World) -> None:
        late = Call(account="carla", started_at=CALL_AT.replace(year=2025))
        import_lines(world.source, [late], at=IMPORT_AT + timedelta(days=60))
        change = Change(ChangeKind.TEXT, "", '"2025-', '"2026-')

        for number in range(2):
            mending = mend(world.provider, Kind.CORRECT, change=change, reason="too_old")
            assert mending.state == Mending.State.DONE
            # The very same line again, in another file.
            import_lines(world.source, [late, f"junk {number}"], at=IMPORT_AT + timedelta(days=60))

        assert Xdr.objects.count() == 1

    def test_stands_when_they_are_accepted_or_corrected_once_more(self, world: World) -> None:
        late = Call(account="karla", started_at=CALL_AT.replace(year=2024))
        received = late.line.replace('"2024-10', '"2024-13')
        import_lines(world.source, [received])
        month = Change(ChangeKind.TEXT, "", "2024-13", "2024-10")
        name = Change(ChangeKind.TEXT, "", "karla", "carla")

        for change in (month, name):
            assert counts(mend(world.provider, Kind.CORRECT, change=change)) == (
                0,
                {"too_old": 1},
                0,
            )
        accepted = mend(world.provider, Kind.ACCEPT, note="A late file.", reason="too_old")

        # There were no rates then: it is read, and found to be Carla's.
        assert counts(accepted) == (0, {"unrated_customer": 1}, 0)
        assert Xdr.objects.get().customer == world.carla
        row = Suspense.objects.get(xdr_id__isnull=True)
        assert (row.raw, "2024-13" in row.correction) == (received, False)

    def test_of_one_line_keeps_what_was_received(self, world: World) -> None:
        import_lines(world.source, ["junk"])
        line = Call(account="nobody").line
        row = Suspense.objects.get()

        change = Change(ChangeKind.LINE, new_text=line)
        mending = mend(world.provider, Kind.CORRECT, change=change, suspense_ids=(row.pk,))

        assert counts(mending) == (0, {"unknown_customer": 1}, 0)
        assert states() == [RESOLVED, OPEN]
        assert [row.raw for row in Suspense.objects.all()] == ["junk", "junk"]

    def test_reads_local_times_in_another_zone(self, world: World) -> None:
        early = Call(account="carla", started_at=IMPORT_AT + timedelta(hours=30))
        import_lines(world.source, [early])

        change = Change(ChangeKind.ZONE, "", "", "Pacific/Kiritimati")
        mending = mend(world.provider, Kind.CORRECT, change=change, reason="in_future")

        assert counts(mending) == (1, {}, 0)
        # Fourteen hours ahead of UTC, where Berlin is two.
        assert Xdr.objects.get().started_at == early.started_at - timedelta(hours=12)

    @pytest.mark.parametrize("text", ["", "  ", "\t\r"])
    def test_that_leaves_nothing_of_a_line_frees_nothing(self, world: World, text: str) -> None:
        import_lines(world.source, ["junk", "more junk"])

        change = Change(ChangeKind.TEXT, "", "junk", text)
        mending = mend(world.provider, Kind.CORRECT, change=change)

        assert counts(mending) == (0, {"unparsable": 2}, 0)
        assert states() == [OPEN, OPEN]
        assert Suspense.objects.order_by("pk")[0].detail == "it holds no xDR as corrected"

    def test_that_makes_lines_alike_stores_one_of_them(self, world: World) -> None:
        line = Call(account="carla").line
        import_lines(world.source, [line.replace("2026-10-05", f"2026-1{x}-05") for x in "34"])
        for wrong in ("2026-13-05", "2026-14-05"):
            change = Change(ChangeKind.TEXT, "", wrong, "2026-15-05")
            mend(world.provider, Kind.CORRECT, change=change)
        change = Change(ChangeKind.TEXT, "", "2026-15-05", "2026-10-05")

        preview = preview_change(Scope.system(world.provider.pk), Choice(), change, MENDED_AT)
        mending = mend(world.provider, Kind.CORRECT, change=change)

        assert (preview.freed_count, preview.left_count) == (2, 0)
        assert counts(mending) == (2, {}, 0)
        assert Xdr.objects.count() == 1


class TestTryingAgain:
    def test_reads_unreadable_lines_by_the_mapping_of_today(self, world: World) -> None:
        import_lines(world.source, ["junk", Call(account="carla").line.replace('"120"', '"2m"')])
        world.source.refresh_from_db()

        mending = mend(world.provider)

        assert counts(mending) == (0, {"unparsable": 2}, 0)
        assert states() == [OPEN, OPEN]

    def test_leaves_a_line_that_was_no_text_as_it_is(self, world: World) -> None:
        import_lines(world.source, [Call(account="carla").line.replace("Anna", "A\x00nna")])

        assert counts(mend(world.provider)) == (0, {"unparsable": 1}, 0)
        assert not Xdr.objects.exists()

    def test_is_refused_where_nothing_waits(self, world: World) -> None:
        with refused(NothingChosen):
            mend(world.provider)
        assert not Mending.objects.exists()

    def test_is_refused_where_more_wait_than_whoever_asked_was_told(self, world: World) -> None:
        import_lines(world.source, [Call(account="new"), "junk"])

        with refused(ChoiceChanged):
            ask_for_mending(
                provider_id=world.provider.pk,
                kind=Kind.RETRY,
                choice=Choice(),
                stated_count=1,
                at=MENDED_AT,
                actor_id=None,
            )
        assert not Mending.objects.exists()

    def test_goes_on_where_a_worker_was_stopped(self, world: World) -> None:
        for _ in range(3):
            import_lines(world.source, [Call(account="new"), Call(account="nobody")])
        make_identifier(world.carla, "new")
        asked = ask_for_mending(
            provider_id=world.provider.pk,
            kind=Kind.RETRY,
            choice=Choice(),
            at=MENDED_AT,
            actor_id=None,
        )
        ticks = iter([MENDED_AT])

        with pytest.raises(StopIteration):
            work_on_mending(mending_id=asked.pk, clock=lambda: next(ticks))
        asked.refresh_from_db()
        assert (asked.state, asked.done_count) == (Mending.State.AT_WORK, 2)
        assert Xdr.objects.filter(customer=world.carla).count() == 1

        assert counts(worked_on(asked)) == (3, {"unknown_customer": 3}, 0)
        assert work_on_mending(mending_id=asked.pk, clock=lambda: MENDED_AT) == 0
        asked.refresh_from_db()
        assert counts(asked) == (3, {"unknown_customer": 3}, 0)
        assert Leg.objects.count() == 6
        assert Entry.objects.filter(action="suspense.mended").count() == 1

    def test_is_queued_again_when_nobody_works_on_it(self, world: World) -> None:
        import_lines(world.source, [Call(account="new")])
        ask_for_mending(
            provider_id=world.provider.pk,
            kind=Kind.RETRY,
            choice=Choice(),
            at=MENDED_AT,
            actor_id=None,
        )

        assert requeue_lost_mendings(at=MENDED_AT + PATIENCE - timedelta(seconds=1)) == 0
        assert requeue_lost_mendings(at=MENDED_AT + PATIENCE) == 1
        assert requeue_lost_mendings(at=MENDED_AT + PATIENCE) == 0
