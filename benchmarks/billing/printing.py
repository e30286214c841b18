"""The measuring itself, once Django is set up."""

import argparse
import json
import statistics
import time
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from io import BytesIO

from pypdf import PdfReader

from billing.documents import render_invoice
from billing.selectors.details import InvoiceDetail, LineDetail, LineGroup, TaxDetail

DESTINATIONS = (
    "Germany fixed|Germany mobile Vodafone|Germany mobile Telekom|Austria fixed|Austria Vienna|"
    "Belgium fixed|Belgium mobile Proximus|Czech Republic|Denmark fixed|Denmark mobile|"
    "Finland mobile|France fixed|France mobile Orange|Greece Athens|Ireland mobile|Italy fixed|"
    "Italy mobile TIM|Netherlands fixed|Netherlands mobile|Poland mobile|Portugal fixed|"
    "Spain mobile Movistar|Sweden fixed|Switzerland Zurich|United Kingdom London"
).split("|")
PARTY = {
    "number": "10042",
    "name": "Hansen & Söhne KG",
    "contact": "Carla Hansen",
    "address": "Nebenstraße 2\n10117 Berlin",
    "country": "DE",
    "tax_number": "DE987654321",
    "email": "billing@example.com",
    "phone": "+49 30 5550 1234",
    "registration": "HRB 184512 B",
    "bank_details": "IBAN DE02 1203 0000 0000 2020 51\nBIC BYLADEM1001",
    "accent_colour": "#0b6e6e",
}


@dataclass(frozen=True)
class Figures:
    """`per_second` is of one core; CPU time leaves out what other processes took from it."""

    pages: int
    count: int
    median_milliseconds: float
    per_second: float
    per_cpu_second: float


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.pdf")
    parser.add_argument("--count", type=int, default=60)
    count = parser.parse_args().count
    print(json.dumps(asdict(measure(count))))


def measure(count: int) -> Figures:

    detail = make_detail()
    pages = len(PdfReader(BytesIO(render_invoice(detail))).pages)
    assert pages == 2, pages
    seconds = []
    cpu = time.process_time()
    for _ in range(count):
        clock = time.perf_counter()
        render_invoice(detail)
        seconds.append(time.perf_counter() - clock)
    cpu = time.process_time() - cpu
    return Figures(
        pages=pages,
        count=count,
        median_milliseconds=round(statistics.median(seconds) * 1000, 1),
        per_second=round(count / sum(seconds), 1),
        per_cpu_second=round(count / cpu, 1),
    )


def make_detail() -> InvoiceDetail:

    usage = tuple(
        LineDetail(
            name,
            Decimal(number * 1234) / 100,
            "Voice",
            call_count=number * 17,
            billed_volume=number * 12_345,
            volume_unit="second",
        )
        for number, name in enumerate(DESTINATIONS, start=1)
    )
    charge = LineDetail(
        "Business Line, 2026-10-01 to 2026-10-31",
        Decimal("49.90"),
        quantity=Decimal(1),
        unit_price=Decimal("49.90"),
    )
    groups = (
        LineGroup("RECURRING", (charge,)),
        LineGroup("USAGE", usage),
        LineGroup("ONE_TIME", (charge,)),
    )
    net = sum((group.net_amount for group in groups), Decimal(0))
    tax = round(net * 19 / 100, 2)
    return InvoiceDetail(
        invoice_id=1,
        kind="CUSTOMER",
        number="INV-2026-000042",
        currency="EUR",
        issue_date=date(2026, 11, 3),
        due_date=date(2026, 11, 17),
        period_from=date(2026, 10, 1),
        period_to=date(2026, 11, 1),
        seller=PARTY | {"name": "Aurora Telecom GmbH"},
        buyer=PARTY,
        groups=groups,
        taxes=(TaxDetail("VAT", Decimal(19), tax, net),),
        net_amount=net,
        tax_amount=tax,
        gross_amount=net + tax,
    )
