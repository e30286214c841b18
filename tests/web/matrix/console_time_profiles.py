from tenancy.models import Provider
from tests.factories import make_time_profile
from tests.web.matrix import Page, staff


def profile(provider: Provider) -> dict[str, object]:
    made = make_time_profile(provider, "Mon-Fri 08:00-20:00;12-25 00:00-24:00")
    return {"profile_id": made.pk}


PAGES = {
    "console_time_profiles": Page(staff("catalogue.read")),
    "console_time_profile_create": Page(staff("catalogue.write")),
    "console_time_profile": Page(staff("catalogue.read"), profile),
    "console_time_profile_change": Page(staff("catalogue.write"), profile),
    "console_time_profile_delete": Page(staff("catalogue.write"), profile),
}
