"""The measuring itself, once the settings name the engines."""

import argparse
import gc
import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client

from benchmarks.lists import books, prices
from benchmarks.lists.measure import Measured, measure
from benchmarks.lists.world import SURFACES, Size, make_world, sign_in
from billing.models import BillRun, Invoice
from catalogue.models import Catalogue, CatalogueVersion, RateTable
from cdr.models import Leg, UsageCharge, Xdr
from customers.models import Customer
from resellers.models import Reseller
from tenancy.models import Provider, User
from tests.web.list_pages import all_list_pages

LARGE, NEIGHBOUR = "bench", "neighbour"
# The neighbour is filled last: where the last rows come first, its own lie in front.
NEIGHBOURS_PART = 10
MOST_MILLISECONDS = 150


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.list_pages")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--xdrs", type=int, default=1_000_000)
    parser.add_argument("--customers", type=int, default=5_000)
    parser.add_argument("--resellers", type=int, default=200)
    parser.add_argument("--prefixes", type=int, default=20_000)
    parser.add_argument("--requests", type=int, default=30)
    parser.add_argument("--only", default="", help="lists whose URL name begins so")
    options = parser.parse_args()
    settings.ALLOWED_HOSTS = ["testserver"]
    call_command("migrate", verbosity=0)
    if not Provider.objects.filter(slug=NEIGHBOUR).exists():
        size = Size(options.xdrs, options.customers, options.resellers, options.prefixes)
        fill(LARGE, size, options.folder)
        fill(NEIGHBOUR, size.part(NEIGHBOURS_PART), options.folder)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    print(json.dumps(figures(Provider.objects.get(slug=LARGE), options), indent=2))


def fill(slug: str, size: Size, folder: Path) -> None:
    """A provider of that size, and all that happened at it."""
    source = make_world(slug, size)
    books.import_calls(source, folder, size.xdrs, size.customers)
    books.bill(source.provider)
    books.take_payments(source.provider)
    books.write_credit_notes(source.provider)
    books.state_payouts(source.provider)
    books.hear_from_gateway(source.provider)
    prices.keep_prices(source.provider)


def figures(provider: Provider, options: argparse.Namespace) -> dict[str, object]:
    """Milliseconds of every list, and of the slowest; the rows they are made from."""
    clients, arguments = people(provider), hub(provider)
    measured: dict[str, Measured] = {}
    pages = all_list_pages()
    gc.freeze()  # as `config.wsgi` does
    for page in pages:
        if page.name.startswith(options.only):
            [client] = (one for start, one in clients.items() if page.name.startswith(start))
            measured[page.name] = measure(client, page, arguments, options.requests)
    worst = max(measured, key=lambda name: measured[name].p95)
    counted = {"xdrs": Xdr, "legs": Leg, "usage_charges": UsageCharge, "invoices": Invoice}
    return {
        **{
            name: model.objects.filter(provider=provider).count() for name, model in counted.items()
        },
        "requests": options.requests,
        "load": os.getloadavg()[0],
        "worst_cpu": max(figure.cpu for figure in measured.values()),
        "pages": {name: asdict(figure) for name, figure in measured.items()},
        "worst": worst,
        "worst_p95": measured[worst].p95,
        "within_target": measured[worst].p95 < MOST_MILLISECONDS,
    }


def people(provider: Provider) -> Mapping[str, Client]:
    """Browsers of an administrator, of a customer with much, and of its reseller, by surface."""
    clients = {}
    for surface in SURFACES:
        clients[surface] = Client()
        clients[surface].force_login(User.objects.get(email=sign_in(surface, provider)))
    return clients


def hub(provider: Provider) -> Mapping[str, object]:
    """The rows with the most below them, by the arguments of addresses."""
    catalogue = Catalogue.objects.get(provider=provider)
    return {
        "customer_id": first_customer(provider).pk,
        "reseller_id": first_reseller(provider).pk,
        "table_id": RateTable.objects.filter(provider=provider).order_by("pk")[0].pk,
        "catalogue_id": catalogue.pk,
        "version_id": CatalogueVersion.objects.get(catalogue=catalogue).pk,
        "month": "2026-10",
        "run_id": BillRun.objects.get(provider=provider, state=BillRun.State.REVIEW).pk,
        **prices.kept(provider),
    }


def first_customer(provider: Provider) -> Customer:
    return Customer.objects.get(provider=provider, number=1)


def first_reseller(provider: Provider) -> Reseller:
    return Reseller.objects.filter(provider=provider).order_by("pk")[0]
