from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoCaptureOnCommitCallbacks

from audit.models import Entry
from catalogue.models import Rate, RateTable, Relabelling
from catalogue.rules.destinations import destination_of
from catalogue.selectors.code_decks import Renamed, preview_relabelling
from catalogue.services.code_decks import create_code_deck
from catalogue.services.rate_tables import change_code_deck
from catalogue.services.relabelling import (
    NoCodeDeck,
    queue_unfinished,
    relabel_rates,
    request_relabelling,
)
from common.scope import Scope
from tenancy.models import Provider
from tests.factories import make_product, make_provider, make_rate, make_rate_table

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 10, 10, 12, tzinfo=UTC)
DIGITS = st.text("01", min_size=1, max_size=4)


@pytest.fixture
def provider() -> Provider:
    return make_provider()


def make_table(provider: Provider, prefixes: Any, destinations: dict[str, str]) -> RateTable:
    table = make_rate_table(make_product(provider), dict.fromkeys(prefixes, "0.05"))
    deck = create_code_deck(
        provider_id=provider.pk,
        name=f"Deck of {table.pk}",
        destinations=destinations,
        at=NOON,
        actor_id=None,
    )
    return change_code_deck(table=table, code_deck=deck, at=NOON, actor_id=None)


def relabel(table: RateTable) -> int:
    run = request_relabelling(table=table, at=NOON, actor_id=None)
    return relabel_rates(relabelling_id=run.pk, at=NOON)


def names(table: RateTable) -> dict[str, str]:
    return dict(table.rates.order_by("prefix").values_list("prefix", "destination"))


class TestRelabelling:
    def test_names_by_the_longest_prefix_and_touches_nothing_else(self, provider: Provider) -> None:
        table = make_table(
            provider, ["4477", "49", "1"], {"44": "UK", "447": "UK mobile", "49": "DE"}
        )
        other = make_rate_table(make_product(provider), {"49": "0.05"})
        before = list(Rate.objects.order_by("pk").values().values_list())

        assert relabel(table) == 2

        assert names(table) == {"1": "Destination 1", "4477": "UK mobile", "49": "DE"}
        assert names(other) == {"49": "Destination 49"}
        after = list(Rate.objects.order_by("pk").values().values_list())
        kept = [field.attname for field in Rate._meta.concrete_fields].index("destination")
        assert [row[:kept] + row[kept + 1 :] for row in before] == [
            row[:kept] + row[kept + 1 :] for row in after
        ]

    def test_makes_a_new_revision_and_says_so(self, provider: Provider) -> None:
        table = make_table(provider, ["49"], {"49": "DE"})

        relabel(table)

        assert RateTable.objects.get().revision == table.revision + 1
        assert Entry.objects.get(action="rate_table.relabelled").after == {
            "code_deck": f"Deck of {table.pk}",
            "rates": "1",
        }

    def test_is_done_once(self, provider: Provider) -> None:
        table = make_table(provider, ["49"], {"49": "DE"})
        run = request_relabelling(table=table, at=NOON, actor_id=None)
        relabel_rates(relabelling_id=run.pk, at=NOON)
        make_rate(table, "491")

        assert relabel_rates(relabelling_id=run.pk, at=NOON) == 0

        assert names(table) == {"49": "DE", "491": "Destination 491"}
        run.refresh_from_db()
        assert (run.state, run.renamed_count) == ("DONE", 1)

    def test_needs_a_code_deck(self, provider: Provider) -> None:
        with pytest.raises(NoCodeDeck):
            request_relabelling(
                table=make_rate_table(make_product(provider)), at=NOON, actor_id=None
            )

        assert not Relabelling.objects.exists()

    @settings(
        max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
    )
    @given(st.sets(DIGITS, max_size=6), st.dictionaries(DIGITS, st.sampled_from("ABC"), max_size=6))
    def test_names_as_the_rule_for_single_rates_does(
        self, provider: Provider, prefixes: set[str], destinations: dict[str, str]
    ) -> None:
        table = make_table(provider, prefixes, destinations)
        preview = preview_relabelling(Scope.system(provider.pk), table)

        count = relabel(table)

        expected = {
            prefix: destination_of(prefix, destinations) or f"Destination {prefix}"
            for prefix in prefixes
        }
        assert names(table) == dict(sorted(expected.items()))
        known = [prefix for prefix in prefixes if destination_of(prefix, destinations)]
        assert (preview.renamed_count, preview.rate_count) == (count, len(prefixes))
        assert (count, preview.unknown_count) == (len(known), len(prefixes) - len(known))


class TestThePreview:
    def test_counts_and_gives_examples(self, provider: Provider) -> None:
        table = make_table(provider, ["4477", "49", "1"], {"44": "UK", "49": "Destination 49"})

        preview = preview_relabelling(Scope.system(provider.pk), table)

        assert (preview.renamed_count, preview.unknown_count, preview.rate_count) == (1, 1, 3)
        assert preview.examples == [Renamed("4477", "Destination 4477", "UK")]

    def test_sees_nothing_of_another_provider(self, provider: Provider) -> None:
        table = make_table(provider, ["49"], {"49": "DE"})

        preview = preview_relabelling(Scope.system(make_provider().pk), table)

        assert (preview.renamed_count, preview.rate_count, preview.examples) == (0, 0, [])


class TestTheSweep:
    def test_queues_what_was_forgotten(
        self,
        provider: Provider,
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    ) -> None:
        done, forgotten = (make_table(provider, ["49"], {"49": "DE"}) for _ in range(2))
        relabel(done)
        request_relabelling(table=forgotten, at=NOON, actor_id=None)

        assert queue_unfinished(at=NOON + timedelta(minutes=4)) == 0
        assert queue_unfinished(at=NOON + timedelta(minutes=6)) == 1
