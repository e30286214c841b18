"""Reading how a biller entity's documents are numbered."""

from dataclasses import dataclass

from billing.models import NumberSeries
from common.scope import Scope
from tenancy.models import BillerEntity


@dataclass(frozen=True)
class SeriesDetail:
    """One series, opened or not: how it is written, and the number that its next document takes."""

    kind: NumberSeries.Kind
    pattern: str
    next_number: int

    @property
    def has_begun(self) -> bool:
        """Whether its next number is fixed."""
        return self.next_number > 1


def series_of(scope: Scope, entity: BillerEntity) -> list[SeriesDetail]:
    """The series of a biller entity's own documents, in the order of their kinds."""
    rows = NumberSeries.objects.visible_to(scope).filter(
        biller_entity=entity, issuing_reseller=None
    )
    opened = {series.kind: series for series in rows.order_by("kind", "pk")}
    return [
        SeriesDetail(kind, opened[kind].pattern, opened[kind].next_number)
        if kind in opened
        else SeriesDetail(kind, kind.default_pattern, 1)
        for kind in NumberSeries.Kind
    ]
