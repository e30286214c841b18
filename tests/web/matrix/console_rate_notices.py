from datetime import UTC, datetime

from catalogue.models import RateNotice
from customers.services.rate_notices import prepare_rate_notice, request_rate_notice
from tenancy.models import Provider
from tests.factories import make_customer, make_product, make_rate_table
from tests.web.matrix import Page, staff

NOON = datetime(2026, 10, 1, 12, tzinfo=UTC)


def prepared(provider: Provider) -> RateNotice:
    table = make_rate_table(make_product(provider), {"49": "0.05"})
    make_customer(provider, rate_table=table)
    notice = request_rate_notice(table=table, format=RateNotice.Format.CSV, at=NOON, actor_id=None)
    prepare_rate_notice(notice_id=notice.pk, at=NOON)
    return notice


def table(provider: Provider) -> dict[str, object]:
    return {"table_id": make_rate_table(make_product(provider)).pk}


def notice(provider: Provider) -> dict[str, object]:
    return {"notice_id": prepared(provider).pk}


def file(provider: Provider) -> dict[str, object]:
    return {"file_id": prepared(provider).files.get().pk}


def customer(provider: Provider) -> dict[str, object]:
    return {"customer_id": make_customer(provider).pk}


PAGES = {
    "console_rate_emails": Page(staff("catalogue.read")),
    "console_rate_notices": Page(staff("catalogue.read"), table),
    "console_rate_notice_create": Page(staff("catalogue.write"), table),
    "console_rate_notice": Page(staff("catalogue.read"), notice),
    "console_rate_notice_send": Page(staff("catalogue.write"), notice),
    "console_rate_notice_discard": Page(staff("catalogue.write"), notice),
    "console_rate_notice_file": Page(staff("catalogue.read"), file),
    "console_customer_rate_notices": Page(staff("customers.read"), customer),
}
