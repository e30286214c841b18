from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from audit.models import Entry
from catalogue.models import CodeDeck, CodeDeckEntry
from catalogue.rules.code_deck_files import CodeDeckRefused, read_code_deck
from catalogue.services.code_decks import (
    CodeDeckNameTaken,
    CodeDeckUsed,
    EnteredDestinations,
    PrefixTaken,
    add_entry,
    change_entry,
    create_code_deck,
    delete_code_deck,
    delete_entry,
    import_destinations,
    rename_code_deck,
)
from catalogue.services.rate_tables import change_code_deck
from common.csv_files import CsvUnreadable
from tenancy.models import Provider
from tests.factories import make_product, make_provider, make_rate_table

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 10, 10, 12, tzinfo=UTC)
BRITAIN = {"44": "United Kingdom", "447": "United Kingdom, mobile"}


@pytest.fixture
def provider() -> Provider:
    return make_provider()


def create(
    provider: Provider, name: str = "World", destinations: Mapping[str, str] = BRITAIN
) -> CodeDeck:
    return create_code_deck(
        provider_id=provider.pk, name=name, destinations=destinations, at=NOON, actor_id=None
    )


def names(deck: CodeDeck) -> dict[str, str]:
    return dict(deck.entries.order_by("prefix").values_list("prefix", "destination"))


class TestAFile:
    def test_is_read_by_prefix(self) -> None:
        text = 'destination,prefix\n"United Kingdom, mobile",447\n\'+Special,44\n'

        assert read_code_deck(text) == {"447": "United Kingdom, mobile", "44": "+Special"}

    @pytest.mark.parametrize(
        ("lines", "why"),
        [
            ("44,A\n4x,B\n", "Line 3: '4x' is not a prefix"),
            ("44,\n", "Line 2: The destination of 44"),
            (",A\n", "Line 2: '' is not a prefix"),
            ('44,"A\nB"\n', "on one line"),
            ("44,A\n45,B\n44,C\n", "Line 4 repeats the prefix 44"),
            (f"44,{'x' * 121}\n", "up to 120 characters"),
        ],
    )
    def test_is_refused_with_its_line(self, lines: str, why: str) -> None:
        with pytest.raises(CsvUnreadable, match=why):
            read_code_deck(f"prefix,destination\n{lines}")


class TestADeck:
    def test_is_renamed(self, provider: Provider) -> None:
        deck = create(provider)
        create(make_provider(), "Europe")

        rename_code_deck(deck=deck, name="Europe", at=NOON, actor_id=None)

        deck.refresh_from_db()
        assert deck.name == "Europe"

    def test_keeps_its_name_where_the_other_is_taken(self, provider: Provider) -> None:
        create(provider, "Europe")
        deck = create(provider)

        with pytest.raises(CodeDeckNameTaken):
            rename_code_deck(deck=deck, name="EUROPE", at=NOON, actor_id=None)

        assert CodeDeck.objects.filter(name="World").exists()

    def test_is_deleted_with_its_entries_while_no_table_names_it(self, provider: Provider) -> None:
        delete_code_deck(deck=create(provider), at=NOON, actor_id=None)

        assert not CodeDeckEntry.objects.exists()
        assert Entry.objects.get(action="code_deck.deleted").before == {
            "name": "World",
            "prefixes": "2",
        }

    def test_stays_where_a_table_names_it(self, provider: Provider) -> None:
        deck = create(provider)
        table = make_rate_table(make_product(provider), name="Retail")
        change_code_deck(table=table, code_deck=deck, at=NOON, actor_id=None)

        with pytest.raises(CodeDeckUsed, match="Retail"):
            delete_code_deck(deck=deck, at=NOON, actor_id=None)

        assert deck.entries.count() == 2


class TestImportingPrefixes:
    def test_adds_renames_and_leaves_alone(self, provider: Provider) -> None:
        deck, other = create(provider), create(provider, "Other")

        entered = import_destinations(
            deck=deck,
            destinations={"44": "United Kingdom", "447": "UK mobile", "49": "Germany"},
            at=NOON,
            actor_id=None,
        )

        assert entered == EnteredDestinations(added=1, changed=1, unchanged=1)
        assert names(deck) == {"44": "United Kingdom", "447": "UK mobile", "49": "Germany"}
        assert names(other) == BRITAIN

    def test_writes_nothing_where_a_prefix_is_none(self, provider: Provider) -> None:
        deck = create(provider)

        with pytest.raises(CodeDeckRefused):
            import_destinations(
                deck=deck, destinations={"49": "Germany", "x": "X"}, at=NOON, actor_id=None
            )

        assert names(deck) == BRITAIN


class TestAnEntry:
    def test_is_added_changed_and_deleted(self, provider: Provider) -> None:
        deck = create(provider, destinations={})

        entry = add_entry(deck=deck, prefix="49", destination="Germany", at=NOON, actor_id=None)
        change_entry(entry=entry, prefix="491", destination="Mobile", at=NOON, actor_id=None)
        assert names(deck) == {"491": "Mobile"}
        delete_entry(entry=entry, at=NOON, actor_id=None)

        assert names(deck) == {}
        told = Entry.objects.filter(action__startswith="code_deck_entry").order_by("pk")
        assert [(each.action, each.before, each.after) for each in told] == [
            ("code_deck_entry.added", None, {"prefix": "49", "destination": "Germany"}),
            (
                "code_deck_entry.changed",
                {"prefix": "49", "destination": "Germany"},
                {"prefix": "491", "destination": "Mobile"},
            ),
            ("code_deck_entry.deleted", {"prefix": "491", "destination": "Mobile"}, None),
        ]

    def test_has_a_prefix_of_its_own(self, provider: Provider) -> None:
        deck = create(provider)
        entry = deck.entries.get(prefix="44")

        with pytest.raises(PrefixTaken):
            add_entry(deck=deck, prefix="447", destination="X", at=NOON, actor_id=None)
        with pytest.raises(PrefixTaken):
            change_entry(entry=entry, prefix="447", destination="X", at=NOON, actor_id=None)

        assert names(deck) == BRITAIN

    def test_changes_nothing_when_saved_as_it_is(self, provider: Provider) -> None:
        entry = create(provider).entries.get(prefix="44")

        change_entry(entry=entry, prefix="44", destination="United Kingdom", at=NOON, actor_id=None)

        assert not Entry.objects.filter(action="code_deck_entry.changed").exists()
