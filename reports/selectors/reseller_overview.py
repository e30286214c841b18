"""Resellers at a glance: sales, payouts and acquisition of a period; reads documents only."""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from common.periods import Period
from common.scope import Scope
from reports.selectors.acquisition import Acquisition, acquisition
from reports.selectors.payouts import ResellerPayout, reseller_payouts
from reports.selectors.sales import DirectSales, ResellerSales, sales_by_tag

ByCurrency = dict[str, Decimal]


@dataclass(frozen=True)
class ResellerOverview:
    """The rows of the four reports about resellers, with what they come to."""

    sales: list[ResellerSales]
    direct: list[DirectSales]
    payouts: list[ResellerPayout]
    acquisition: list[Acquisition]

    @property
    def sales_by_currency(self) -> ByCurrency:
        """Net sales through resellers."""
        return _summed([(row.currency, row.net_amount) for row in self.sales])

    @property
    def direct_by_currency(self) -> ByCurrency:
        """Net sales without a reseller."""
        return _summed([(row.currency, row.net_amount) for row in self.direct])

    @property
    def outstanding_by_currency(self) -> ByCurrency:
        """What resellers are owed at the end of the period."""
        return _summed([(row.currency, row.outstanding_amount) for row in self.outstanding])

    @property
    def outstanding(self) -> list[ResellerPayout]:
        """The payouts of the period's last month: their outstanding is what is due in the end."""
        last = max((row.month for row in self.payouts), default="")
        return [row for row in self.payouts if row.month == last]

    @property
    def currencies(self) -> list[str]:
        """All currencies that there is anything in."""
        sold = {row.currency for row in self.sales} | {row.currency for row in self.direct}
        return sorted(sold | {row.currency for row in self.payouts})


def reseller_overview(scope: Scope, period: Period) -> ResellerOverview:
    """All about resellers in a period, by month; never reads xDRs, legs or usage charges."""
    sales, direct = sales_by_tag(scope, period)
    return ResellerOverview(
        sales=sales,
        direct=direct,
        payouts=reseller_payouts(scope, period),
        acquisition=acquisition(scope, period),
    )


def _summed(pairs: list[tuple[str, Decimal]]) -> ByCurrency:
    sums: ByCurrency = defaultdict(Decimal)
    for currency, amount in pairs:
        sums[currency] += amount
    return dict(sorted(sums.items()))
