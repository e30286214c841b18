"""Reading products, rate tables, catalogues and their versions."""

from catalogue.selectors.catalogues import (
    catalogues,
    default_catalogue,
    draft_items,
    unpublished_differences,
    version,
    version_at,
    version_differences,
    version_items,
    versions,
)
from catalogue.selectors.products import (
    products,
)
from catalogue.selectors.rate_tables import (
    RATE_COLUMNS,
    in_force,
    rate,
    rate_history,
    rate_rows,
    rate_table,
    rate_tables,
    rates,
    with_ends,
)

__all__ = [
    "RATE_COLUMNS",
    "catalogues",
    "default_catalogue",
    "draft_items",
    "in_force",
    "products",
    "rate",
    "rate_history",
    "rate_rows",
    "rate_table",
    "rate_tables",
    "rates",
    "unpublished_differences",
    "version",
    "version_at",
    "version_differences",
    "version_items",
    "versions",
    "with_ends",
]
