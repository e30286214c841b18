"""The demo's switches: what traffic they write, and how their callers dial."""

from cdr.rating.dial_plans import DialPlan
from demo.customers import customers_of
from demo.plans import PERIOD, ProviderPlan
from demo.rate_deck import build_rate_deck
from demo.traffic import Traffic, TrafficPlan, generate_traffic


def dial_plan(plan: ProviderPlan) -> DialPlan:
    """National numbers only where a trunk prefix marks them, which North America does without."""
    national = plan.calling_code != "1"
    return DialPlan(country_prefix=plan.calling_code if national else None)


def october(plan: ProviderPlan) -> Traffic:
    """The provider's traffic of the demo's month; the same plan gives the same bytes."""
    return generate_traffic(
        TrafficPlan(
            seed=plan.seed,
            period=PERIOD,
            zone=plan.zone,
            lines=plan.lines,
            accounts=tuple(customer.account for customer in customers_of(plan)),
            deck=build_rate_deck(plan.currency),
            oddities=plan.oddities,
            dial_plan=dial_plan(plan),
            trunks={vendor.tech_prefix: vendor.traffic_share for vendor in plan.vendors},
        )
    )
