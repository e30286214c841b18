"""A provider that programs send calls to."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from cdr.models import Mending, Source
from cdr.rules.mending import Change, ChangeKind
from tenancy.models import Provider
from tests import factories
from tests.factories.api import Program, make_json_source, program_of
from tests.factories.mending import mend


class World:
    """A provider whose customer `acc1` pays 0.05 a minute for what costs 0.02."""

    def __init__(self, slug: str = "aurora") -> None:
        self.provider: Provider = factories.make_provider(slug)
        voice = factories.make_product(self.provider)
        self.table = factories.make_rate_table(voice, {"49": "0.05"})
        cost = factories.make_rate_table(voice, {"49": "0.02"})
        terms = {"product": voice, "rate_table": self.table}
        factories.make_catalogue(self.provider, [terms], is_default=True)
        self.source: Source = make_json_source(voice, factories.make_vendor(cost))
        self.customer = factories.make_customer(self.provider)
        factories.make_identifier(self.customer, "acc1")
        self.program: Program = program_of(self.provider)


def correct_start(world: World, started_at: datetime) -> None:
    """Have all that waits have started then."""
    change = Change(ChangeKind.SET, "started_at", "", started_at.isoformat())
    mend(world.provider, Mending.Kind.CORRECT, change=change, at=timezone.now())


def call(**fields: Any) -> dict[str, Any]:
    started_at: datetime = timezone.now() - timedelta(minutes=5)
    values = {
        "started_at": started_at.isoformat(),
        "destination_number": "+493012345",
        "volume": 60,
        "account_code": "acc1",
        "call_id": "call-1",
    }
    return values | fields
