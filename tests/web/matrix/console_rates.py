from datetime import UTC, datetime

from django.core.cache import cache

from catalogue.models import RateExport, RateTable
from catalogue.rules.rate_edits import RateEdit
from catalogue.services.rate_edits import ask_for_rate_edit, make_rate_edit
from catalogue.services.rate_exports import request_rate_export, write_rate_export
from tenancy.models import Provider
from tests.factories import make_product, make_rate_table
from tests.web.matrix import Page, staff

OCTOBER = datetime(2026, 10, 1, tzinfo=UTC)

START = datetime(2026, 10, 1, tzinfo=UTC)


def made(provider: Provider) -> RateTable:
    return make_rate_table(make_product(provider), {"49": "0.05"})


def table(provider: Provider) -> dict[str, object]:
    return {"table_id": made(provider).pk}


def rate(provider: Provider) -> dict[str, object]:
    return {"rate_id": made(provider).rates.get().pk}


def export(provider: Provider) -> dict[str, object]:
    asked = request_rate_export(
        table=made(provider),
        format=RateExport.Format.CSV,
        prefix_layout=RateExport.PrefixLayout.ROWS,
        in_force_at=None,
        at=OCTOBER,
        actor_id=None,
    )
    write_rate_export(export_id=asked.pk, at=OCTOBER)
    return {"export_id": asked.pk}


def sent_file(provider: Provider) -> dict[str, object]:
    table_id = made(provider).pk
    sent = {"name": "rates.csv", "text": "prefix,rate\n49,1\n", "default_start": OCTOBER}
    cache.set(f"rate-file:{provider.pk}:{table_id}:token", sent)
    return {"table_id": table_id, "token": "token"}


def prefix(provider: Provider) -> dict[str, object]:
    return {**table(provider), "prefix": "49"}


def batch_edit(provider: Provider) -> dict[str, object]:
    rate = made(provider).rates.get()
    edit = ask_for_rate_edit(
        table=rate.rate_table,
        rate_ids=[rate.pk],
        edit=RateEdit(values={"minimum": 60}),
        at=START,
        actor_id=None,
    )
    make_rate_edit(edit_id=edit.pk, at=START)
    return {"edit_id": edit.pk}


PAGES = {
    "console_quote": Page(staff("catalogue.read")),
    "console_rate_tables": Page(staff("catalogue.read")),
    "console_rate_table_create": Page(staff("catalogue.write")),
    "console_rates": Page(staff("catalogue.read"), table),
    "console_rate_create": Page(staff("catalogue.write"), table),
    "console_rate_edit": Page(staff("catalogue.write"), table),
    "console_rate_batch_edit": Page(staff("catalogue.read"), batch_edit),
    "console_rate_batch_edit_state": Page(staff("catalogue.read"), batch_edit),
    "console_rate_affected": Page(staff("usage.read"), rate),
    "console_rate_edit_affected": Page(staff("usage.read"), batch_edit),
    "console_rates_at": Page(staff("catalogue.read"), table),
    "console_rate_history": Page(staff("catalogue.read"), prefix),
    "console_rate_comparison": Page(staff("catalogue.read")),
    "console_rate_price": Page(staff("catalogue.read"), table),
    "console_rate": Page(staff("catalogue.read"), rate),
    "console_rate_change": Page(staff("catalogue.write"), rate),
    "console_rate_close": Page(staff("catalogue.write"), rate),
    "console_rate_import": Page(staff("catalogue.write"), table),
    "console_rate_import_plan": Page(staff("catalogue.write"), sent_file),
    "console_rates_export": Page(staff("catalogue.read"), table),
    "console_rate_export": Page(staff("catalogue.read"), export),
    "console_rate_export_file": Page(staff("catalogue.read"), export),
}
