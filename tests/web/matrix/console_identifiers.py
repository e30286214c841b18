from tenancy.models import Provider
from tests.factories import make_customer, make_identifier
from tests.web.matrix import Page, staff
from tests.web.matrix.console_customers import customer


def identifier(provider: Provider) -> dict[str, object]:
    row = make_identifier(make_customer(provider), "carla")
    return {"customer_id": row.customer_id, "identifier_id": row.pk}


PAGES = {
    "console_identifiers": Page(staff("customers.read"), customer),
    "console_identifier_give": Page(staff("customers.write"), customer),
    "console_identifier_tags": Page(staff("customers.write"), identifier),
    "console_identifier_subscription": Page(staff("customers.write"), identifier),
    "console_identifier_take": Page(staff("customers.write"), identifier),
}
