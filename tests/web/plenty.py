"""A provider with as many rows in every list as a test asks for."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.test import Client

from audit.services import record
from billing.models import BillRunItem, Invoice, Tax
from billing.services.bill_runs import create_bill_run
from billing.services.credit_notes import credit_in_full
from catalogue.models import (
    CatalogueItem,
    CatalogueVersion,
    CatalogueVersionItem,
    CodeDeck,
    CodeDeckEntry,
    ExchangeRate,
    Product,
    ProductKind,
    RateBatchEdit,
    RateImport,
    RateImportRow,
    RateNotice,
    RateNoticeFile,
)
from catalogue.rules.rate_edits import RateEdit, written
from catalogue.rules.rate_layouts import ImportOptions, Layout
from catalogue.services.rate_file_templates import save_template
from cdr.models import LegKind, PartyKind, ReratingDelta
from common.periods import Period, month
from customers.models import Customer, RateNotification
from payments.models import WebhookEvent
from payouts.services.approving import approve_statement
from payouts.services.preparing import prepare_statement
from resellers.models import Reseller
from resellers.rules.openings import OPENINGS
from tenancy.models import Provider, Role
from tests import factories
from tests.factories.api import make_token
from tests.factories.billing import make_charge
from tests.factories.catalogue import make_allowance, make_item_allowance
from tests.factories.cdr import Call, import_lines
from tests.factories.mending import mend
from tests.factories.payments import make_invoice
from tests.factories.payouts import make_plan
from tests.factories.rerating import measure
from tests.factories.subscriptions import make_subscription
from tests.payments.books import pay_offline

IN_OCTOBER = datetime(2026, 10, 5, 12, tzinfo=UTC)
IN_DECEMBER = datetime(2026, 12, 2, 12, tzinfo=UTC)
OCTOBER = month(2026, 10)


class Plenty:
    """A provider; lists of one customer, reseller and so on are those of `arguments`.

    Every row refers to others of its own, so that nothing that a list looks up once serves twice.
    """

    def __init__(self) -> None:
        self.provider: Provider = factories.make_provider()
        self.voice = factories.make_product(self.provider)
        self.table = factories.make_rate_table(self.voice, {"49": "0.05"})
        self.source = factories.make_source(self.voice, factories.make_vendor(self.table))
        self.deck = CodeDeck.objects.create(provider=self.provider, name="World")
        self.profile = factories.make_time_profile(self.provider, "Mon-Fri 08:00-20:00")
        self.catalogue = factories.make_catalogue(
            self.provider, [{"product": self.voice, "rate_table": self.table}], is_default=True
        ).catalogue
        self.version = self.catalogue.versions.get()
        self.item = CatalogueItem.objects.create(
            provider=self.provider,
            catalogue=self.catalogue,
            product=self.voice,
            rate_table=self.table,
            currency="EUR",
        )
        opened: dict[str, Any] = dict.fromkeys(OPENINGS, True)
        self.reseller = factories.make_reseller(self.provider, **opened)
        factories.make_billing_mode(self.reseller, self.table)
        self.customer = factories.make_customer(self.provider, self.reseller)
        factories.make_identifier(self.customer, "first")
        self.taxes = factories.make_tax_profile(self.provider)
        self.run = create_bill_run(
            provider=self.provider, period=OCTOBER, at=IN_DECEMBER, actor_id=None
        )
        self.rerating = measure(self.provider)
        self.arguments: dict[str, object] = {
            "customer_id": self.customer.pk,
            "reseller_id": self.reseller.pk,
            "table_id": self.table.pk,
            "profile_id": self.profile.pk,
            "deck_id": self.deck.pk,
            "catalogue_id": self.catalogue.pk,
            "item_id": self.item.pk,
            "version_id": self.version.pk,
            "run_id": self.run.pk,
            "rerating_id": self.rerating.pk,
            "month": "2026-10",
            "prefix": "49",
        }
        self.size = 0
        self.notice = RateNotice.objects.create(
            provider=self.provider,
            rate_table=self.table,
            format="csv",
            state=RateNotice.State.PREPARED,
            requested_at=IN_OCTOBER,
        )
        self.last_notice: RateNotice | None = None
        self.arguments["notice_id"] = self.notice.pk

    def browsers(self) -> dict[str, Client]:
        """Who sees the most of each surface, by what the URL names of its pages begin with."""
        users = {
            "console_": factories.make_staff(self.provider),
            "account_centre_": factories.make_team_member(self.customer),
            "reseller_portal_": factories.make_reseller_user(self.reseller),
        }
        clients = {}
        for start, user in users.items():
            clients[start] = Client()
            clients[start].force_login(user)
        return clients

    def grow(self, count: int) -> None:
        """Add so many rows to every list."""
        for number in range(self.size, self.size + count):
            customer = self._add_customer(number)
            self._add_reseller(number)
            self._add_offer(number, customer)
            self._add_usage(customer)
            self._add_books(number, customer)
            self._add_notices(customer)
        self.size += count

    def _add_customer(self, number: int) -> Customer:
        """Of the first reseller, by a code of its own, with a custom catalogue and its calls."""
        code = factories.make_code(self.reseller)
        customer = factories.make_customer(self.provider, self.reseller, reseller_code=code)
        factories.make_identifier(customer, f"other-{number}")
        factories.make_identifier(self.customer, f"more-{number}")
        factories.make_team_member(self.customer)
        self._add_staff(number)
        return customer

    def _add_staff(self, number: int) -> None:
        """Somebody in a role of its own."""
        role = Role.objects.create(
            provider=self.provider, name=f"Role {number}", permissions=["customers.list"]
        )
        factories.make_staff(self.provider, role.name)
        make_token(self.provider)

    def _add_reseller(self, number: int) -> None:
        """With a vendor and a statement; and what the first one has once more."""
        reseller = factories.make_reseller(self.provider, self.reseller)
        table = factories.make_rate_table(factories.make_product(self.provider))
        factories.make_vendor(table, reseller)
        factories.make_billing_mode(self.reseller, table)
        factories.make_reseller_user(self.reseller)
        factories.make_what_if(reseller)
        year = 2000 + number
        make_plan(self.reseller, valid_from=date(year, 1, 1), valid_to=date(year + 1, 1, 1))
        self._add_statement(self.reseller, month(2020 + number // 12, 1 + number % 12))
        self._add_statement(reseller, OCTOBER)
        record(
            provider_id=self.provider.pk,
            action="reseller.edited",
            changed=self.reseller,
            at=IN_OCTOBER,
            actor_id=factories.make_user().pk,
            after={"organisation": f"Reseller {number}"},
        )

    def _add_statement(self, reseller: Reseller, period: Period) -> None:
        """An approved one: drafts are not for the reseller to see."""
        statement = prepare_statement(
            reseller=reseller, period=period, currency="EUR", at=IN_DECEMBER, actor_id=None
        )
        approver = factories.make_staff(self.provider)
        approve_statement(statement=statement, at=IN_DECEMBER, actor_id=approver.pk)

    def _add_offer(self, number: int, customer: Customer) -> None:
        """Products in draft, version and use, a rate, and catalogues of their own."""
        product = factories.make_product(self.provider, ProductKind.RECURRING)
        price = {"currency": "EUR", "price": Decimal(10), "price_period": "MONTH"}
        terms = {"provider": self.provider, "product": product, **price}
        CatalogueItem.objects.create(catalogue=self.catalogue, **terms)
        item = CatalogueVersionItem.objects.create(version=self.version, **terms)
        make_item_allowance(self.item, factories.make_product(self.provider))
        make_allowance(item, factories.make_product(self.provider))
        CatalogueVersion.objects.create(
            provider=self.provider,
            catalogue=self.catalogue,
            number=2 + number,
            published_at=IN_DECEMBER,
            effective_at=IN_DECEMBER + timedelta(days=number),
            published_by=factories.make_user(),
        )
        factories.make_catalogue(self.provider)
        factories.make_rate_table(product, parent=factories.make_rate_table(product))
        self._add_rates(number, product)
        for buyer in (self.customer, customer):
            make_subscription(buyer, item, date(2026, 10, 1))

    def _add_rates(self, number: int, product: Product) -> None:
        """Of the first table, and one for hours of a table of its own; names and exchange rates."""
        factories.make_rate(self.table, f"49{number:03}")
        since = IN_OCTOBER + timedelta(days=number)
        rate = factories.make_rate(self.table, "49", effective_from=since)
        RateBatchEdit.objects.create(
            provider=self.provider,
            rate_table=self.table,
            rate_ids=[rate.pk],
            edit=written(RateEdit(values={"minimum": 60})),
            revision=1,
            asked_at=since,
            asked_by=factories.make_user(),
        )
        factories.make_time_profile(self.provider, "Sat 08:00-20:00", weight=number)
        CodeDeck.objects.create(provider=self.provider, name=f"Deck {number}")
        CodeDeckEntry.objects.create(
            provider=self.provider,
            code_deck=self.deck,
            prefix=f"49{number}",
            destination=f"Town {number}",
        )
        factories.make_rate(
            factories.make_rate_table(product), f"48{number:03}", time_profile=self.profile
        )
        self._add_rate_import(number)
        ExchangeRate.objects.create(
            provider=self.provider,
            from_currency="EUR",
            to_currency="USD",
            day=IN_OCTOBER.date() + timedelta(days=number),
            rate=Decimal("1.0825"),
            entered_at=IN_DECEMBER,
        )

    def _add_rate_import(self, number: int) -> None:
        """One of the first table, a row of the one whose rows are shown, and a template."""
        RateImport.objects.create(
            provider=self.provider,
            rate_table=self.table,
            name=f"rates-{number}.csv",
            size_bytes=1,
            counts={"new": number},
            touched_at=IN_OCTOBER,
            received_at=IN_OCTOBER + timedelta(days=number),
            received_by=factories.make_user(),
            confirmed_by=factories.make_user(),
        )
        first = RateImport.objects.filter(rate_table=self.table).earliest("pk")
        self.arguments["import_id"] = first.pk
        RateImportRow.objects.create(
            provider=self.provider,
            rate_import=first,
            number=number + 1,
            line=number + 2,
            row_class=RateImportRow.RowClass.NEW,
            prefix=str(number),
            rate=Decimal(1),
            connection_fee=0,
            attempt_fee=0,
            minimum=1,
            increment=1,
            grace=0,
        )
        save_template(
            provider_id=self.provider.pk,
            name=f"Vendor {number}",
            layout=Layout(columns={"prefix": "Code"}),
            options=ImportOptions(),
            at=IN_OCTOBER,
            actor_id=None,
        )

    def _add_usage(self, customer: Customer) -> None:
        """A file of calls: of the first customer, of another, of nobody."""
        identified = customer.identifiers.get().value
        source = factories.make_source(
            self.voice, factories.make_vendor(factories.make_rate_table(self.voice, {"49": "0.01"}))
        )
        accounts = ("first", identified, "nobody")
        import_lines(source, [*(Call(account=account) for account in accounts), "junk"])
        measure(self.provider, customer=customer, actor_id=factories.make_staff(self.provider).pk)
        mend(self.provider, at=IN_OCTOBER, source_id=source.pk)
        ReratingDelta.objects.create(
            provider=self.provider,
            rerating=self.rerating,
            kind=LegKind.CUSTOMER,
            payer_kind=PartyKind.CUSTOMER,
            payer_id=customer.pk,
            currency="EUR",
            leg_count=customer.pk,
            before_amount=Decimal(1),
            after_amount=Decimal(2),
            delta_amount=Decimal(1),
        )

    def _add_books(self, number: int, customer: Customer) -> None:
        """Invoices, credit notes, payments and what waits for a bill."""
        factories.make_biller_entity(self.provider, name=f"Seller {number}", is_default=False)
        Tax.objects.create(
            provider=self.provider, profile=self.taxes, name=f"Tax {number}", percent=Decimal(1)
        )
        period = month(2020 + number // 12, 1 + number % 12)
        create_bill_run(provider=self.provider, period=period, at=IN_DECEMBER, actor_id=None)
        WebhookEvent.objects.create(
            provider=self.provider,
            gateway="sandbox",
            event_id=str(number),
            body=b"{}",
            received_at=IN_OCTOBER,
        )
        for payer in (self.customer, customer):
            make_charge(payer, "10")
            invoice = make_invoice(payer, "100.00", issued_at=IN_OCTOBER)
            pay_offline(payer, "100.00")
            credited = make_invoice(payer, "20.00", issued_at=IN_OCTOBER)
            credit_in_full(invoice_id=credited.pk, reason="Agreed", at=IN_DECEMBER, actor_id=None)
        item = BillRunItem.objects.create(
            provider=self.provider,
            run=self.run,
            customer=customer,
            state=BillRunItem.State.ESTIMATED,
        )
        self._copy(
            invoice,
            state=Invoice.State.ESTIMATE,
            number=None,
            bill_run_item=item,
            buyer={"name": str(customer)},
        )
        self._copy(
            invoice,
            kind=Invoice.Kind.SETTLEMENT,
            customer=None,
            reseller=self.reseller,
            number=f"S-{number}",
        )
        self._copy(
            invoice,
            kind=Invoice.Kind.SETTLEMENT,
            customer=None,
            reseller=factories.make_reseller(self.provider, self.reseller),
            issuing_reseller=self.reseller,
            number=f"B-{number}",
        )

    def _add_notices(self, customer: Customer) -> None:
        """Of the first table, each to another customer; what the first customer was told."""
        notice = RateNotice.objects.create(
            provider=self.provider,
            rate_table=self.table,
            format="csv",
            state=RateNotice.State.SENT,
            requested_at=IN_OCTOBER,
            requested_by=factories.make_user(),
            sent_at=IN_OCTOBER,
        )
        sent = {"state": "SENT", "sent_at": IN_OCTOBER}
        for of_notice, since, to, state in (
            (self.notice, notice, customer, {}),
            (notice, self.last_notice, self.customer, sent),
        ):
            file = RateNoticeFile.objects.create(
                provider=self.provider,
                notice=of_notice,
                since=since,
                changes={"new": 1},
                examples=[],
                content=b"",
            )
            RateNotification.objects.create(
                provider=self.provider,
                rate_table=self.table,
                notice=of_notice,
                since=since,
                file=file,
                customer=to,
                addresses=["somebody@example.com"],
                **state,
            )
        self.last_notice = notice

    def _copy(self, invoice: Invoice, **fields: object) -> None:
        """An invoice as another, with other fields."""
        kept = {
            field.attname: getattr(invoice, field.attname)
            for field in Invoice._meta.concrete_fields
            if field.attname.removesuffix("_id") not in {"id", *fields}
        }
        Invoice.objects.create(**kept | fields)
