"""What changed of what a catalogue's items include, as rows of a comparison."""

from collections.abc import Iterable

from catalogue import selectors
from catalogue.models import Product
from catalogue.rules.allowance_differences import AllowanceDifference
from catalogue.rules.allowances import Allowance
from catalogue.rules.differences import DifferenceKind, FieldChange
from common.scope import Scope
from web.shared.allowances import destinations_text
from web.shared.writing import NONE, volume_text

_WORDS = {"sharing": "for", "usage_product_id": "usage of", "rolls_over": "rolls over"}


def allowance_rows(scope: Scope, changes: Iterable[AllowanceDifference]) -> list[list[str]]:
    """One row for each allowance that came or went, and for each field that changed."""
    products = {product.pk: product for product in selectors.products(scope)}
    rows = []
    for change in changes:
        item = f"{products[change.product_id].name}, {change.currency}"
        ends = (change.before, change.after)
        if change.kind is not DifferenceKind.CHANGED:
            what = "allowance " + change.kind.lower()
            rows.append([item, what, *(_whole(allowance, products) for allowance in ends)])
        rows += [[item, *_field(change, field, products)] for field in change.changes]
    return rows


def _whole(allowance: Allowance | None, products: dict[int, Product]) -> str:
    if allowance is None:
        return NONE
    usage = products[allowance.usage_product_id]
    texts = [
        f"{allowance.name}: {volume_text(allowance.volume, usage.volume_unit)} of {usage}",
        allowance.sharing.lower(),
        f"priority {allowance.priority}",
        f"to {destinations_text(allowance.destinations)}" if allowance.destinations else "",
        "rolls over" if allowance.rolls_over else "",
    ]
    return ", ".join(text for text in texts if text)


def _field(
    change: AllowanceDifference, field: FieldChange, products: dict[int, Product]
) -> list[str]:
    assert change.before is not None
    assert change.after is not None
    name = _WORDS.get(field.field, field.field)
    ends = [(change.before, field.before), (change.after, field.after)]
    return [
        f"{change.after.name}: {name}",
        *(_value(field.field, value, allowance, products) for allowance, value in ends),
    ]


def _value(field: str, value: object, allowance: Allowance, products: dict[int, Product]) -> str:
    usage = products[allowance.usage_product_id]
    match field:
        case "volume":
            return volume_text(allowance.volume, usage.volume_unit)
        case "usage_product_id":
            return usage.name
        case "destinations":
            return destinations_text(allowance.destinations)
        case "rolls_over":
            return "yes" if value else "no"
        case "sharing":
            return allowance.sharing.lower()
        case _:
            return str(value)
