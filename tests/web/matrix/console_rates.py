from datetime import UTC, datetime, timedelta

from catalogue.models import RateExport, RateTable
from catalogue.rules.rate_edits import RateEdit
from catalogue.rules.rate_layouts import ImportOptions, Layout
from catalogue.services.rate_edits import ask_for_rate_edit, make_rate_edit
from catalogue.services.rate_exports import request_rate_export, write_rate_export
from catalogue.services.rate_file_templates import save_template
from tenancy.models import Provider
from tests.factories import make_product, make_rate_table
from tests.factories.rate_files import AT, compare_rates, import_rates, receive_rates
from tests.web.matrix import Page, staff

OCTOBER = datetime(2026, 10, 1, tzinfo=UTC)
FILE = "prefix,rate,destination\n49,0.06,Germany\n"

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


def template(provider: Provider) -> dict[str, object]:
    kept = save_template(
        provider_id=provider.pk,
        name="Vendor",
        layout=Layout(columns={"prefix": "Code", "rate": "Price"}),
        options=ImportOptions(),
        at=AT,
        actor_id=None,
    )
    return {"template_id": kept.pk}


def received(provider: Provider) -> dict[str, object]:
    return {"import_id": receive_rates(made(provider), FILE).pk}


def compared(provider: Provider) -> dict[str, object]:
    return {"import_id": compare_rates(made(provider), FILE).pk}


def imported_for_the_past(provider: Provider) -> dict[str, object]:
    later = AT + timedelta(days=1)
    return {"import_id": import_rates(made(provider), FILE, at=later).pk}


def imported(provider: Provider) -> dict[str, object]:
    return {"import_id": import_rates(made(provider), FILE).pk}


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
    "console_rate_table_change": Page(staff("catalogue.write"), table),
    "console_rate_table_affected": Page(staff("usage.read"), table),
    "console_rates": Page(staff("catalogue.read"), table),
    "console_rate_create": Page(staff("catalogue.write"), table),
    "console_rate_edits": Page(staff("catalogue.read"), table),
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
    "console_rate_import_upload": Page(staff("catalogue.write"), table),
    "console_rate_imports": Page(staff("catalogue.read"), table),
    "console_rate_import_columns": Page(staff("catalogue.write"), received),
    "console_rate_import": Page(staff("catalogue.read"), compared),
    "console_rate_import_progress": Page(staff("catalogue.read"), compared),
    "console_rate_import_file": Page(staff("catalogue.read"), compared),
    "console_rate_import_all_rows": Page(staff("catalogue.read"), compared),
    "console_rate_import_affected": Page(staff("usage.read"), imported_for_the_past),
    "console_rate_import_confirm": Page(staff("catalogue.write"), compared),
    "console_rate_import_discard": Page(staff("catalogue.write"), compared),
    "console_rate_import_undo": Page(staff("catalogue.write"), imported),
    "console_rate_file_templates": Page(staff("catalogue.read")),
    "console_rate_file_template_delete": Page(staff("catalogue.write"), template),
    "console_rates_export": Page(staff("catalogue.read"), table),
    "console_rate_export": Page(staff("catalogue.read"), export),
    "console_rate_export_file": Page(staff("catalogue.read"), export),
}
