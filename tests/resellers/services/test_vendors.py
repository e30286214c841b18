from datetime import UTC, datetime

import pytest

from audit.models import Entry
from resellers.models import Vendor
from resellers.services.vendors import (
    VendorAlreadyDisabled,
    VendorNameRefused,
    VendorNameTaken,
    change_vendor_owner,
    create_vendor,
    disable_vendor,
)
from tenancy.models import Provider
from tests.factories import make_product, make_provider, make_rate_table, make_reseller
from tests.refusals import refused

AT = datetime(2026, 10, 1, 9, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def create(provider: Provider, name: str = "Tailwind") -> Vendor:
    table = make_rate_table(make_product(provider))
    return create_vendor(provider_id=provider.pk, name=name, rate_table=table, at=AT, actor_id=None)


class TestCreateVendor:
    def test_is_the_providers_where_no_reseller_owns_it(self) -> None:
        vendor = create(make_provider())

        assert (vendor.owner, vendor.state) == (None, Vendor.State.ACTIVE)

    def test_may_belong_to_a_reseller(self) -> None:
        provider = make_provider()
        meridian = make_reseller(provider)
        table = make_rate_table(make_product(provider))

        vendor = create_vendor(
            provider_id=provider.pk,
            name="Crosswind",
            rate_table=table,
            owner=meridian,
            at=AT,
            actor_id=None,
        )

        assert (vendor.owner, vendor.rate_table) == (meridian, table)

    def test_refuses_a_name_that_reads_the_same(self) -> None:
        provider = make_provider()
        create(provider)
        table = make_rate_table(make_product(provider))

        with refused(VendorNameTaken):
            create_vendor(
                provider_id=provider.pk, name="TAILWIND", rate_table=table, at=AT, actor_id=None
            )

    @pytest.mark.parametrize("name", ["", "x" * 201])
    def test_refuses_a_name_that_cannot_be_kept(self, name: str) -> None:
        provider = make_provider()
        table = make_rate_table(make_product(provider))

        with refused(VendorNameRefused, match="^Name: "):
            create_vendor(
                provider_id=provider.pk, name=name, rate_table=table, at=AT, actor_id=None
            )

    def test_lets_another_provider_have_the_name(self) -> None:
        create(make_provider())

        assert create(make_provider()).name == "Tailwind"


class TestChangeVendorOwner:
    def test_gives_the_vendor_to_a_reseller_and_back(self) -> None:
        provider = make_provider()
        vendor, meridian = create(provider), make_reseller(provider)

        given = change_vendor_owner(vendor=vendor, owner=meridian, at=AT, actor_id=None)
        assert given.owner == meridian

        back = change_vendor_owner(vendor=vendor, owner=None, at=AT, actor_id=None)
        assert back.owner is None
        entry = Entry.objects.filter(action="vendor.owner_changed").order_by("pk")[1]
        assert (entry.before, entry.after) == ({"owner": str(meridian.number)}, {"owner": None})


class TestDisableVendor:
    def test_is_done_once(self) -> None:
        vendor = create(make_provider())

        assert disable_vendor(vendor=vendor, at=AT, actor_id=None).state == Vendor.State.DISABLED

        with refused(VendorAlreadyDisabled):
            disable_vendor(vendor=vendor, at=AT, actor_id=None)
