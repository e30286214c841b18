from tests.web.matrix import Page, staff
from tests.web.matrix.console_customers import customer

PAGES = {
    "console_charges": Page(staff("invoices.list")),
    "console_customer_unbilled": Page(staff("invoices.read"), customer),
    "console_charge_create": Page(staff("invoices.write"), customer),
}
