"""Usage in the console: a file watched while it is rated, what it left in suspense, and rates."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from pytest_django import Settings

from cdr.models import Leg, Suspense, XdrFile
from tests.e2e.background import Background, Calendar
from tests.e2e.steps import PAIRS, click, fill, follow, go_to, press, upload_usage
from tests.e2e.visits import Visit
from tests.e2e.world import Aurora, make_aurora, make_colleague
from tests.factories import make_customer, make_identifier
from tests.factories.cdr import Call, file_of

pytestmark = pytest.mark.django_db(transaction=True)
Visits = Callable[..., Visit]
SCRIPT = pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
CHINA = "8613800000000"
RATES = b"prefix,rate,destination\n86,0.04,China\n49,0.016,Germany\n4a,0.02,Nowhere\n"


@pytest.fixture
def aurora(calendar: Calendar, settings: Settings) -> Aurora:
    """With a customer whose account code is `nordwind`; files are cut into chunks of four lines."""
    settings.XDR_CHUNK_LINES = 4
    aurora = make_aurora()
    make_identifier(make_customer(aurora.provider, organisation="Nordwind"), "nordwind")
    return aurora


def calls(count: int) -> list[Call | str]:
    return [Call(account="nordwind", seconds=60 + number) for number in range(count)]


def counts(page: Page) -> dict[str, str]:
    """The figures on top of a page, by their labels."""
    return dict(page.locator("dl.stats > div").evaluate_all(PAIRS))


class TestAFileOfUsage:
    def test_is_watched_while_it_is_rated(
        self, visit: Visits, aurora: Aurora, background: Background
    ) -> None:
        window = visit(make_colleague(aurora.provider, "Service"))
        page = window.open("/console/usage/files/")
        upload_usage(page, "monday.csv", file_of(calls(12)))

        expect(page.get_by_text("Received; waiting for a worker")).to_be_visible()
        assert background.do_one() == "cdr.split_file"
        expect(page.get_by_text("0 of 12")).to_be_visible()
        assert background.do_one() == "cdr.rate_chunk"
        expect(page.get_by_text("4 of 12")).to_be_visible()
        background.do_one()
        expect(page.get_by_text("8 of 12")).to_be_visible()
        window.illustrate("usage-progress")
        background.do_all()
        expect(page.get_by_text("All lines are rated")).to_be_visible()

        assert counts(page)["Rated"] == "12"
        assert page.url.endswith(f"/files/{XdrFile.objects.get().pk}/")
        assert window.complaints == []

    def test_is_counted_in_the_metrics_while_they_are_looked_at(
        self, visit: Visits, aurora: Aurora, background: Background
    ) -> None:
        window = visit(make_colleague(aurora.provider, "Service"))
        page = window.open("/console/usage/files/")
        broken = ["junk"] * 2
        upload_usage(page, "monday.csv", file_of([*calls(8), *broken, Call(account="nobody")]))
        background.do_all()
        go_to(page, "Usage", "xDR files")
        upload_usage(page, "tuesday.csv", file_of([*calls(9), ""]))
        background.do_one()

        go_to(page, "Usage", "Metrics")

        assert counts(page)["New in the last hour"] == "11"
        waiting = page.locator("dl.facts > div", has_text="Chunks of files to rate").locator("dd")
        expect(waiting).to_have_text("3")
        background.do_all()
        expect(waiting).to_have_text("0")
        assert counts(page)["New in the last hour"] == "20"
        window.look("usage-metrics")
        window.illustrate("usage-metrics")

    @SCRIPT
    def test_has_its_suspense_mended_and_rated(
        self, visit: Visits, aurora: Aurora, background: Background, script: bool
    ) -> None:
        window = visit(make_colleague(aurora.provider), java_script_enabled=script)
        page = window.open("/console/usage/files/")
        broken = Call(account="nordwind", seconds=300).line.replace('"300"', '"five minutes"')
        upload_usage(page, "monday.csv", file_of([Call(account="nordwind", to=CHINA), broken]))
        background.do_all()
        page.reload()
        assert [counts(page)[name] for name in ("Suspended", "Partly suspended")] == ["1", "1"]

        self._correct_the_line(page, broken)
        self._add_the_missing_rate(page, aurora)
        go_to(page, "Usage", "Suspense")
        window.illustrate("suspense")
        follow(page, "Try all again")
        press(page, "Try again")
        background.do_all()
        page.reload()
        expect(page.get_by_text("rows that wait no more")).to_be_visible()
        go_to(page, "Usage", "Suspense")

        expect(page.get_by_text("Nothing waits")).to_be_visible()
        assert not Suspense.objects.filter(state=Suspense.State.OPEN).exists()
        legs = Leg.objects.filter(kind=1).order_by("amount")
        assert [f"{leg.amount:.3f}" for leg in legs] == ["0.075", "0.080"]
        go_to(page, "xDRs")
        expect(page.get_by_role("cell", name=CHINA)).to_be_visible()

    def _correct_the_line(self, page: Page, broken: str) -> None:
        go_to(page, "Usage", "Suspense")
        click(page.get_by_role("row", name="Unparsable").get_by_role("link").first)
        click(page.get_by_role("row", name="five minutes").get_by_role("link").first)
        follow(page, "Correct the line")
        expect(page.get_by_role("textbox")).to_have_value(broken)
        press(page, "See what it would become")
        expect(page.locator(".field-error")).to_be_visible()
        page.get_by_role("textbox").fill(broken.replace("five minutes", "300"))
        press(page, "See what it would become")
        expect(page.get_by_text("customer leg")).to_be_visible()
        press(page, "Correct 1 row")
        expect(page.get_by_role("heading", name="Correct")).to_be_visible()

    def _add_the_missing_rate(self, page: Page, aurora: Aurora) -> None:
        page.goto(f"/console/rate-tables/{aurora.retail.pk}/")
        follow(page, "Add rate")
        fill(page, {"Prefix": "86", "Destination": "China", "Rate": "0.04"})
        page.get_by_label("In force from").fill("2026-10-01T00:00")
        press(page, "Add rate")
        expect(page.get_by_text("No call that was rated before")).to_be_visible()
        page.goto(f"/console/rate-tables/{aurora.retail.pk}/")
        expect(page.get_by_role("cell", name="China")).to_be_visible()


class TestRates:
    @SCRIPT
    def test_are_imported_after_a_look_at_what_changes(
        self, visit: Visits, aurora: Aurora, background: Background, script: bool
    ) -> None:
        window = visit(make_colleague(aurora.provider, "Product"), java_script_enabled=script)
        page = window.open(f"/console/rate-tables/{aurora.retail.pk}/")
        self._send(page, RATES)
        self._compare(page, background, script)
        expect(page.get_by_role("cell", name="4a", exact=True)).to_be_visible()
        assert aurora.retail.rates.count() == 4

        page.goto(f"/console/rate-tables/{aurora.retail.pk}/")
        self._send(page, RATES.replace(b"4a", b"41"))
        if script:
            window.look("rate-import-columns")
        self._compare(page, background, script)
        window.illustrate("rate-import")
        follow(page, "Import the rates")
        press(page, "Import the rates")
        background.do_all()

        page.reload()
        expect(page.get_by_text("Imported").first).to_be_visible()
        assert aurora.retail.rates.filter(prefix="86").get().rate.normalize().as_tuple().digits == (
            4,
        )
        assert window.complaints == []

    def _send(self, page: Page, content: bytes) -> None:
        click(page.locator("#content").get_by_role("link", name="Import", exact=True))
        page.get_by_label("File").set_input_files(
            {"name": "rates.csv", "mimeType": "text/csv", "buffer": content}
        )
        press(page, "Go on")

    def _compare(self, page: Page, background: Background, script: bool) -> None:
        expect(page.locator("[name=column_0]")).to_have_value("prefix")
        press(page, "See what it changes")
        expect(page.get_by_text("Reading and comparing")).to_be_visible()
        background.do_all()
        if not script:
            page.reload()
        expect(page.get_by_role("link", name="Import the rates")).to_be_visible()
