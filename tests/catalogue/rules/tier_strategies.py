"""Tiers of every model, for property tests."""

from decimal import Decimal

from hypothesis import strategies as st

from catalogue.rules.tiers import Tier, TierModel, Tiers

UNITS = st.sampled_from([1, 60, 1000, 1024, 1 << 30])
"""Volume units a unit has."""
_PRICES = st.decimals(0, 10**6, places=8) | st.decimals(0, 10, places=2) | st.just(Decimal(0))


@st.composite
def tiers(draw: st.DrawFn, models: tuple[TierModel, ...] = tuple(TierModel)) -> Tiers:
    """Up to six tiers of one of the models."""
    model = draw(st.sampled_from(models))
    size = draw(st.integers(1, 50)) if model is TierModel.PACKAGE else 0
    gaps = draw(st.lists(st.integers(1, 40), max_size=5))
    starts = [sum(gaps[:place]) * (size or 1) for place in range(len(gaps) + 1)]
    prices = st.just(Decimal(0)) if model is TierModel.STEPPED else _PRICES
    rows = tuple(Tier(start, draw(prices), draw(_PRICES)) for start in starts)
    return Tiers(model, rows, size)
