from datetime import UTC, datetime

from catalogue.models import CodeDeck, RateTable
from catalogue.services.code_decks import create_code_deck
from catalogue.services.relabelling import request_relabelling
from tenancy.models import Provider
from tests.factories import make_product, make_rate_table
from tests.web.matrix import Page, staff

NOON = datetime(2026, 10, 1, 12, tzinfo=UTC)


def made(provider: Provider) -> CodeDeck:
    count = CodeDeck.objects.count()
    return create_code_deck(
        provider_id=provider.pk,
        name=f"Deck {count}",
        destinations={"49": "Germany"},
        at=NOON,
        actor_id=None,
    )


def made_table(provider: Provider) -> RateTable:
    table = make_rate_table(make_product(provider), {"49": "0.05"})
    table.code_deck = made(provider)
    table.save(update_fields=["code_deck"])
    return table


def deck(provider: Provider) -> dict[str, object]:
    return {"deck_id": made(provider).pk}


def entry(provider: Provider) -> dict[str, object]:
    return {"entry_id": made(provider).entries.get().pk}


def table(provider: Provider) -> dict[str, object]:
    return {"table_id": made_table(provider).pk}


def relabelling(provider: Provider) -> dict[str, object]:
    run = request_relabelling(table=made_table(provider), at=NOON, actor_id=None)
    return {"relabelling_id": run.pk}


PAGES = {
    "console_code_decks": Page(staff("catalogue.read")),
    "console_code_deck_create": Page(staff("catalogue.write")),
    "console_code_deck": Page(staff("catalogue.read"), deck),
    "console_code_deck_rename": Page(staff("catalogue.write"), deck),
    "console_code_deck_delete": Page(staff("catalogue.write"), deck),
    "console_code_deck_import": Page(staff("catalogue.write"), deck),
    "console_code_deck_entry_create": Page(staff("catalogue.write"), deck),
    "console_code_deck_entry": Page(staff("catalogue.write"), entry),
    "console_code_deck_entry_delete": Page(staff("catalogue.write"), entry),
    "console_rate_table_deck": Page(staff("catalogue.write"), table),
    "console_rate_table_names": Page(staff("catalogue.write"), table),
    "console_relabelling": Page(staff("catalogue.read"), relabelling),
}
