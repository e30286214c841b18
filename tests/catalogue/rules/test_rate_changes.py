from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from catalogue.rules.rate_changes import ChangeKind, KnownRate, rate_changes

NOW = datetime(2026, 11, 1, tzinfo=UTC)
OCTOBER, DECEMBER, JANUARY = (
    datetime(2026, 10, 1, tzinfo=UTC),
    datetime(2026, 12, 1, tzinfo=UTC),
    datetime(2027, 1, 1, tzinfo=UTC),
)


def known(
    price: str,
    starts_at: datetime = OCTOBER,
    ends_at: datetime | None = None,
    prefix: str = "49",
    **terms: str,
) -> KnownRate:
    told = {"rate": price, "steps": "", "status": "active", "destination": "Germany", **terms}
    return KnownRate((prefix,), starts_at, ends_at, told)


def told(before: list[KnownRate], after: list[KnownRate]) -> list[tuple[str, datetime]]:
    return [(change.kind.value, change.since) for change in rate_changes(before, after, NOW)]


class TestRateChanges:
    def test_are_none_without_a_difference(self) -> None:
        rates = [known("0.05", ends_at=DECEMBER), known("0.06", DECEMBER)]

        assert told(rates, rates[::-1]) == []

    def test_tell_what_begins_later(self) -> None:
        before = [known("0.05")]

        assert told(before, [known("0.05"), known("0.06", DECEMBER)]) == [("increased", DECEMBER)]
        assert told(before, [known("0.05"), known("0.04", DECEMBER)]) == [("decreased", DECEMBER)]
        assert told(before, [known("0.05", ends_at=DECEMBER)]) == [("closed", DECEMBER)]

    def test_tell_a_rate_of_the_past_with_its_beginning(self) -> None:
        assert told([known("0.05", datetime(2026, 1, 1, tzinfo=UTC))], [known("0.06")]) == [
            ("increased", OCTOBER)
        ]

    def test_tell_what_is_new_and_what_is_gone(self) -> None:
        assert told([], [known("0.05")]) == [("new", OCTOBER)]
        assert told([known("0.05")], []) == [("closed", NOW)]
        assert told([], [known("0.05", DECEMBER)]) == [("new", DECEMBER)]

    def test_tell_other_terms_as_changed(self) -> None:
        assert told([known("0.05")], [known("0.05", destination="Deutschland")]) == [
            ("changed", OCTOBER)
        ]
        assert told([known("0.05")], [known("0.09", status="blocked")]) == [("changed", OCTOBER)]

    def test_say_nothing_again_that_was_announced(self) -> None:
        announced = [known("0.05"), known("0.06", DECEMBER)]

        assert told(
            announced, [known("0.05"), known("0.06", DECEMBER), known("0.07", JANUARY)]
        ) == [("increased", JANUARY)]

    def test_tell_what_was_announced_and_called_off(self) -> None:
        announced = [known("0.05"), known("0.06", DECEMBER)]

        assert told(announced, [known("0.05")]) == [("decreased", DECEMBER)]

    def test_say_nothing_of_what_is_over(self) -> None:
        assert told([known("0.05", ends_at=NOW)], []) == []
        assert (
            told([known("0.05", OCTOBER - timedelta(days=9)), known("0.06")], [known("0.06")]) == []
        )

    def test_come_back_to_an_earlier_rate_where_a_later_one_ends(self) -> None:
        lasting, within = known("0.05", ends_at=JANUARY), known("0.09", DECEMBER, JANUARY)

        assert told([lasting], [lasting, within]) == [("increased", DECEMBER)]

    def test_tell_each_kind_of_calls_apart(self) -> None:
        changes = rate_changes(
            [known("1", prefix="44")], [known("3", prefix="44"), known("2")], NOW
        )

        assert [(change.kind, change.shown.key) for change in changes] == [
            (ChangeKind.INCREASED, ("44",)),
            (ChangeKind.NEW, ("49",)),
        ]


DAYS = st.integers(-20, 20).map(lambda days: NOW + timedelta(days=days))


@st.composite
def rates(draw: st.DrawFn) -> list[KnownRate]:
    found = []
    for starts_at in draw(st.lists(DAYS, max_size=4, unique=True)):
        lasts = draw(st.none() | st.integers(1, 20))
        ends_at = None if lasts is None else starts_at + timedelta(days=lasts)
        found.append(known(draw(st.sampled_from(["1", "2", "3"])), starts_at, ends_at))
    return found


def price(known_rates: list[KnownRate], instant: datetime) -> str | None:
    """Written once more, plainly: of the rates that hold then, the one begun last."""
    begun = [rate for rate in known_rates if rate.starts_at <= instant]
    latest = max((rate.starts_at for rate in begun), default=None)
    holding = [
        rate
        for rate in begun
        if (rate.ends_at is None and rate.starts_at == latest)
        or (rate.ends_at is not None and rate.ends_at > instant)
    ]
    return max(holding, key=lambda rate: rate.starts_at).terms["rate"] if holding else None


class TestAnyRates:
    @given(rates(), rates())
    def test_are_known_after_all_changes_were_told(
        self, before: list[KnownRate], after: list[KnownRate]
    ) -> None:
        """Whoever knew the old prices and reads the changes knows the new ones for each day."""
        changes = list(rate_changes(before, after, NOW))

        for days in range(45):
            instant = NOW + timedelta(days=days)
            differs = price(before, instant) != price(after, instant)
            pairs = {
                (
                    change.before and change.before.terms["rate"],
                    change.after and change.after.terms["rate"],
                )
                for change in changes
                if change.since <= instant
            }
            assert not differs or (price(before, instant), price(after, instant)) in pairs
