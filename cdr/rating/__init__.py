"""The rating engine: prices columns of xDRs; pure, and importable without Django.

compiled = compile_table(table, rates)
batch = compiled.rate(align(numbers), started_at, volume)
"""

from cdr.rating.choice import TagColumn
from cdr.rating.columns import RateColumns
from cdr.rating.compiled import CompiledTable, RatedBatch, compile_table
from cdr.rating.explain import Explanation, explain
from cdr.rating.numbers import align, normalise
from cdr.rating.scale import COST_SCALE, COST_SCALE_DIGITS
from cdr.rules.choosing import Candidate, Loss, Usage
from cdr.rules.cost import LegCost, Reason
from cdr.rules.rates import (
    Boundary,
    FeeDue,
    IncrementBase,
    InvalidRate,
    Policy,
    Rate,
    RateStatus,
    RateTable,
    Rounding,
)

__all__ = [
    "COST_SCALE",
    "COST_SCALE_DIGITS",
    "Boundary",
    "Candidate",
    "CompiledTable",
    "Explanation",
    "FeeDue",
    "IncrementBase",
    "InvalidRate",
    "LegCost",
    "Loss",
    "Policy",
    "Rate",
    "RateColumns",
    "RateStatus",
    "RateTable",
    "RatedBatch",
    "Reason",
    "Rounding",
    "TagColumn",
    "Usage",
    "align",
    "compile_table",
    "explain",
    "normalise",
]
