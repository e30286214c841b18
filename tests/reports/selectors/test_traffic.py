from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from cdr.models import Suspense, SuspenseReason, XdrChunk
from common.scope import Scope
from reports.selectors.traffic import aged_suspense, source_traffic, traffic
from tenancy.models import Provider
from tests.factories import make_customer, make_product, make_provider
from tests.factories.billing import OCTOBER, make_chunk, make_usage

pytestmark = pytest.mark.django_db
# The end of October where the provider is.
END = datetime(2026, 10, 31, 23, tzinfo=UTC)


@pytest.fixture
def provider() -> Provider:
    neighbour = make_customer(make_provider())
    make_usage(neighbour, "99")
    return make_provider()


class TestTraffic:
    def test_sums_calls_by_destination_with_their_average(self, provider: Provider) -> None:
        customer = make_customer(provider)
        chunk = make_chunk(provider, make_product(provider, name="Calls"))
        for day, calls, volume in ((1, 2, 90), (31, 1, 35)):
            make_usage(
                customer,
                "1",
                chunk=chunk,
                day=date(2026, 10, day),
                call_count=calls,
                volume=volume,
                billed_volume=180,
            )
        make_usage(customer, "1", chunk=chunk, day=date(2026, 11, 1))

        [row] = traffic(Scope.system(provider.pk), OCTOBER)

        assert (row.month, row.product, row.destination) == ("2026-10", "Calls", "Germany")
        assert (row.call_count, row.used_volume, row.billed_volume) == (3, 125, 360)
        assert (row.average_volume, row.volume_unit) == (Decimal("41.7"), "second")


class TestSourceTraffic:
    def test_tells_how_many_attempts_were_answered(self, provider: Provider) -> None:
        counts = {
            "line_count": 10,
            "rated_count": 6,
            "zero_count": 2,
            "suspended_count": 1,
            "duplicate_count": 1,
            "blank_count": 0,
        }
        for received_at in (END - timedelta(seconds=1), END):
            chunk = make_chunk(provider)
            XdrChunk.objects.filter(pk=chunk.pk).update(**counts)
            chunk.file.received_at = received_at
            chunk.file.save()

        [row] = source_traffic(Scope.system(provider.pk), OCTOBER)

        assert (row.day, row.file_count, row.line_count) == (date(2026, 10, 31), 1, 10)
        assert (row.answered_count, row.unanswered_count, row.asr_percent) == (6, 2, Decimal(75))
        assert (row.suspended_count, row.duplicate_count) == (1, 1)

    def test_knows_no_ratio_without_attempts(self, provider: Provider) -> None:
        chunk = make_chunk(provider)
        chunk.file.received_at = END - timedelta(days=2)
        chunk.file.save()

        [row] = source_traffic(Scope.system(provider.pk), OCTOBER)

        assert row.asr_percent is None


class TestAgedSuspense:
    def test_goes_by_what_waited_on_the_last_day(self, provider: Provider) -> None:
        chunk = make_chunk(provider)

        def suspend(days: int, resolved_at: datetime | None = None) -> None:
            Suspense.objects.create(
                provider=provider,
                source=chunk.file.source,
                chunk=chunk,
                line_number=days,
                raw="",
                reason=SuspenseReason.UNRATED_CUSTOMER,
                detail="",
                estimated_amount=Decimal("0.5"),
                currency="EUR",
                state=Suspense.State.RESOLVED if resolved_at else Suspense.State.OPEN,
                created_at=END - timedelta(days=days),
                resolved_at=resolved_at,
            )

        for days in (1, 2, 7, 8, 31):
            suspend(days)
        suspend(days=40, resolved_at=END - timedelta(days=3))
        suspend(days=20, resolved_at=END + timedelta(days=3))
        suspend(days=-1)

        [row] = aged_suspense(Scope.system(provider.pk), OCTOBER)

        assert (
            row.up_to_1_day_count,
            row.up_to_7_days_count,
            row.up_to_30_days_count,
            row.older_count,
        ) == (1, 2, 2, 1)
        assert (row.waiting_count, row.value_amount, row.currency) == (6, Decimal(3), "EUR")
        assert row.oldest_date == date(2026, 10, 1)
