from dataclasses import replace
from datetime import UTC, datetime

import pytest

from audit.models import Entry
from billing.services.biller_entities import (
    BillerEntityRefused,
    EntityTerms,
    add_biller_entity,
    edit_biller_entity,
    make_default_entity,
)
from common.money import Rounding
from common.scope import Scope
from tenancy.models import BillerEntity
from tenancy.selectors import default_biller_entity
from tenancy.services.providers import ProviderRefused
from tests.factories import make_biller_entity, make_provider, make_staff

AT = datetime(2026, 11, 2, 9, tzinfo=UTC)
TERMS = EntityTerms(
    name="Aurora Austria GmbH",
    address="Ring 1\n1010 Wien",
    country="AT",
    tax_number="ATU12345678",
    email="billing@aurora.at",
    rounding=Rounding.HALF_EVEN,
    credit_days=30,
)

pytestmark = pytest.mark.django_db


class TestABillerEntity:
    def test_is_added_beside_the_default_one(self) -> None:
        provider = make_provider()
        actor = make_staff(provider)

        entity = add_biller_entity(provider_id=provider.pk, terms=TERMS, at=AT, actor_id=actor.pk)

        entity.refresh_from_db()
        assert (entity.name, entity.country, entity.credit_days) == (
            "Aurora Austria GmbH",
            "AT",
            30,
        )
        assert not entity.is_default
        entry = Entry.objects.get(action="biller_entity.added")
        assert (entry.actor, entry.provider, entry.at) == (actor, provider, AT)

    @pytest.mark.parametrize(
        ("terms", "message"),
        [
            (replace(TERMS, address=""), "Address: This field cannot be blank"),
            (replace(TERMS, tax_number="1" * 41), "Tax number: .* at most 40 characters"),
            (replace(TERMS, email="billing"), "Email: Enter a valid email"),
            (replace(TERMS, credit_days=-1), "Credit days"),
        ],
    )
    def test_is_refused_what_no_invoice_can_print(self, terms: EntityTerms, message: str) -> None:
        provider = make_provider()

        with pytest.raises(BillerEntityRefused, match=message):
            add_biller_entity(provider_id=provider.pk, terms=terms, at=AT, actor_id=None)

        assert BillerEntity.objects.filter(provider=provider).count() == 1

    def test_is_refused_a_country_that_is_none(self) -> None:
        entity = make_biller_entity(make_provider(), is_default=False)

        with pytest.raises(ProviderRefused):
            edit_biller_entity(
                entity=entity, terms=replace(TERMS, country="at"), at=AT, actor_id=None
            )

        entity.refresh_from_db()
        assert entity.country == "DE"

    def test_is_edited_with_a_record_of_what_changed(self) -> None:
        provider = make_provider()
        entity = add_biller_entity(provider_id=provider.pk, terms=TERMS, at=AT, actor_id=None)

        edit_biller_entity(
            entity=entity, terms=replace(TERMS, phone="+43 1 1"), at=AT, actor_id=None
        )

        entity.refresh_from_db()
        assert entity.phone == "+43 1 1"
        entry = Entry.objects.get(action="biller_entity.edited")
        assert (entry.before, entry.after) == ({"phone": ""}, {"phone": "+43 1 1"})


class TestTheDefault:
    def test_moves_to_another_one(self) -> None:
        provider, other = make_provider(), make_provider()
        entity = make_biller_entity(provider, name="Second", is_default=False)

        make_default_entity(entity=entity, at=AT, actor_id=None)
        make_default_entity(entity=entity, at=AT, actor_id=None)

        assert default_biller_entity(Scope.system(provider.pk)) == entity
        assert default_biller_entity(Scope.system(other.pk)).provider == other
        assert Entry.objects.filter(action="biller_entity.made_default").count() == 1
