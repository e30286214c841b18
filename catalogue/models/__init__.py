"""What is sold and at what price: products, rate tables, catalogues and their versions."""

from catalogue.models.allowances import (
    AllowanceTerms,
    CatalogueItemAllowance,
    CatalogueVersionItemAllowance,
)
from catalogue.models.catalogues import (
    Catalogue,
    CatalogueItem,
    CatalogueVersion,
    CatalogueVersionItem,
    ItemTerms,
)
from catalogue.models.exchange_rates import ExchangeRate
from catalogue.models.products import Product, ProductKind
from catalogue.models.rate_edits import RateBatchEdit
from catalogue.models.rate_exports import RateExport
from catalogue.models.rate_imports import RateFileTemplate, RateImport, RateImportRow
from catalogue.models.rate_notices import RateNotice, RateNoticeFile
from catalogue.models.rate_tables import CodeDeck, CodeDeckEntry, RateTable, TimeProfile
from catalogue.models.rates import Rate
from catalogue.models.relabellings import Relabelling

__all__ = [
    "AllowanceTerms",
    "Catalogue",
    "CatalogueItem",
    "CatalogueItemAllowance",
    "CatalogueVersion",
    "CatalogueVersionItem",
    "CatalogueVersionItemAllowance",
    "CodeDeck",
    "CodeDeckEntry",
    "ExchangeRate",
    "ItemTerms",
    "Product",
    "ProductKind",
    "Rate",
    "RateBatchEdit",
    "RateExport",
    "RateFileTemplate",
    "RateImport",
    "RateImportRow",
    "RateNotice",
    "RateNoticeFile",
    "RateTable",
    "Relabelling",
    "TimeProfile",
]
