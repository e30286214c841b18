"""What a provider keeps about its prices: code decks, time profiles, exchange rates, dry runs."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

from benchmarks.lists.rate_files import exchange_files, exchanged
from catalogue.models import CodeDeck, CodeDeckEntry, ExchangeRate, Rate, RateTable, TimeProfile
from cdr.models import LegKind, PartyKind, Rerating, ReratingDelta
from customers.models import Customer
from resellers.models import Reseller
from tenancy.models import Provider
from tests import factories
from tests.factories.rerating import OCTOBER_FROM, OCTOBER_TO, RERATED_AT

OFTEN = 100


def keep_prices(provider: Provider) -> None:
    """Names of all prefixes, prices by the hour and of other days, and what was tried out."""
    table = _table(provider)
    _name_prefixes(table)
    _price_by_time(table)
    _change_often(table)
    _rate_again(provider)
    exchange_files(table)
    for reseller in Reseller.objects.filter(provider=provider).order_by("pk")[:OFTEN]:
        factories.make_what_if(reseller)


def kept(provider: Provider) -> Mapping[str, object]:
    """Those of them with the most rows below, by the arguments of addresses."""
    return {
        "deck_id": CodeDeck.objects.filter(provider=provider).order_by("pk")[0].pk,
        "profile_id": TimeProfile.objects.filter(provider=provider).order_by("pk")[0].pk,
        "rerating_id": Rerating.objects.filter(provider=provider).order_by("pk")[0].pk,
        "prefix": _often_changed(_table(provider)).prefix,
        **exchanged(provider),
    }


def _table(provider: Provider) -> RateTable:
    return RateTable.objects.filter(provider=provider).order_by("pk")[0]


def _often_changed(table: RateTable) -> Rate:
    return Rate.objects.filter(rate_table=table).order_by("pk")[0]


def _name_prefixes(table: RateTable) -> None:
    """A deck with the names that the table's rates have."""
    deck = CodeDeck.objects.create(provider=table.provider, name="World")
    CodeDeckEntry.objects.bulk_create(
        CodeDeckEntry(
            provider=table.provider, code_deck=deck, prefix=prefix, destination=destination
        )
        for prefix, destination in Rate.objects.filter(rate_table=table).values_list(
            "prefix", "destination"
        )
    )


def _price_by_time(table: RateTable) -> None:
    """Time profiles, by the first of which a table has prices."""
    profiles = [
        factories.make_time_profile(table.provider, "Mon-Fri 08:00-20:00", weight)
        for weight in range(OFTEN)
    ]
    at_day = factories.make_rate_table(table.product)
    for number in range(OFTEN):
        factories.make_rate(at_day, f"49{number:03}", time_profile=profiles[0])


def _change_often(table: RateTable) -> None:
    """A rate that changes every day, and so do the currencies."""
    rate = _often_changed(table)
    for number in range(OFTEN):
        since = RERATED_AT + timedelta(days=number)
        factories.make_rate(table, rate.prefix, effective_from=since)
        ExchangeRate.objects.create(
            provider=table.provider,
            from_currency="EUR",
            to_currency="USD",
            day=since.date(),
            rate=Decimal("1.0825"),
            entered_at=RERATED_AT,
        )


def _rate_again(provider: Provider) -> None:
    """Dry runs of a month, the first of which would change what every customer owes."""
    first, *_ = [
        Rerating.objects.create(
            provider=provider,
            reason="A rate was wrong.",
            started_from=OCTOBER_FROM,
            started_to=OCTOBER_TO,
            state=Rerating.State.MEASURED,
            queued_at=RERATED_AT,
            created_at=RERATED_AT,
            measured_at=RERATED_AT,
        )
        for _ in range(OFTEN)
    ]
    ReratingDelta.objects.bulk_create(
        ReratingDelta(
            provider=provider,
            rerating=first,
            kind=LegKind.CUSTOMER,
            payer_kind=PartyKind.CUSTOMER,
            payer_id=customer.pk,
            currency=customer.currency,
            leg_count=customer.pk,
            before_amount=Decimal(1),
            after_amount=Decimal(1) + customer.pk,
            delta_amount=Decimal(customer.pk),
        )
        for customer in Customer.objects.filter(provider=provider)
    )
