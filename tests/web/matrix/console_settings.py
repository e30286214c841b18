from tenancy.models import Membership, Provider, Role
from tests.factories import make_staff
from tests.web.matrix import Page, staff


def membership(provider: Provider) -> dict[str, object]:
    return {"membership_id": Membership.objects.get(user=make_staff(provider)).pk}


def role(provider: Provider) -> dict[str, object]:
    own = Role.objects.create(provider=provider, name="Cashier", permissions=["money.read"])
    return {"role_id": own.pk}


PAGES = {
    "console_users": Page(staff("settings.list")),
    "console_user_invite": Page(staff("settings.write")),
    "console_user": Page(staff("settings.read"), membership),
    "console_user_role": Page(staff("settings.write"), membership),
    "console_user_withdraw": Page(staff("settings.write"), membership),
    "console_user_restore": Page(staff("settings.write"), membership),
    "console_user_reinvite": Page(staff("settings.write"), membership),
    # For who has just invited somebody, without any mail.
    "console_user_link": Page({**staff("settings.write"), "Admin": 404}, membership),
    "console_roles": Page(staff("settings.list")),
    "console_role_create": Page(staff("settings.write")),
    "console_role": Page(staff("settings.read"), role),
    "console_role_edit": Page(staff("settings.write"), role),
    "console_role_delete": Page(staff("settings.write"), role),
}
