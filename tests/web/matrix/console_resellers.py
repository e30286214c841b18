from tenancy.models import Provider
from tests.factories import (
    make_billing_mode,
    make_code,
    make_product,
    make_rate_table,
    make_reseller,
    make_reseller_user,
    make_vendor,
    make_what_if,
)
from tests.web.matrix import Page, staff


def reseller(provider: Provider) -> dict[str, object]:
    return {"reseller_id": make_reseller(provider).pk}


def code(provider: Provider) -> dict[str, object]:
    code = make_code(make_reseller(provider))
    return {"reseller_id": code.reseller_id, "code_id": code.pk}


def billing_mode(provider: Provider) -> dict[str, object]:
    mode = make_billing_mode(make_reseller(provider), make_rate_table(make_product(provider)))
    return {"reseller_id": mode.reseller_id, "assignment_id": mode.pk}


def vendor(provider: Provider) -> dict[str, object]:
    return {"vendor_id": make_vendor(make_rate_table(make_product(provider))).pk}


def viewer(provider: Provider) -> dict[str, object]:
    user = make_reseller_user(make_reseller(provider)).reseller_user
    return {"reseller_id": user.reseller_id, "viewer_id": user.pk}


def what_if(provider: Provider) -> dict[str, object]:
    return {"what_if_id": make_what_if(make_reseller(provider)).pk}


PAGES = {
    "console_what_ifs": Page(staff("resellers.read")),
    "console_what_if_ask": Page(staff("resellers.write")),
    "console_what_if": Page(staff("resellers.read"), what_if),
    "console_what_if_progress": Page(staff("resellers.read"), what_if),
    "console_what_if_cancel": Page(staff("resellers.write"), what_if),
    "console_resellers": Page(staff("resellers.list")),
    "console_reseller_tree": Page(staff("resellers.list")),
    "console_reseller_create": Page(staff("resellers.write")),
    "console_reseller": Page(staff("resellers.read"), reseller),
    "console_reseller_edit": Page(staff("resellers.write"), reseller),
    "console_reseller_move": Page(staff("resellers.write"), reseller),
    "console_reseller_disable": Page(staff("resellers.write"), reseller),
    "console_reseller_enable": Page(staff("resellers.write"), reseller),
    "console_reseller_customers": Page(staff("customers.list"), reseller),
    "console_reseller_wholesale": Page(staff("invoices.read"), reseller),
    "console_reseller_commission": Page(staff("payouts.read"), reseller),
    "console_reseller_plan_create": Page(staff("payouts.write"), reseller),
    "console_reseller_payouts": Page(staff("payouts.read"), reseller),
    "console_reseller_portal": Page(staff("resellers.read"), reseller),
    "console_reseller_portal_edit": Page(staff("resellers.write"), reseller),
    "console_reseller_history": Page(staff("resellers.read"), reseller),
    "console_reseller_codes": Page(staff("resellers.read"), reseller),
    "console_reseller_code_create": Page(staff("resellers.write"), reseller),
    "console_reseller_code_publish": Page(staff("resellers.write"), code),
    "console_reseller_code_expiry": Page(staff("resellers.write"), code),
    "console_reseller_users": Page(staff("resellers.read"), reseller),
    "console_reseller_user_create": Page(staff("resellers.write"), reseller),
    "console_reseller_user_again": Page(staff("resellers.write"), viewer),
    "console_reseller_user_remove": Page(staff("resellers.write"), viewer),
    "console_reseller_billing_modes": Page(staff("resellers.read"), reseller),
    "console_reseller_billing_mode_assign": Page(staff("resellers.write"), reseller),
    "console_reseller_billing_mode_end": Page(staff("resellers.write"), billing_mode),
    "console_vendors": Page(staff("resellers.list")),
    "console_vendor_create": Page(staff("resellers.write")),
    "console_vendor_disable": Page(staff("resellers.write"), vendor),
}
