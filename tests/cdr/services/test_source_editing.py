from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest

from audit.models import Entry
from catalogue.models import Product
from cdr.models import Source, XdrFile
from cdr.services.intake import SourceDisabled, receive_file
from cdr.services.source_editing import (
    SourceDetails,
    SourceRefused,
    SourceSlugTaken,
    SourceStateUnchanged,
    create_source,
    edit_source,
    switch_source,
)
from cdr.services.sources import TrunkTerms, source_terms
from resellers.models import Vendor
from tenancy.models import Provider
from tests.factories import make_product, make_provider, make_rate_table, make_vendor
from tests.refusals import refused

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 3, 12, tzinfo=UTC)


@pytest.fixture
def provider() -> Provider:
    return make_provider()


@pytest.fixture
def voice(provider: Provider) -> Product:
    return make_product(provider)


@pytest.fixture
def vendor(voice: Product) -> Vendor:
    return make_vendor(make_rate_table(voice))


def details(product: Product, **fields: Any) -> SourceDetails:
    values: dict[str, Any] = {
        "name": "Berlin switch",
        "product_id": product.pk,
        "time_zone": "Europe/Berlin",
        "country_prefix": "49",
        "trunks": {},
    }
    return SourceDetails(**values | fields)


def create(product: Product, slug: str = "berlin", **fields: Any) -> Source:
    return create_source(
        provider_id=product.provider_id,
        slug=slug,
        format=Source.Format.FREESWITCH_CSV,
        details=details(product, **fields),
        at=AT,
        actor_id=None,
    )


class TestCreateSource:
    def test_gives_the_engine_its_terms(self, voice: Product, vendor: Vendor) -> None:
        source = create(
            voice,
            default_vendor_id=vendor.pk,
            trunks={"77": TrunkTerms(vendor.pk, "vip, a")},
            tags="b;b",
            oldest_days=30,
        )

        terms = source_terms(source.pk)
        assert (terms.product_id, str(terms.zone)) == (voice.pk, "Europe/Berlin")
        assert (terms.country_prefix, terms.oldest.days) == ("49", 30)
        assert (terms.default_vendor_id, terms.tags) == (vendor.pk, "b")
        assert terms.trunks == {"77": TrunkTerms(vendor.pk, "a,vip")}

    def test_is_audited(self, voice: Product) -> None:
        source = create(voice)

        entry = Entry.objects.get(action="source.created")
        assert entry.object_id == str(source.pk)
        assert entry.after is not None
        assert entry.after["time_zone"] == "Europe/Berlin"

    def test_refuses_a_short_name_in_use(self, voice: Product) -> None:
        create(voice)

        with refused(SourceSlugTaken):
            create(voice)

    def test_lets_another_provider_have_it(self, voice: Product) -> None:
        create(voice)

        assert create(make_product(make_provider())).slug == "berlin"

    @pytest.mark.parametrize(
        ("fields", "name"),
        [
            ({"name": ""}, "name"),
            ({"name": "x" * 101}, "name"),
            ({"time_zone": "Berlin"}, "time_zone"),
            ({"time_zone": "Factory"}, "time_zone"),
            ({"country_prefix": "+49"}, "country_prefix"),
            ({"country_prefix": "12345"}, "country_prefix"),
            ({"oldest_days": 0}, "oldest_days"),
            ({"oldest_days": 40_000}, "oldest_days"),
            ({"slug": "no blanks"}, "slug"),
            ({"tags": "two words"}, "tags"),
        ],
    )
    def test_refuses_what_no_line_can_be_read_by(
        self, voice: Product, fields: dict[str, Any], name: str
    ) -> None:
        with pytest.raises(SourceRefused) as refusal:
            create(voice, **fields)

        assert refusal.value.by_field.keys() == {name}
        assert not Source.objects.exists()

    def test_refuses_a_product_that_has_no_usage(self, provider: Provider) -> None:
        monthly = make_product(provider, "RECURRING")

        with refused(SourceRefused, match="voice or metered"):
            create(monthly)

    def test_refuses_another_providers_product_and_vendors(self, voice: Product) -> None:
        foreign = make_vendor(make_rate_table(make_product(make_provider())))

        with refused(SourceRefused, match="no such vendor"):
            create(voice, default_vendor_id=foreign.pk)
        with refused(SourceRefused, match="none of the provider's"):
            create(voice, trunks={"77": TrunkTerms(foreign.pk, "")})
        with refused(SourceRefused, match="voice or metered"):
            create(voice, product_id=foreign.rate_table.product_id)

    def test_refuses_a_tech_prefix_that_cannot_be_dialled(
        self, voice: Product, vendor: Vendor
    ) -> None:
        with refused(SourceRefused, match="'x77' is not a tech prefix"):
            create(voice, trunks={"x77": TrunkTerms(vendor.pk, "")})


class TestEditSource:
    def test_replaces_details_and_trunks(self, voice: Product, vendor: Vendor) -> None:
        source = create(voice, trunks=dict.fromkeys(("77", "78"), TrunkTerms(vendor.pk, "")))

        edit_source(
            source=source,
            details=replace(
                details(voice), name="Hamburg", trunks={"79": TrunkTerms(vendor.pk, "vip")}
            ),
            at=AT,
            actor_id=None,
        )

        source.refresh_from_db()
        assert source.name == "Hamburg"
        assert [trunk.tech_prefix for trunk in source.trunks.all()] == ["79"]
        entry = Entry.objects.get(action="source.edited")
        assert entry.before == {"name": "Berlin switch", "trunks": f"77 {vendor}, 78 {vendor}"}
        assert entry.after == {"name": "Hamburg", "trunks": f"79 {vendor} [vip]"}

    def test_records_nothing_where_nothing_changed(self, voice: Product) -> None:
        source = create(voice)

        edit_source(source=source, details=details(voice), at=AT, actor_id=None)

        assert not Entry.objects.filter(action="source.edited").exists()

    def test_refuses_what_cannot_be_kept(self, voice: Product) -> None:
        source = create(voice)

        with refused(SourceRefused):
            edit_source(
                source=source, details=details(voice, time_zone="Mars"), at=AT, actor_id=None
            )

        source.refresh_from_db()
        assert source.time_zone == "Europe/Berlin"


class TestSwitchSource:
    def test_off_takes_no_more_files(self, voice: Product) -> None:
        source = create(voice)
        switch_source(source=source, is_enabled=False, at=AT, actor_id=None)

        with refused(SourceDisabled):
            receive_file(
                content=BytesIO(b"a,b\n"), name="a.csv", source=source, at=AT, actor_id=None
            )

        assert not XdrFile.objects.exists()
        assert Entry.objects.filter(action="source.disabled").count() == 1

    def test_on_takes_them_again(self, voice: Product) -> None:
        source = create(voice)
        switch_source(source=source, is_enabled=False, at=AT, actor_id=None)

        assert switch_source(source=source, is_enabled=True, at=AT, actor_id=None).is_enabled

    def test_is_refused_twice(self, voice: Product) -> None:
        source = create(voice)

        with refused(SourceStateUnchanged):
            switch_source(source=source, is_enabled=True, at=AT, actor_id=None)
