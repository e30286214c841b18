"""An invoice and a credit note to print, without a database."""

from dataclasses import fields
from datetime import date
from decimal import Decimal
from typing import Any

from billing.selectors.details import (
    CreditNoteDetail,
    EstimateDetail,
    InvoiceDetail,
    LineDetail,
    LineGroup,
    TaxDetail,
)

SELLER = {
    "name": "Aurora Telecom GmbH",
    "address": "Invalidenstraße 35\n10115 Berlin",
    "country": "DE",
    "tax_number": "DE123456789",
    "registration": "HRB 184512 B",
    "email": "billing@aurora.example",
    "phone": "+49 30 5550 1234",
    "bank_details": "IBAN DE02 1203 0000 0000 2020 51",
    "accent_colour": "#0b6e6e",
}
BUYER = {
    "number": "10042",
    "name": "Hansen & Söhne KG",
    "contact": "Carla Hansen",
    "address": "Nebenstraße 2\n10117 Berlin",
    "country": "DE",
    "tax_number": "",
    "email": "carla@hansen.example",
    "phone": "",
    "tax_category": "STANDARD",
}


def usage_line(destination: str = "Germany mobile", **fields: Any) -> LineDetail:
    values: dict[str, Any] = {
        "net_amount": Decimal("12.34"),
        "product_name": "Voice",
        "call_count": 17,
        "billed_volume": 12345,
        "volume_unit": "second",
    }
    return LineDetail(description=destination, **values | fields)


def charge_line(description: str = "Business Line", **fields: Any) -> LineDetail:
    values: dict[str, Any] = {
        "net_amount": Decimal("99.80"),
        "quantity": Decimal("2.0000"),
        "unit_price": Decimal("49.90000000"),
    }
    return LineDetail(description=description, **values | fields)


def invoice_detail(*groups: LineGroup, **fields: Any) -> InvoiceDetail:
    """Over the groups given, by default a charge and a destination; 19 % tax."""
    shown = groups or (
        LineGroup("RECURRING", (charge_line(),)),
        LineGroup("USAGE", (usage_line(),)),
    )
    net = sum((group.net_amount for group in shown), Decimal(0))
    tax = round(net * 19 / 100, 2)
    values: dict[str, Any] = {
        "invoice_id": 1,
        "kind": "CUSTOMER",
        "number": "INV-2026-000042",
        "currency": "EUR",
        "issue_date": date(2026, 11, 3),
        "due_date": date(2026, 11, 17),
        "period_from": date(2026, 10, 1),
        "period_to": date(2026, 11, 1),
        "seller": SELLER,
        "buyer": BUYER,
        "groups": shown,
        "taxes": (TaxDetail("VAT", Decimal("19.0000"), tax, net),),
        "net_amount": net,
        "tax_amount": tax,
        "gross_amount": net + tax,
    }
    return InvoiceDetail(**values | fields)


def estimate_detail() -> EstimateDetail:
    """`invoice_detail` before it is issued."""
    issued = invoice_detail()
    names = [field.name for field in fields(EstimateDetail)]
    return EstimateDetail(**{name: getattr(issued, name) for name in names})


def credit_note_detail(**fields: Any) -> CreditNoteDetail:
    """100.00 and 19 % tax, of which 20.00 was paid already."""
    values: dict[str, Any] = {
        "credit_note_id": 1,
        "number": "CN-2026-000007",
        "currency": "EUR",
        "issue_date": date(2026, 11, 25),
        "reason": "Billed twice",
        "invoice_number": "INV-2026-000042",
        "invoice_issue_date": date(2026, 11, 3),
        "seller": SELLER,
        "buyer": BUYER,
        "lines": (),
        "taxes": (TaxDetail("VAT", Decimal(19), Decimal(19)),),
        "net_amount": Decimal(100),
        "tax_amount": Decimal(19),
        "gross_amount": Decimal(119),
        "excess_amount": Decimal(20),
    }
    return CreditNoteDetail(**values | fields)
