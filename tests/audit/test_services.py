from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError

from audit.models import Entry
from audit.services import record, record_change
from common.scope import Scope, Surface
from tests.factories import make_customer, make_provider, make_user

AT = datetime(2026, 10, 1, 9, tzinfo=UTC)

pytestmark = pytest.mark.django_db


class TestRecord:
    def test_keeps_who_did_what_to_what_with_values_before_and_after(self) -> None:
        provider = make_provider()
        customer, actor = make_customer(provider), make_user()

        entry = record(
            provider_id=provider.pk,
            action="customer.credit_limit_changed",
            changed=customer,
            at=AT,
            actor_id=actor.pk,
            before={"credit_limit": Decimal("0.0000")},
            after={"credit_limit": Decimal("99.9900"), "reason": None},
            address="192.0.2.1",
        )

        entry.refresh_from_db()
        assert (entry.at, entry.actor, entry.address) == (AT, actor, "192.0.2.1")
        assert (entry.object_type, entry.object_id) == ("customers.customer", str(customer.pk))
        assert entry.before == {"credit_limit": "0.0000"}
        assert entry.after == {"credit_limit": "99.9900", "reason": None}

    def test_names_nobody_when_the_system_acts(self) -> None:
        provider = make_provider()

        entry = record(
            provider_id=provider.pk,
            action="provider.swept",
            changed=provider,
            at=AT,
            actor_id=None,
        )

        entry.refresh_from_db()
        assert (entry.actor, entry.before, entry.after) == (None, None, None)


class TestRecordChange:
    def change(self, after: dict[str, object]) -> None:
        provider = make_provider()
        record_change(
            provider_id=provider.pk,
            action="provider.changed",
            changed=provider,
            at=AT,
            actor_id=None,
            before={"name": "Aurora", "currency": "EUR", "since": None},
            after=after,
        )

    def test_keeps_the_fields_that_differ(self) -> None:
        self.change({"name": "Aurora", "currency": "CHF", "since": 2026})

        entry = Entry.objects.get()
        assert entry.before == {"currency": "EUR", "since": None}
        assert entry.after == {"currency": "CHF", "since": "2026"}

    def test_keeps_nothing_where_nothing_differs(self) -> None:
        self.change({"name": "Aurora"})

        assert not Entry.objects.exists()


class TestAnEntry:
    @pytest.fixture(autouse=True)
    def one_entry(self) -> None:
        self.provider = make_provider()
        self.entry = record(
            provider_id=self.provider.pk,
            action="provider.renamed",
            changed=self.provider,
            at=AT,
            actor_id=None,
        )
        connection.check_constraints()

    @pytest.mark.parametrize(
        "sql",
        [
            "UPDATE audit_entry SET action = 'nothing'",
            "DELETE FROM audit_entry",
            "TRUNCATE audit_entry",
        ],
    )
    def test_is_never_changed_or_removed(self, sql: str) -> None:
        with (
            pytest.raises(IntegrityError, match="audit_entry is append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(sql)

        assert Entry.objects.get().action == "provider.renamed"

    def test_is_for_staff_of_its_provider_only(self) -> None:
        customer = make_customer(self.provider)
        console = Scope(provider_id=self.provider.pk, surface=Surface.CONSOLE, user_id=1)
        portal = Scope(
            provider_id=self.provider.pk,
            surface=Surface.ACCOUNT_CENTRE,
            customer_id=customer.pk,
        )

        assert list(Entry.objects.visible_to(console)) == [self.entry]
        assert not Entry.objects.visible_to(portal).exists()
        assert not Entry.objects.visible_to(Scope.system(make_provider().pk)).exists()
