import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from audit.models import Entry
from payouts.models import PayoutStatement, StatementDocument
from resellers.models import Reseller
from tests.factories import make_code, make_customer, make_provider, make_reseller
from tests.factories.payouts import day, issue, make_plan, pay

pytestmark = pytest.mark.django_db


@pytest.fixture
def reseller() -> Reseller:
    """Has earned 50.00 EUR of what a customer paid in March 2026."""
    reseller = make_reseller(make_provider("aurora"), number=7, organisation="Zenith Partners")
    make_code(reseller, "ZENITH")
    make_plan(reseller)
    customer = make_customer(reseller.provider, reseller)
    issue(customer, at=day(3, 1))
    pay(customer, "590", at=day(3, 20))
    return reseller


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("payout_statements", "--provider=aurora", *arguments, stdout=out)
    return out.getvalue()


class TestPayoutStatements:
    def test_accrues_prepares_and_shows(self, reseller: Reseller) -> None:
        text = run("--period=2026-03")

        assert "Zenith Partners" in text
        assert "50.00" in text
        assert PayoutStatement.objects.get().state == PayoutStatement.State.DRAFT

    def test_approves_and_writes_what_was_approved(
        self, reseller: Reseller, tmp_path: Path
    ) -> None:
        run("--period=2026-03", "--approve", f"--output={tmp_path / 'new'}")

        statement = PayoutStatement.objects.get()
        assert statement.state == PayoutStatement.State.APPROVED
        pdf = tmp_path / "new" / "aurora-payout-2026-03-7-EUR.pdf"
        assert pdf.read_bytes() == statement.document.pdf
        csv = pdf.with_suffix(".csv").read_text()
        assert csv.count("\n") == 2
        assert csv.endswith(",500.00,10.0000,50.00,EUR\n")

    def test_changes_nothing_the_second_time(self, reseller: Reseller, tmp_path: Path) -> None:
        arguments = ("--period=2026-03", "--approve", f"--output={tmp_path}")
        first = run(*arguments)
        entries, documents = Entry.objects.count(), StatementDocument.objects.count()

        assert run(*arguments) == first
        assert (Entry.objects.count(), StatementDocument.objects.count()) == (entries, documents)

    @pytest.mark.parametrize("named", ["zenith", "7"])
    def test_takes_one_reseller_by_code_or_number(self, reseller: Reseller, named: str) -> None:
        other = make_reseller(reseller.provider)
        make_plan(other)
        theirs = make_customer(reseller.provider, other)
        issue(theirs, at=day(3, 1))
        pay(theirs, "1180", at=day(3, 2))

        run("--period=2026-03", f"--reseller={named}")

        assert PayoutStatement.objects.get().reseller == reseller

    def test_says_so_where_there_is_nothing_to_state(self, reseller: Reseller) -> None:
        assert "There is no statement" in run("--period=2026-02")
        assert not PayoutStatement.objects.exists()

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--period=March"], "'March' is not a month"),
            (["--period=2999-01"], "has not begun for"),
            (["--period=2026-03", "--provider=other"], "Providers: aurora"),
            (["--period=2026-03", "--reseller=NOBODY"], r"Resellers: 7 \(Zenith Partners\)"),
        ],
    )
    def test_refuses_bad_input_with_status_2(
        self, reseller: Reseller, arguments: list[str], message: str
    ) -> None:
        with pytest.raises(CommandError, match=message) as refused:
            run(*arguments)

        assert refused.value.returncode == 2
        assert not PayoutStatement.objects.exists()

    def test_refuses_to_start_from_a_draft_with_status_2(self, reseller: Reseller) -> None:
        run("--period=2026-03")

        with pytest.raises(CommandError, match="approve it first") as refused:
            run("--period=2026-04")

        assert refused.value.returncode == 2
        assert PayoutStatement.objects.count() == 1
