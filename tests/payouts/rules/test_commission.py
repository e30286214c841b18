from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from common.money import ZERO, round_money
from payouts.rules.commission import (
    NOTHING,
    Allocated,
    AllocationUndone,
    Credited,
    Earning,
    Event,
    InvoiceIssued,
    Terms,
    accrue,
)

THOUSAND = Terms("EUR", net_amount=Decimal(1000), gross_amount=Decimal(1180))
TEN = Decimal(10)


def earning(base: str, amount: str, percent: Decimal = TEN) -> Earning:
    return Earning(Decimal(base), percent, Decimal(amount))


def credited(number: int, net: str, gross: str, excess: str = "0") -> Credited:
    return Credited(number, Decimal(net), Decimal(gross), Decimal(excess))


def total(earnings: dict[str, Earning]) -> tuple[Decimal, Decimal]:
    return (
        sum((part.base_amount for part in earnings.values()), ZERO),
        sum((part.amount for part in earnings.values()), ZERO),
    )


class TestCollectedNet:
    def test_earns_on_the_net_part_of_each_payment_and_gives_back_what_is_refunded(self) -> None:
        events: list[Event] = [
            Allocated(1, Decimal(590), TEN),
            Allocated(2, Decimal(590), TEN),
            credited(9, net="200", gross="236", excess="236"),
        ]

        earned = accrue(THOUSAND, events, {})

        assert earned == {
            "allocation:1": earning("500", "50"),
            "allocation:2": earning("500", "50"),
            "credit_note:9": earning("-200", "-20"),
        }

    def test_asks_only_about_what_is_new(self) -> None:
        recorded = {"allocation:1": earning("500", "50")}
        events: list[Event] = [Allocated(1, Decimal(590), TEN), Allocated(2, Decimal(590), TEN)]

        assert accrue(THOUSAND, events, recorded) == {"allocation:2": earning("500", "50")}
        assert accrue(THOUSAND, events, recorded | accrue(THOUSAND, events, recorded)) == {}

    def test_pays_each_part_by_the_percent_in_force_then(self) -> None:
        events: list[Event] = [
            Allocated(1, Decimal(590), TEN),
            Allocated(2, Decimal(590), Decimal(20)),
            credited(9, net="1000", gross="1180", excess="590"),
        ]

        earned = accrue(THOUSAND, events, {})

        assert [part.amount for part in earned.values()] == [50, 100, -75]
        assert earned["credit_note:9"].percent == 15

    def test_earns_nothing_without_a_plan_and_the_rest_under_one(self) -> None:
        events: list[Event] = [Allocated(1, Decimal(590), None), Allocated(2, Decimal(590), TEN)]

        assert accrue(THOUSAND, events, {}) == {"allocation:2": earning("500", "50")}

    def test_takes_back_exactly_what_an_undone_allocation_earned(self) -> None:
        events: list[Event] = [
            Allocated(1, Decimal("0.05"), TEN),
            Allocated(2, Decimal(590), TEN),
            AllocationUndone(1),
            Allocated(3, Decimal(590), TEN),
        ]

        earned = accrue(THOUSAND, events, {})

        assert earned["allocation:1"] == earning("0.04", "0.00")
        assert earned["allocation_undone:1"] == earning("-0.04", "0.00")
        assert total(earned) == (Decimal(1000), Decimal(100))

    def test_leaves_out_the_undoing_of_what_earned_nothing(self) -> None:
        events: list[Event] = [Allocated(1, Decimal(590), None), AllocationUndone(1)]

        assert accrue(THOUSAND, events, {}) == {}

    def test_gives_nothing_back_for_a_credit_on_what_was_never_collected(self) -> None:
        events: list[Event] = [
            credited(9, net="200", gross="236"),
            Allocated(1, Decimal(944), TEN),
        ]

        earned = accrue(THOUSAND, events, {})
        assert earned == {"allocation:1": earning("800", "80")}
        assert accrue(THOUSAND, events, earned) == {"credit_note:9": NOTHING}

    def test_never_gives_back_more_than_was_earned(self) -> None:
        events: list[Event] = [
            Allocated(1, Decimal(590), None),
            Allocated(2, Decimal(590), TEN),
            credited(9, net="1000", gross="1180", excess="1180"),
        ]

        assert total(accrue(THOUSAND, events, {})) == (ZERO, ZERO)

    def test_ends_where_the_money_ends_when_a_credited_payment_is_reversed(self) -> None:
        events: list[Event] = [
            Allocated(1, Decimal(1180), TEN),
            credited(9, net="200", gross="236", excess="236"),
            AllocationUndone(1),
            Allocated(2, Decimal(236), TEN),
            Allocated(3, Decimal(944), TEN),
        ]

        assert total(accrue(THOUSAND, events, {})) == (Decimal(800), Decimal(80))


