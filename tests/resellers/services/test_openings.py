import pytest

from audit.models import Entry
from resellers.models import Reseller
from resellers.services.openings import change_openings
from tests.factories import LONG_AGO, make_provider, make_reseller, make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def reseller() -> Reseller:
    return make_reseller(make_provider(), sees_branch=True)


class TestChangeOpenings:
    def test_opens_what_is_named_and_closes_the_rest(self, reseller: Reseller) -> None:
        change_openings(
            reseller=reseller,
            opened={"sees_usage_totals", "sees_commission"},
            at=LONG_AGO,
            actor_id=None,
        )

        reseller.refresh_from_db()
        assert reseller.sees_usage_totals
        assert reseller.sees_commission
        assert not reseller.sees_branch
        assert not reseller.sees_invoice_status

    def test_records_who_changed_what(self, reseller: Reseller) -> None:
        staff = make_staff(reseller.provider)

        change_openings(
            reseller=reseller,
            opened={"sees_branch", "sees_invoice_status"},
            at=LONG_AGO,
            actor_id=staff.pk,
        )

        entry = Entry.objects.get(action="reseller.portal_changed")
        assert (entry.actor_id, entry.object_id) == (staff.pk, str(reseller.pk))
        assert entry.before == {"sees_invoice_status": "False"}
        assert entry.after == {"sees_invoice_status": "True"}

    def test_records_nothing_where_nothing_changes(self, reseller: Reseller) -> None:
        change_openings(reseller=reseller, opened={"sees_branch"}, at=LONG_AGO, actor_id=None)

        assert not Entry.objects.filter(action="reseller.portal_changed").exists()

    def test_knows_no_other_opening(self, reseller: Reseller) -> None:
        with pytest.raises(AssertionError):
            change_openings(reseller=reseller, opened={"state"}, at=LONG_AGO, actor_id=None)
