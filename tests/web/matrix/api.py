"""The API knows no session: whoever has signed in is a stranger without a token.

What tokens open is in `tests/web/api/test_scopes.py`.
"""

from cdr.models import Suspense, Xdr
from cdr.rules.xdr_keys import format_xdr_key
from tenancy.models import Provider
from tests import factories
from tests.factories.cdr import CALL_AT, Call, import_lines
from tests.factories.mending import mend
from tests.web.matrix import Page

STRANGERS = {"anonymous": 401, "signed in": 401}
EVERYBODY = {"anonymous": 200, "signed in": 200}


def table(provider: Provider) -> dict[str, object]:
    return {"table_id": factories.make_rate_table(factories.make_product(provider), {"49": "1"}).pk}


def file(provider: Provider) -> dict[str, object]:
    voice = factories.make_product(provider)
    vendor = factories.make_vendor(factories.make_rate_table(voice))
    return {"file_id": import_lines(factories.make_source(voice, vendor), [Call()]).pk}


def xdr(provider: Provider) -> dict[str, object]:
    file(provider)
    row = Xdr.objects.get(provider=provider, started_at=CALL_AT)
    return {"xdr_id": format_xdr_key(row.started_at, row.id)}


def suspended(provider: Provider) -> dict[str, object]:
    voice = factories.make_product(provider)
    source = factories.make_source(voice, factories.make_vendor(factories.make_rate_table(voice)))
    import_lines(source, [Call(account="nobody")])
    return {"suspense_id": Suspense.objects.get(provider=provider).pk}


def mending(provider: Provider) -> dict[str, object]:
    suspended(provider)
    return {"mending_id": mend(provider).pk}


PAGES = {
    "api_reference": Page(EVERYBODY),
    "api_schema": Page(EVERYBODY),
    "api_nowhere": Page(
        {"anonymous": 404, "signed in": 404}, lambda provider: {"rest": "v1/nothing"}
    ),
    "api_quote": Page(STRANGERS),
    "api_xdrs": Page(STRANGERS),
    "api_xdr": Page(STRANGERS, xdr),
    "api_xdr_explain": Page(STRANGERS, xdr),
    "api_xdr_files": Page(STRANGERS),
    "api_xdr_file": Page(STRANGERS, file),
    "api_xdr_file_start_again": Page(STRANGERS, file),
    "api_suspense": Page(STRANGERS),
    "api_suspense_groups": Page(STRANGERS),
    "api_suspense_preview": Page(STRANGERS),
    "api_suspense_row": Page(STRANGERS, suspended),
    "api_mendings": Page(STRANGERS),
    "api_mending": Page(STRANGERS, mending),
    "api_mending_take_back": Page(STRANGERS, mending),
    "api_mending_start_again": Page(STRANGERS, mending),
    "api_rate_tables": Page(STRANGERS),
    "api_rate_table": Page(STRANGERS, table),
    "api_rates": Page(STRANGERS, table),
}
