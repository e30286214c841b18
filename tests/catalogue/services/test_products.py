from datetime import UTC, datetime

import pytest

from audit.models import Entry
from catalogue.models import Product, ProductKind
from catalogue.rules.units import UnitsRefused
from catalogue.services.products import ProductCodeTaken, ProductRefused, create_product
from tenancy.models import Provider
from tests.factories import make_provider, make_staff
from tests.refusals import refused

AT = datetime(2026, 10, 1, 9, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def create(provider: Provider, code: str, kind: ProductKind, **fields: str) -> Product:
    return create_product(
        provider_id=provider.pk, code=code, name="It", kind=kind, at=AT, actor_id=None, **fields
    )


class TestCreateProduct:
    def test_rates_voice_by_the_minute_of_seconds(self) -> None:
        product = create(make_provider(), "voice", ProductKind.VOICE)

        assert (product.rating_unit, product.volume_unit) == ("minute", "second")

    def test_leaves_recurring_products_without_units(self) -> None:
        product = create(make_provider(), "fibre", ProductKind.RECURRING)

        assert (product.rating_unit, product.volume_unit) == ("", "")

    def test_is_audited(self) -> None:
        provider = make_provider()
        admin = make_staff(provider)

        product = create_product(
            provider_id=provider.pk,
            code="fibre",
            name="Fibre 100",
            kind=ProductKind.RECURRING,
            at=AT,
            actor_id=admin.pk,
        )

        entry = Entry.objects.get(action="product.created")
        assert (entry.provider, entry.actor, entry.at) == (provider, admin, AT)
        assert entry.object_id == str(product.pk)
        assert entry.after == {"code": "fibre", "name": "Fibre 100", "kind": "RECURRING"}

    def test_refuses_a_code_that_reads_the_same(self) -> None:
        provider = make_provider()
        create(provider, "Fibre", ProductKind.RECURRING)

        with refused(ProductCodeTaken):
            create(provider, "fIBRE", ProductKind.ONE_TIME)

    @pytest.mark.parametrize("code", ["", "x" * 41])
    def test_refuses_a_code_that_cannot_be_kept(self, code: str) -> None:
        provider = make_provider()

        with refused(ProductRefused, match="^Code: "):
            create(provider, code, ProductKind.RECURRING)

    def test_lets_another_provider_have_the_code(self) -> None:
        aurora, borealis = make_provider(), make_provider()
        create(aurora, "fibre", ProductKind.RECURRING)

        assert create(borealis, "fibre", ProductKind.RECURRING).provider == borealis

    def test_refuses_units_of_another_kind(self) -> None:
        provider = make_provider()

        with refused(UnitsRefused):
            create(provider, "voice", ProductKind.VOICE, rating_unit="GiB", volume_unit="KiB")
