from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from cdr.models import LegKind, PartyKind
from common.money import ZERO
from common.scope import Scope
from reports.selectors.margins import destination_margins, reseller_margins, vendor_costs
from reports.selectors.wholesale import margins
from resellers.models import Reseller, Vendor
from tenancy.models import Provider
from tests.factories import (
    make_customer,
    make_product,
    make_provider,
    make_rate_table,
    make_reseller,
    make_vendor,
)
from tests.factories.billing import make_usage
from tests.reports.worlds import OCTOBER

pytestmark = pytest.mark.django_db


def vendor_leg(vendor: Vendor, tag: int | None, **fields: Any) -> dict[str, Any]:
    """What a vendor's leg is made of: its owner pays, for a customer who carries a tag."""
    owner = vendor.owner_id
    return {
        "kind": LegKind.VENDOR,
        "payer_kind": PartyKind.RESELLER if owner else PartyKind.PROVIDER,
        "payer_id": owner or 0,
        "payee_kind": PartyKind.VENDOR,
        "payee_id": vendor.pk,
        "customer_reseller_id": tag,
        **fields,
    }


@pytest.fixture
def provider() -> Provider:
    """Sub's customer pays 10.00, Sub Root 6.00, Root the provider 5.00 and it its vendor 3.00.

    A direct customer pays 4.00, of which the vendor takes 1.00.
    """
    provider = make_provider(name="Aurora")
    make_customer(make_provider())
    root = make_reseller(provider, number=1, organisation="Root")
    sub = make_reseller(provider, parent=root, number=2, organisation="Sub")
    table = make_rate_table(make_product(provider))
    vendor = make_vendor(table, name="Carrier")
    customer, direct = make_customer(provider, sub), make_customer(provider)
    make_usage(customer, "10")
    make_usage(sub, "6")
    make_usage(root, "5", customer_reseller_id=sub.pk)
    make_usage(customer, "3", destination="DE", **vendor_leg(vendor, sub.pk))
    make_usage(direct, "4", destination="France")
    make_usage(direct, "1", destination="France", **vendor_leg(vendor, None))
    return provider


class TestResellerMargins:
    def test_lay_vendors_against_the_customers_that_were_brought(self, provider: Provider) -> None:
        direct, sub = reseller_margins(Scope.system(provider.pk), OCTOBER)

        assert (direct.reseller, direct.reseller_number) == ("Without a reseller", None)
        assert (direct.margin_amount, direct.provider_share_amount) == (Decimal(3), Decimal(3))
        assert (sub.reseller, sub.from_customers_amount, sub.to_vendors_amount) == (
            "Sub",
            Decimal(10),
            Decimal(3),
        )
        assert (sub.margin_amount, sub.provider_share_amount) == (Decimal(7), Decimal(2))

    def test_add_up_to_the_margins_by_party(self, provider: Provider) -> None:
        scope = Scope.system(provider.pk)

        by_tag = reseller_margins(scope, OCTOBER)

        by_party = margins(scope, OCTOBER)
        total = sum((row.margin_amount for row in by_party), ZERO)
        assert sum((row.margin_amount for row in by_tag), ZERO) == total == 10
        [own] = [row.margin_amount for row in by_party if row.reseller_number is None]
        assert sum((row.provider_share_amount for row in by_tag), ZERO) == own


class TestDestinationMargins:
    def test_go_by_what_each_rate_table_calls_it(self, provider: Provider) -> None:
        rows = destination_margins(Scope.system(provider.pk), OCTOBER)

        by_name: dict[str, Decimal] = {}
        for row in rows:
            by_name[row.destination] = by_name.get(row.destination, ZERO) + row.margin_amount
        assert by_name == {"DE": -3, "France": 3, "Germany": 10}
        assert {row.call_count for row in rows if row.destination == "DE"} == {0}


class TestVendorCosts:
    def test_name_the_vendor_and_who_pays_it(self, provider: Provider) -> None:
        root_vendor = make_vendor(
            make_rate_table(make_product(provider)),
            Reseller.objects.get(provider=provider, number=1),
            name="Own",
        )
        payer = make_customer(provider)
        make_usage(payer, "0.5", call_count=3, **vendor_leg(root_vendor, None))
        make_usage(payer, "8", day=date(2026, 11, 1), **vendor_leg(root_vendor, None))

        rows = vendor_costs(Scope.system(provider.pk), OCTOBER)

        assert {(row.vendor, row.owner, row.destination, row.cost_amount) for row in rows} == {
            ("Carrier", "Provider", "DE", Decimal(3)),
            ("Carrier", "Provider", "France", Decimal(1)),
            ("Own", "Root", "Germany", Decimal("0.5")),
        }
        assert rows[-1].call_count == 3
