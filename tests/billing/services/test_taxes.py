from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from audit.models import Entry
from billing.models import Tax, TaxProfile
from billing.selectors.tax_profiles import default_taxes
from billing.services.taxes import (
    TaxEndsBeforeItBegins,
    TaxPercentRefused,
    TaxRefused,
    TaxTerms,
    add_tax,
    change_tax,
)
from common.errors import DomainError
from common.scope import Scope
from tests.factories import make_provider, make_tax_profile

AT = datetime(2026, 11, 2, 9, tzinfo=UTC)
VAT = TaxTerms(name="VAT", percent=Decimal("19"))

pytestmark = pytest.mark.django_db


class TestATax:
    def test_is_added_to_the_default_profile_which_comes_with_it(self) -> None:
        provider, other = make_provider(), make_provider()
        make_tax_profile(other, "20")

        add_tax(provider_id=provider.pk, terms=VAT, at=AT, actor_id=None)
        add_tax(
            provider_id=provider.pk,
            terms=TaxTerms(name="Surcharge", percent=Decimal("5.5"), priority=2),
            at=AT,
            actor_id=None,
        )

        taxes = default_taxes(Scope.system(provider.pk), date(2026, 11, 2))
        assert [(tax.name, tax.percent) for tax in taxes] == [
            ("VAT", Decimal("19")),
            ("Surcharge", Decimal("5.5")),
        ]
        assert TaxProfile.objects.filter(provider=provider).count() == 1
        assert Entry.objects.filter(action="tax.added", provider=provider).count() == 2

    def test_ends_where_another_begins(self) -> None:
        provider = make_provider()
        tax = add_tax(provider_id=provider.pk, terms=VAT, at=AT, actor_id=None)
        new_year = date(2027, 1, 1)

        change_tax(tax=tax, terms=replace(VAT, valid_to=new_year), at=AT, actor_id=None)
        add_tax(
            provider_id=provider.pk,
            terms=replace(VAT, percent=Decimal(21), valid_from=new_year),
            at=AT,
            actor_id=None,
        )

        scope = Scope.system(provider.pk)
        assert [tax.percent for tax in default_taxes(scope, date(2026, 12, 31))] == [Decimal(19)]
        assert [tax.percent for tax in default_taxes(scope, new_year)] == [Decimal(21)]
        entry = Entry.objects.get(action="tax.changed")
        assert (entry.before, entry.after) == ({"valid_to": None}, {"valid_to": "2027-01-01"})

    @pytest.mark.parametrize(
        ("terms", "refusal"),
        [
            (replace(VAT, name=""), TaxRefused),
            (replace(VAT, percent=Decimal("1.00001")), TaxRefused),
            (replace(VAT, percent=Decimal("100.01")), TaxPercentRefused),
            (replace(VAT, percent=Decimal(-1)), TaxPercentRefused),
            (
                replace(VAT, valid_from=date(2027, 1, 1), valid_to=date(2027, 1, 1)),
                TaxEndsBeforeItBegins,
            ),
        ],
    )
    def test_is_refused_terms_that_mean_nothing(
        self, terms: TaxTerms, refusal: type[DomainError]
    ) -> None:
        provider = make_provider()

        with pytest.raises(refusal):
            add_tax(provider_id=provider.pk, terms=terms, at=AT, actor_id=None)

        assert not Tax.objects.exists()
        assert not TaxProfile.objects.exists()
