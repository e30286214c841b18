"""Found a provider and its first administrator."""

import os
import sys
from argparse import ArgumentParser
from getpass import getpass
from typing import Any

from django.db import transaction

from common import clock
from common.commands import Refused, TollgateCommand
from tenancy.models import Role
from tenancy.rules.permissions import ADMIN
from tenancy.services import providers
from tenancy.services.staff import add_staff_member

PASSWORD_VARIABLE = "ADMIN_PASSWORD"  # noqa: S105 - its name, not a password


class Command(TollgateCommand):
    help = (
        "Found a provider with the built-in roles, the seller its invoices name, and its first "
        f"administrator, whose password is asked for, or taken from {PASSWORD_VARIABLE}."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="short name in addresses and commands, e.g. aurora")
        parser.add_argument("--name", required=True, help="name people know, e.g. Aurora Telecom")
        parser.add_argument("--currency", required=True, help="ISO 4217, e.g. EUR")
        parser.add_argument("--time-zone", required=True, help="e.g. Europe/Berlin")
        parser.add_argument("--legal-name", help="seller on invoices; by default the name")
        parser.add_argument("--address", required=True, help=r"of the seller; \n begins a new line")
        parser.add_argument("--country", required=True, help="of the seller, ISO 3166, e.g. DE")
        parser.add_argument("--tax-number", required=True, help="of the seller, e.g. DE123456789")
        parser.add_argument("--admin-email", required=True, help="the first administrator")
        parser.add_argument("--admin-name", default="")
        parser.add_argument("--billing-email", help="on invoices; by default the administrator's")

    def handle(self, *_: Any, **options: Any) -> None:
        password = _password()
        at = clock.now()
        with transaction.atomic():
            provider = providers.create_provider(
                slug=options["slug"],
                name=options["name"],
                currency=options["currency"],
                time_zone=options["time_zone"],
                seller=providers.Seller(
                    name=options["legal_name"] or options["name"],
                    address=options["address"].replace("\\n", "\n"),
                    country=options["country"],
                    tax_number=options["tax_number"],
                    email=options["billing_email"] or options["admin_email"],
                ),
                at=at,
            )
            admin = add_staff_member(
                provider_id=provider.pk,
                email=options["admin_email"],
                name=options["admin_name"],
                password=password,
                role_id=Role.objects.get(provider=provider, name=ADMIN).pk,
                at=at,
                actor_id=None,
            )
        self.stdout.write(f"{provider} is there as '{provider.slug}'; {admin.user} may sign in.")


def _password() -> str:
    """Never an argument, which everybody on the machine could read."""
    password = os.environ.get(PASSWORD_VARIABLE)
    if password is None and not sys.stdin.isatty():
        raise Refused(f"There is nobody to ask for a password; set {PASSWORD_VARIABLE}.")
    if password is None:
        password = getpass("Password of the administrator: ")
        if getpass("The same again: ") != password:
            raise Refused("The two passwords differ; start again.")
    return password
