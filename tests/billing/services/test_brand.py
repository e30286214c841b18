from datetime import UTC, datetime
from io import BytesIO

import pytest
from django.test import Client
from pypdf import PdfReader

from audit.models import Entry
from billing.documents.kept import invoice_pdf
from billing.services.brand import AccentRefused, change_brand
from common.scope import Scope
from payments.documents import render_receipt
from tenancy.models import BillerEntity, Logo, Provider
from tenancy.rules.logos import LogoRefused
from tenancy.selectors import current_logo
from tests.factories import (
    make_biller_entity,
    make_billing_mode,
    make_customer,
    make_product,
    make_provider,
    make_rate_table,
    make_reseller,
    make_reseller_user,
    make_staff,
)
from tests.factories.billing import invoice_of, issue_run, make_charge, make_usage
from tests.factories.pictures import make_picture
from tests.payments.books import pay_offline

AT = datetime(2026, 11, 2, 9, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def change(provider: Provider, **changes: object) -> Provider:
    values: dict[str, object] = {"accent_colour": "#0b6e4f", "picture": make_picture()}
    return change_brand(
        provider_id=provider.pk,
        **values | changes,  # type: ignore[arg-type]
        at=AT,
        actor_id=make_staff(provider).pk,
    )


def picture_count(pdf: bytes) -> int:
    return len(PdfReader(BytesIO(pdf)).pages[0].images)


class TestTheBrand:
    def test_is_the_accent_of_all_sellers_and_the_logo(self) -> None:
        provider, other = make_provider(), make_provider()
        make_biller_entity(provider, is_default=False)

        changed = change(provider)

        colours = BillerEntity.objects.filter(provider=provider).values_list("accent_colour")
        assert list(colours) == [("#0b6e4f",), ("#0b6e4f",)]
        assert current_logo(Scope.system(provider.pk)) is not None
        assert current_logo(Scope.system(other.pk)) is None
        entry = Entry.objects.get(action="provider.brand_changed")
        assert entry.before == {"accent_colour": "#1f4fd8", "logo_sha256": ""}
        assert entry.after == {"accent_colour": "#0b6e4f", "logo_sha256": changed.logo_sha256}

    def test_keeps_the_logo_that_is_not_replaced_until_it_is_removed(self) -> None:
        provider = make_provider()
        first = change(provider).logo_sha256

        kept = change(provider, picture=None).logo_sha256
        again = change(provider).logo_sha256
        removed = change(provider, picture=None, removes_logo=True).logo_sha256

        assert (kept, again, removed) == (first, first, "")
        assert Logo.objects.filter(provider=provider).count() == 1
        assert current_logo(Scope.system(provider.pk)) is None

    @pytest.mark.parametrize(
        ("colour", "says"),
        [
            ("#ffd400", "contrast of 1.4, and 4.5 is needed to read it; #[0-9a-f]{6} would do"),
            ("red", "'red' is not a colour"),
        ],
    )
    def test_is_refused_a_colour_that_white_text_cannot_be_read_on(
        self, colour: str, says: str
    ) -> None:
        provider = make_provider()

        with pytest.raises(AccentRefused, match=says):
            change(provider, accent_colour=colour)

        assert BillerEntity.objects.get(provider=provider).accent_colour == "#1f4fd8"
        assert not Logo.objects.exists()

    def test_is_refused_what_is_no_picture(self) -> None:
        provider = make_provider()

        with pytest.raises(LogoRefused):
            change(provider, picture=b"<svg/>")

        assert BillerEntity.objects.get(provider=provider).accent_colour == "#1f4fd8"
        assert Provider.objects.get(pk=provider.pk).logo_sha256 == ""


class TestDocuments:
    def test_wear_the_logo(self) -> None:
        provider = make_provider()
        customer = make_customer(provider)
        make_charge(customer, "10")
        issue_run(provider)
        invoice, payment = invoice_of(customer), pay_offline(customer, "5.00")
        scope = Scope.system(provider.pk)
        before = (
            picture_count(invoice_pdf(scope, invoice.pk)),
            picture_count(render_receipt(payment)),
        )

        change(provider)

        after = (
            picture_count(invoice_pdf(scope, invoice.pk)),
            picture_count(render_receipt(payment)),
        )
        assert (before, after) == ((0, 0), (1, 1))

    def test_of_a_reseller_to_the_one_below_it_do_not(self) -> None:
        provider = make_provider()
        parent = make_reseller(provider)
        child = make_reseller(provider, parent)
        make_usage(child, "10")
        issue_run(provider)
        change(provider)

        assert picture_count(invoice_pdf(Scope.system(provider.pk), invoice_of(child).pk)) == 0

    def test_wear_it_too_where_the_reseller_asks_for_them(self) -> None:
        provider = make_provider()
        reseller = make_reseller(provider)
        make_billing_mode(reseller, make_rate_table(make_product(provider), {"49": "0.03"}))
        make_usage(reseller, "10")
        issue_run(provider)
        change(provider)
        viewer = Client()
        viewer.force_login(make_reseller_user(reseller))

        answer = viewer.get(f"/reseller/invoices/{invoice_of(reseller).pk}/pdf/")

        assert picture_count(answer.content) == 1
