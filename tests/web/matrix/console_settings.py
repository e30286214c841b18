from tenancy.models import Membership, Provider, Role
from tests.factories import make_biller_entity, make_staff, make_tax_profile
from tests.web.matrix import Page, staff


def membership(provider: Provider) -> dict[str, object]:
    return {"membership_id": Membership.objects.get(user=make_staff(provider)).pk}


def role(provider: Provider) -> dict[str, object]:
    own = Role.objects.create(provider=provider, name="Cashier", permissions=["money.read"])
    return {"role_id": own.pk}


def entity(provider: Provider) -> dict[str, object]:
    return {"entity_id": make_biller_entity(provider, name="Second", is_default=False).pk}


def series(provider: Provider) -> dict[str, object]:
    return {**entity(provider), "kind": "INVOICE"}


def tax(provider: Provider) -> dict[str, object]:
    return {"tax_id": make_tax_profile(provider, "19").taxes.get().pk}


PAGES = {
    "console_provider": Page(staff("settings.read")),
    "console_provider_edit": Page(staff("settings.write")),
    "console_biller_entities": Page(staff("settings.list")),
    "console_biller_entity_create": Page(staff("settings.write")),
    "console_biller_entity": Page(staff("settings.read"), entity),
    "console_biller_entity_edit": Page(staff("settings.write"), entity),
    "console_biller_entity_default": Page(staff("settings.write"), entity),
    "console_series_edit": Page(staff("settings.write"), series),
    "console_taxes": Page(staff("settings.list")),
    "console_tax_create": Page(staff("settings.write")),
    "console_tax": Page(staff("settings.write"), tax),
    "console_reseller_module": Page(staff("settings.read")),
    "console_reseller_module_edit": Page(staff("settings.write")),
    "console_users": Page(staff("settings.list")),
    "console_user_invite": Page(staff("settings.write")),
    "console_user": Page(staff("settings.read"), membership),
    "console_user_role": Page(staff("settings.write"), membership),
    "console_user_withdraw": Page(staff("settings.write"), membership),
    "console_user_restore": Page(staff("settings.write"), membership),
    "console_user_factors": Page(staff("settings.write"), membership),
    "console_user_reinvite": Page(staff("settings.write"), membership),
    # For who has just invited somebody, without any mail.
    "console_user_link": Page({**staff("settings.write"), "Admin": 404}, membership),
    "console_roles": Page(staff("settings.list")),
    "console_role_create": Page(staff("settings.write")),
    "console_role": Page(staff("settings.read"), role),
    "console_role_edit": Page(staff("settings.write"), role),
    "console_role_delete": Page(staff("settings.write"), role),
    "console_audit_log": Page(staff("settings.read")),
    "console_sign_up": Page(staff("settings.read")),
    "console_sign_up_edit": Page(staff("settings.write")),
    "console_sign_up_terms": Page(staff("settings.write")),
    "console_second_factor_ask": Page(staff("settings.write")),
    "console_second_factor_leave": Page(staff("settings.write")),
    "console_brand": Page(staff("settings.read")),
    "console_brand_edit": Page(staff("settings.write")),
}
