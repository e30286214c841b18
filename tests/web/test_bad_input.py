"""Every page that takes a POST, found by itself: what is not right is refused, and how."""

import inspect
from collections.abc import Iterator, Mapping
from html import unescape
from itertools import zip_longest
from typing import Any, cast

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoDbBlocker, Settings

from catalogue.models import CatalogueVersionItem
from customers.models import Customer
from tenancy.models import Provider
from tests.factories import make_customer, make_provider, make_staff, make_team_member
from tests.web.bad_input import LONG, NUL, always_wrong, is_shown_again, perhaps_wrong, plausible
from tests.web.list_pages import url_patterns
from tests.web.matrix import all_pages
from web.shared.form_fields import Form
from web.shared.form_pages import CONFIRMED

PAGES = all_pages()
# What leads to a form that is the second step of another.
QUERIES = {"account_centre_bulk_distribution": "?amount=50"}
WRITTEN = """
    SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_xact_user_tables
    WHERE relname <> 'django_session'
"""
# What was tried and taken back within the request counts there as well, but leaves no row.
ROWS = "SELECT count(*), max(xmin::text::bigint) FROM {}"


def taking_post() -> list[str]:
    """The URL names of pages whose `page_of` lets POST in, and of all that have none."""
    return [
        str(pattern.name)
        for pattern in url_patterns()
        if "POST" in inspect.getclosurevars(pattern.callback).nonlocals.get("methods", ("POST",))
        # Programs have no forms: what they send wrong is tried in tests/web/api.
        and not str(pattern.name).startswith("api_")
    ]


@pytest.fixture(scope="module")
def provider(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Provider]:
    """Built once for all tests here, in a transaction around theirs."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield make_provider()
        transaction.set_rollback(True)


def who_sees(name: str, provider: Provider, arguments: Mapping[str, Any]) -> Client:
    """A browser of who may open a page with rows just made: of their customer, or of the staff."""
    client = Client()
    if name.startswith("console_"):
        client.force_login(make_staff(provider))
    if name.startswith("account_centre_"):
        customer = Customer.objects.filter(provider=provider).order_by("pk").last()
        item = CatalogueVersionItem.objects.filter(pk=arguments.get("item_id", 0)).first()
        if item is not None or customer is None:
            catalogue = item and item.version.catalogue
            customer = make_customer(provider, custom_catalogue=catalogue)
        client.force_login(make_team_member(customer))
    return client


def form_of(response: Any) -> Form:
    """The form that a page shows; an empty one where it shows none."""
    context = getattr(response, "context", None)
    form = context.get("form") if context else None
    names = [form.add_prefix(name) for name in form.fields] if form else []
    source = response.content.decode(errors="replace")  # pictures, too
    is_shown = all(f'name="{name}' in source for name in names)
    return cast("Form", form) if names and is_shown else Form()


class Sender:
    """Sends to one page, takes back what came of it, and notes what should not have."""

    def __init__(self, client: Client, address: str, form: Form) -> None:
        self.client, self.address, self.form = client, address, form
        self.faults: list[str] = []
        self.right = {
            form.add_prefix(name): plausible(form[name])
            for name in form.fields
            if plausible(form[name]) is not None
        }

    def send_wrong(self, wrong: Mapping[str, Any]) -> None:
        """Send a form that is plausible but for some fields, each of which must be refused."""
        what = str({name: str(value)[:20] for name, value in wrong.items()})
        sent = {self.form.add_prefix(name): value for name, value in wrong.items()}
        response = self.send(what, {**self.right, **sent, CONFIRMED: "1"})
        if response is not None and response.status_code == 302:
            self.note(what, f"accepted, leads to {response['Location']}")
        elif response is not None:
            for name, value in wrong.items():
                self._check_message(response, name, value)

    def send(self, what: str, fields: Mapping[str, Any]) -> Any:
        """Send fields and take back what came of it; what is refused must have written nothing."""
        counts, response = written(), cast("Any", None)
        with transaction.atomic():
            try:
                response = self.client.post(self.address, fields)
            except Exception as error:
                self.note(what, f"{type(error).__name__}: {error}")
            tables = [table for table, count in written().items() if count != counts.get(table)]
            after = rows_of(tables)
            transaction.set_rollback(True)
        if response is not None and response.status_code != 302:
            if response.status_code not in (200, 400, 404, 405, 422):
                self.note(what, f"answers {response.status_code}")
            if after != rows_of(tables):
                self.note(what, f"refused, and wrote to {tables}")
        return response

    def _check_message(self, response: Any, name: str, value: Any) -> None:
        form, page = form_of(response), unescape(response.content.decode())
        what = f"{name}={str(value)[:20]!r}"
        if not form.errors.get(name):
            self.note(what, f"no error at the field but {dict(form.errors)}")
        elif not all(str(message) in page for message in form.errors[name]):
            self.note(what, f"does not show {form.errors[name]}")
        elif is_shown_again(form.fields[name], value) and value not in page:
            self.note(what, "forgot what was typed")

    def note(self, what: str, fault: str) -> None:
        self.faults.append(f"{what}: {fault[:300]}")


def written() -> Mapping[str, int]:
    """How often this transaction has tried to write to a table."""
    with connection.cursor() as cursor:
        cursor.execute(WRITTEN)
        return dict(cursor.fetchall())


def rows_of(tables: list[str]) -> list[tuple[int, int]]:
    """What changes with every row that is added, changed or removed."""
    with connection.cursor() as cursor:
        return [(cursor.execute(ROWS.format(table)), cursor.fetchone())[1] for table in tables]


@pytest.mark.django_db
@pytest.mark.parametrize("name", taking_post())
class TestEveryPageThatTakesAPost:
    def test_refuses_what_is_not_right(
        self, provider: Provider, settings: Settings, name: str
    ) -> None:
        settings.ACCOUNT_RATE_LIMITS = False
        arguments = PAGES[name].arguments(provider)
        client = who_sees(name, provider, arguments)
        address = reverse(name, kwargs=dict(arguments)) + QUERIES.get(name, "")
        sender = Sender(client, address, form_of(client.get(address)))

        sender.send("nothing", {})
        sender.send("everything unknown", dict.fromkeys(("garbage", CONFIRMED, NUL), LONG))
        fields = sender.form.fields
        for wrong in zip_longest(*(always_wrong(field) for field in fields.values())):
            pairs = zip(fields, wrong, strict=True)
            sender.send_wrong({name: value for name, value in pairs if value is not None})
        for field_name, field in fields.items():
            for value in perhaps_wrong(field):
                sent = {sender.form.add_prefix(field_name): value, CONFIRMED: "1"}
                sender.send(f"{field_name}={str(value)[:20]!r}", sender.right | sent)

        assert sender.faults == []
