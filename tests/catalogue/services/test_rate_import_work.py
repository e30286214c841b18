"""Imports of rates whose worker gave no sign."""

from datetime import timedelta

import pytest

from catalogue.models import RateImport, RateTable
from catalogue.services.rate_import_work import PATIENCE, lost_import_ids, requeue_lost_imports
from catalogue.services.rate_imports import confirm_import
from tests.factories import make_product, make_provider, make_rate_table
from tests.factories.rate_files import AT, compare_rates, receive_rates

TEXT = "prefix,rate,destination,effective_from\n49,0.06,Destination 49,\n"


@pytest.fixture
def table(db: None) -> RateTable:
    return make_rate_table(make_product(make_provider()), {"49": "0.05"})


class TestALostImport:
    def test_is_queued_again_once_when_it_gave_no_sign(self, table: RateTable) -> None:
        compared = compare_rates(table, TEXT)
        confirm_import(rate_import=compared, at=AT, actor_id=None)

        assert requeue_lost_imports(at=AT + PATIENCE - timedelta(seconds=1)) == 0
        assert requeue_lost_imports(at=AT + PATIENCE) == 1
        assert requeue_lost_imports(at=AT + PATIENCE) == 0

    def test_is_none_that_waits_for_people(self, table: RateTable) -> None:
        receive_rates(table, TEXT)
        compare_rates(table, TEXT)

        later = AT + timedelta(days=1)
        assert lost_import_ids(states=RateImport.WORKING, at=later) == []