class TestInvoicedNet:
    def test_earns_on_issue_and_nothing_on_payment(self) -> None:
        events: list[Event] = [InvoiceIssued(7, TEN), Allocated(1, Decimal(590), None)]

        assert accrue(THOUSAND, events, {}) == {"invoice:7": earning("1000", "100")}

    def test_gives_back_the_net_of_credit_notes_paid_or_not(self) -> None:
        events: list[Event] = [
            InvoiceIssued(7, TEN),
            credited(8, net="200", gross="236"),
            credited(9, net="800", gross="944", excess="100"),
        ]

        earned = accrue(THOUSAND, events, {})

        assert [part.amount for part in earned.values()] == [100, -20, -80]

    def test_earns_nothing_from_a_reseller_that_is_out(self) -> None:
        events: list[Event] = [InvoiceIssued(7, ZERO), credited(8, net="1000", gross="1180")]

        earned = accrue(THOUSAND, events, {})

        assert earned["invoice:7"] == earning("1000", "0", ZERO)
        assert total(earned) == (ZERO, ZERO)


amounts = st.decimals("0.01", "99999.99", places=2)
percents = st.decimals("0", "100", places=4)
currencies = st.sampled_from(["EUR", "JPY", "KWD"])


@st.composite
def invoices(draw: st.DrawFn) -> Terms:
    currency = draw(currencies)
    net = round_money(draw(amounts), currency) + 1
    tax = round_money(net * draw(st.decimals("0", "0.3", places=3)), currency)
    return Terms(currency, net, net + tax)


@st.composite
def parts_of(draw: st.DrawFn, whole: Decimal, currency: str) -> list[Decimal]:
    """One to six positive amounts of the currency that make up `whole`."""
    cuts = {
        round_money(whole * draw(st.decimals("0", "1", places=4)), currency)
        for _ in range(draw(st.integers(0, 5)))
    }
    bounds = [ZERO, *sorted(cut for cut in cuts if 0 < cut < whole), whole]
    return [high - low for low, high in pairwise(bounds)]


class TestAnyInvoice:
    @given(st.data(), invoices(), percents)
    def test_paid_in_any_parts_earns_the_percent_of_its_net(
        self, data: st.DataObject, terms: Terms, percent: Decimal
    ) -> None:
        parts = data.draw(parts_of(terms.gross_amount, terms.currency))
        events: list[Event] = [
            Allocated(number, part, percent) for number, part in enumerate(parts)
        ]

        earned = accrue(terms, events, {})

        whole = round_money(terms.net_amount * percent / 100, terms.currency)
        assert total(earned) == (terms.net_amount, whole)

    @given(st.data(), invoices())
    def test_earns_the_same_however_often_it_is_asked(
        self, data: st.DataObject, terms: Terms
    ) -> None:
        parts = data.draw(parts_of(terms.gross_amount, terms.currency))
        events: list[Event] = [
            Allocated(number, part, data.draw(percents)) for number, part in enumerate(parts)
        ]
        events += [AllocationUndone(0), Allocated(99, parts[0], TEN)]

        stepwise: dict[str, Earning] = {}
        for length in range(1, len(events) + 1):
            stepwise |= accrue(terms, events[:length], stepwise)

        assert stepwise == accrue(terms, events, {})

    @given(st.data(), invoices(), percents)
    def test_has_earned_nothing_when_all_is_undone(
        self, data: st.DataObject, terms: Terms, percent: Decimal
    ) -> None:
        parts = data.draw(parts_of(terms.gross_amount, terms.currency))
        events: list[Event] = [
            Allocated(number, part, percent) for number, part in enumerate(parts)
        ]
        undoing = data.draw(st.permutations(range(len(parts))))

        earned = accrue(terms, [*events, *map(AllocationUndone, undoing)], {})

        assert total(earned) == (ZERO, ZERO)
        assert len(earned) == 2 * len(parts)

    @given(st.data(), invoices(), percents)
    def test_has_earned_nothing_when_all_is_credited(
        self, data: st.DataObject, terms: Terms, percent: Decimal
    ) -> None:
        gross = terms.gross_amount
        parts = data.draw(parts_of(gross, terms.currency))
        events: list[Event] = [
            Allocated(number, part, percent) for number, part in enumerate(parts)
        ]
        events.append(Credited(1, terms.net_amount, gross, excess_amount=gross))

        assert total(accrue(terms, events, {})) == (ZERO, ZERO)
