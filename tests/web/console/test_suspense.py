from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from cdr.models import Mending, Suspense
from common.clock import now
from tests.cdr.worlds import World, make_world
from tests.factories import (
    make_billing_mode,
    make_rate_table,
    make_source,
)
from tests.factories.cdr import Call, import_lines
from tests.factories.mending import mend
from tests.web.console.pages import as_role, page, table
from tests.web.console.suspense import ROWS, SUSPENSE, group

pytestmark = pytest.mark.django_db


class TestTheGroups:
    def test_have_one_row_for_all_that_waits_for_the_same(
        self, staff: Client, world: World
    ) -> None:
        import_lines(world.source, [*(Call(account="K-17") for _ in range(3)), Call(account="x")])
        import_lines(world.source, ["junk", "rubbish"])
        import_lines(make_world().source, ["junk of others"])

        rows = table(staff, f"{SUSPENSE}?format=csv")

        assert [(row["Reason"], row["Waits for"], row["Rows"]) for row in rows] == [
            ("Unknown customer", "Account code K-17", "3"),
            ("Unparsable", "1 field where 13 or 15 are expected", "2"),
            ("Unknown customer", "Account code x", "1"),
        ]
        text = page(staff, SUSPENSE)
        assert f"{ROWS}?{group('unknown_customer', 'K-17', world)}".replace("&", "&amp;") in text

    def test_name_the_rate_table_and_the_beginning_of_the_number(
        self, staff: Client, world: World
    ) -> None:
        world.default_table().rates.update(prefix="99")
        import_lines(world.source, [Call(account="carla"), Call(account="carla", to="442012345")])

        rows = table(staff, f"{SUSPENSE}?format=csv&reason=unrated_customer")

        assert [row["Waits for"] for row in rows] == ["4420… in Retail", "4930… in Retail"]
        assert [row["Of unknown worth"] for row in rows] == ["1", "1"]

    def test_are_worth_what_is_known_and_what_is_usual(self, staff: Client, world: World) -> None:
        make_billing_mode(world.sub, make_rate_table(world.product))
        world.default_table().rates.update(prefix="49")
        yesterday = now() - timedelta(days=1)
        rated = Call(account="carla", started_at=yesterday)
        unrated = rated.again(to="442012345", seconds=240, uuid="unrated")
        import_lines(world.source, [rated, unrated], at=now())

        rows = {row["Reason"]: row for row in table(staff, f"{SUSPENSE}?format=csv")}

        # By its rate, the customer would pay 0.10 for the xDR whose reseller leg waits.
        assert rows["Reseller unrated"]["Worth by its rates"] == "0.1 EUR"
        # On average 0.05 a minute, and four minutes to where no rate leads.
        assert rows["Unrated customer"]["Worth by its rates"] == ""
        assert rows["Unrated customer"]["Worth by averages"] == "0.2 EUR"
        assert rows["Unrated customer"]["Of unknown worth"] == "0"

    def test_are_filtered_by_reason_and_source(self, staff: Client, world: World) -> None:
        import_lines(world.source, ["junk", Call(account="new")])

        rows = table(staff, f"{SUSPENSE}?format=csv&reason=unparsable&source={world.source.pk}")

        assert [row["Reason"] for row in rows] == ["Unparsable"]
        assert "Nothing matches" in page(staff, f"{SUSPENSE}?reason=blocked")
        assert "Nothing matches" not in page(staff, SUSPENSE)

    def test_say_so_where_nothing_waits(self, staff: Client) -> None:
        assert "Nothing waits" in page(staff, SUSPENSE)

    def test_cost_as_many_statements_for_many_as_for_one(
        self,
        staff: Client,
        world: World,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        import_lines(world.source, [Call(account=f"x{n}") for n in range(50)])

        with django_assert_max_num_queries(25):
            page(staff, SUSPENSE)


class TestTheRows:
    def test_are_filtered_by_group_customer_and_file(self, staff: Client, world: World) -> None:
        make_billing_mode(world.sub, make_rate_table(world.product))
        file = import_lines(world.source, [Call(account="carla"), "junk", Call(account="K-17")])
        import_lines(world.source, ["rubbish"])

        def reasons(query: str) -> list[str]:
            return [row["Reason"] for row in table(staff, f"{ROWS}?format=csv&{query}")]

        assert reasons("reason=unparsable") == ["Unparsable", "Unparsable"]
        assert reasons(f"customer={world.carla.number}") == ["Reseller unrated"]
        assert reasons(f"file={file.pk}&reason=unparsable") == ["Unparsable"]
        assert reasons(group("unknown_customer", "K-17", world)) == ["Unknown customer"]
        assert reasons("state=RESOLVED") == []

    def test_lead_to_where_the_cause_is(self, staff: Client, world: World) -> None:
        import_lines(world.source, [Call(account="K-17")])
        row = Suspense.objects.get()

        text = page(staff, f"{ROWS}?{group('unknown_customer', 'K-17', world)}")

        assert f"{SUSPENSE}{row.pk}/give/" in text
        assert "Try the chosen again" in text
        assert "Try the chosen again" not in page(as_role(world.provider, "Finance"), ROWS)

    def test_are_acted_on_as_they_are_filtered(self, staff: Client, world: World) -> None:
        import_lines(world.source, [Call(account="K-17"), "junk"])
        asked = "reason=unparsable&source=&named_by=&subject=&customer=&file=&state="

        whole = page(staff, f"{ROWS}?{asked}")
        # A filter that changes has htmx ask for the list alone: what acts must come with it.
        htmx = {"HX-Request": "true", "HX-Target": "list"}
        part = staff.get(f"{ROWS}?{asked}", headers=htmx).content.decode()

        for text in (whole, part):
            assert f'href="{SUSPENSE}discard/?reason=unparsable"' in text
            assert f'href="{SUSPENSE}lines/?reason=unparsable"' in text
            assert text.count("/try-again/?") == text.count("/try-again/?reason=unparsable") == 1
        assert "<html" not in part

    def test_are_not_acted_on_by_a_filter_that_says_more_than_a_choice(
        self, staff: Client, world: World
    ) -> None:
        import_lines(world.source, [Call(account="K-17"), "junk"])
        mending = mend(world.provider, reason="unparsable")
        import_lines(world.source, ["rubbish"])

        of_mending = page(staff, f"{ROWS}?mending={mending.pk}")
        assert "junk" not in of_mending
        assert "/discard/?" not in of_mending
        assert "Discard the chosen" in of_mending
        mend(world.provider, Mending.Kind.DISCARD, note="A test.", reason="unparsable")

        discarded = page(staff, f"{ROWS}?state=DISCARDED")
        assert "Unparsable" in discarded
        assert "/discard/" not in discarded

    def test_of_those_that_name_nothing_are_these_only(self, staff: Client, world: World) -> None:
        import_lines(world.source, [Call(account="", caller=""), Call(account="K-17")])
        group = f"reason=unknown_customer&source={world.source.pk}&nameless=1"

        assert f"{ROWS}?{group}".replace("&", "&amp;") in page(staff, SUSPENSE)
        rows = table(staff, f"{ROWS}?format=csv&{group}")
        staff.post(f"{SUSPENSE}try-again/?{group}", {"_confirmed": "1"})

        assert len(rows) == 1
        assert Mending.objects.get().row_count == 1

    def test_that_were_chosen_are_shown_again(self, staff: Client, world: World) -> None:
        import_lines(world.source, ["junk", "rubbish"])
        chosen = Suspense.objects.get(raw="junk").pk

        rows = table(staff, f"{ROWS}?format=csv&chosen=1&row={chosen}")

        assert [row["As received"] for row in rows] == ["junk"]

    def test_are_there_as_they_were_received(self, staff: Client, world: World) -> None:
        lines = ["=cmd|' /C calc'!A0", "junk"]
        import_lines(world.source, [*lines, Call(account="carla")])

        response = staff.get(f"{SUSPENSE}lines/?reason=unparsable")

        assert response.content.decode() == "".join(f"{line}\n" for line in lines)
        assert response.headers["Content-Type"].startswith("text/plain")
        # A list that a spreadsheet opens is another matter.
        raws = [row["As received"] for row in table(staff, f"{ROWS}?format=csv")]
        assert raws == ["'=cmd|' /C calc'!A0", "junk"]

    def test_of_several_sources_are_no_file(self, staff: Client, world: World) -> None:
        import_lines(world.source, ["junk"])
        import_lines(make_source(world.product), ["rubbish"])

        response = staff.get(f"{SUSPENSE}lines/", follow=True)

        assert "choose a source or a file first" in response.content.decode()


class TestARow:
    def test_shows_the_line_and_what_to_do(self, staff: Client, world: World) -> None:
        import_lines(world.source, [Call(account="new", uuid="abc-1")])

        text = page(staff, f"{SUSPENSE}{Suspense.objects.get().pk}/")

        assert "abc-1" in text
        assert "Give the account code or number to a customer" in text
        assert "/console/usage/xdrs/" in text
        assert "Account code new" in text

    def test_states_no_value_where_no_rate_is_known(self, staff: Client, world: World) -> None:
        world.default_table().rates.update(status="stashed")
        import_lines(world.source, [Call(account="carla")])

        row = page(staff, f"{SUSPENSE}{Suspense.objects.get(reason='unrated_customer').pk}/")

        assert "no rate known" in row

    def test_of_another_provider_is_not_there(self, staff: Client) -> None:
        import_lines(make_world().source, [Call(account="new"), "junk"])
        new, junk = Suspense.objects.order_by("line_number")

        paths = [f"{new.pk}/", f"{new.pk}/give/", f"{junk.pk}/correct/"]
        answers = [staff.get(f"{SUSPENSE}{path}").status_code for path in paths]

        assert answers == [404, 404, 404]
