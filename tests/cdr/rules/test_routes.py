"""Who pays whom for one call, on trees of any shape."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from cdr.rules.parties import PROVIDER_ID
from cdr.rules.routes import (
    BillingMode,
    InternalCalls,
    ResellerPayment,
    ResellerTree,
    Termination,
    is_foreign,
    reseller_payments,
)

# Two branches: 1 → 2 → 3 → 4 → 5 and 1 → 6; another top reseller 7.
TREE = ResellerTree({1: PROVIDER_ID, 2: 1, 3: 2, 4: 3, 5: 4, 6: 1, 7: PROVIDER_ID})
ALL_ON = {reseller_id: BillingMode(reseller_id * 100) for reseller_id in TREE.parents}


def vendor_of(owner_id: int) -> Termination:
    return Termination(is_on_net=False, branch=owner_id)


def customer_of(reseller_id: int) -> Termination:
    return Termination(is_on_net=True, branch=reseller_id)


def payers(payments: Iterable[ResellerPayment]) -> list[int]:
    return [payment.payer_id for payment in payments]


class TestResellerTree:
    def test_gives_the_line_up_to_the_provider(self) -> None:
        assert TREE.line(5) == (5, 4, 3, 2, 1)
        assert TREE.line(PROVIDER_ID) == ()

    def test_finds_the_nearest_common_ancestor(self) -> None:
        assert TREE.nearest_common_ancestor(5, 6) == 1
        assert TREE.nearest_common_ancestor(3, 5) == 3
        assert TREE.nearest_common_ancestor(5, 3) == 3
        assert TREE.nearest_common_ancestor(5, 7) == PROVIDER_ID
        assert TREE.nearest_common_ancestor(PROVIDER_ID, 5) == PROVIDER_ID


class TestCallToAVendor:
    def test_of_the_provider_is_paid_for_on_all_five_levels(self) -> None:
        payments = reseller_payments(TREE, ALL_ON, 5, vendor_of(PROVIDER_ID))

        assert payments == (
            ResellerPayment(5, 4, 500),
            ResellerPayment(4, 3, 400),
            ResellerPayment(3, 2, 300),
            ResellerPayment(2, 1, 200),
            ResellerPayment(1, PROVIDER_ID, 100),
        )

    def test_owned_in_the_middle_is_paid_for_below_its_owner(self) -> None:
        assert payers(reseller_payments(TREE, ALL_ON, 5, vendor_of(3))) == [5, 4]

    def test_of_ones_own_is_paid_to_nobody_above(self) -> None:
        assert reseller_payments(TREE, ALL_ON, 5, vendor_of(5)) == ()

    def test_skips_who_is_not_in_billing_mode_and_goes_on(self) -> None:
        modes = {key: mode for key, mode in ALL_ON.items() if key in (5, 2)}

        payments = reseller_payments(TREE, modes, 5, vendor_of(PROVIDER_ID))

        assert payments == (ResellerPayment(5, 4, 500), ResellerPayment(2, 1, 200))

    def test_of_a_direct_customer_has_no_reseller(self) -> None:
        assert reseller_payments(TREE, ALL_ON, PROVIDER_ID, vendor_of(PROVIDER_ID)) == ()

    def test_does_not_ask_for_the_policy_of_internal_calls(self) -> None:
        modes = {5: BillingMode(500, InternalCalls.EVERY_CALL)}

        assert reseller_payments(TREE, modes, 5, vendor_of(5)) == ()


class TestForeignVendor:
    def test_belongs_to_a_reseller_outside_the_line(self) -> None:
        assert is_foreign(TREE, 5, vendor_of(6))
        assert is_foreign(TREE, 3, vendor_of(5))
        assert is_foreign(TREE, PROVIDER_ID, vendor_of(1))

    def test_does_not_belong_to_an_ancestor(self) -> None:
        assert not is_foreign(TREE, 5, vendor_of(5))
        assert not is_foreign(TREE, 5, vendor_of(1))
        assert not is_foreign(TREE, 5, vendor_of(PROVIDER_ID))
        assert not is_foreign(TREE, 5, customer_of(7))

    def test_where_allowed_is_paid_for_up_to_the_common_ancestor(self) -> None:
        assert payers(reseller_payments(TREE, ALL_ON, 5, vendor_of(6))) == [5, 4, 3, 2]
        assert reseller_payments(TREE, ALL_ON, 3, vendor_of(5)) == ()


class TestOnNetCall:
    def test_to_another_branch_is_paid_for_below_the_common_ancestor(self) -> None:
        assert payers(reseller_payments(TREE, ALL_ON, 5, customer_of(6))) == [5, 4, 3, 2]
        assert payers(reseller_payments(TREE, ALL_ON, 5, customer_of(7))) == [5, 4, 3, 2, 1]
        assert payers(reseller_payments(TREE, ALL_ON, 5, customer_of(PROVIDER_ID))) == [
            5,
            4,
            3,
            2,
            1,
        ]

    def test_inside_the_own_branch_is_internal(self) -> None:
        assert reseller_payments(TREE, ALL_ON, 5, customer_of(5)) == ()

    def test_up_the_own_line_is_internal_from_the_called_branch_on(self) -> None:
        assert payers(reseller_payments(TREE, ALL_ON, 5, customer_of(3))) == [5, 4]

    def test_down_the_own_branch_is_internal(self) -> None:
        assert reseller_payments(TREE, ALL_ON, 3, customer_of(5)) == ()

    def test_that_is_internal_is_paid_for_by_each_resellers_own_policy(self) -> None:
        modes = {
            5: BillingMode(500),
            4: BillingMode(400),
            3: BillingMode(300, InternalCalls.EVERY_CALL),
            2: BillingMode(200, InternalCalls.INTERNAL_TABLE, internal_rate_table_id=222),
            1: BillingMode(100, InternalCalls.PARENT_VENDORS_ONLY),
        }

        payments = reseller_payments(TREE, modes, 5, customer_of(3))

        assert payments == (
            ResellerPayment(5, 4, 500),
            ResellerPayment(4, 3, 400),
            ResellerPayment(3, 2, 300),
            ResellerPayment(2, 1, 222),
        )


@st.composite
def trees(draw: st.DrawFn) -> ResellerTree:
    """Up to a dozen resellers, each below one with a lower id or below the provider."""
    count = draw(st.integers(1, 12))
    return ResellerTree({n: draw(st.integers(PROVIDER_ID, n - 1)) for n in range(1, count + 1)})


class TestOnAnyTree:
    @given(tree=trees(), numbers=st.data())
    def test_payments_are_a_part_of_the_line_in_its_order_below_the_carrier(
        self, tree: ResellerTree, numbers: st.DataObject
    ) -> None:
        parties = st.sampled_from([PROVIDER_ID, *tree.parents])
        origin, branch = numbers.draw(parties), numbers.draw(parties)
        on = numbers.draw(st.sets(st.sampled_from(list(tree.parents))))
        termination = Termination(numbers.draw(st.booleans()), branch)
        modes = {reseller_id: BillingMode(reseller_id * 100) for reseller_id in on}

        payments = reseller_payments(tree, modes, origin, termination)

        line = tree.line(origin)
        beyond = {*tree.line(branch)}
        assert payers(payments) == [p for p in line if p in on and p not in beyond]
        assert all(payment.payee_id == tree.parents[payment.payer_id] for payment in payments)
