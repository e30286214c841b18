from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from cdr.models import Xdr
from cdr.rating import Loss
from cdr.rules.xdr_keys import format_xdr_key, parse_xdr_key
from tests.cdr.worlds import World, make_world
from tests.factories import make_billing_mode, make_rate, make_rate_table
from tests.factories.allowances import give_minutes
from tests.factories.cdr import CALL_AT, Call, import_lines
from tests.factories.rerating import price, rerate


@pytest.fixture
def world(db: None) -> World:
    return make_world()


def explain_xdr(world: World, key: str = "") -> list[str]:
    """The lines of the command about a call, the only one unless named."""
    written = StringIO()
    named = key or format_xdr_key(*Xdr.objects.values_list("started_at", "id").get())
    call_command("explain_xdr", named, "--provider", world.provider.slug, stdout=written)
    return written.getvalue().splitlines()


class TestExplainXdr:
    def test_tells_rates_sum_and_that_it_comes_to_the_stored_amount(self, world: World) -> None:
        table = world.default_table()
        table.parent = make_rate_table(world.product, {"4930": "0.08"}, name="Wholesale")
        table.save()
        make_rate(table, "49", policy="additive", tag="on-net", rate=Decimal(1))
        make_rate(table, "49", policy="additive", rate=Decimal("0.01"))
        import_lines(world.source, [Call(account="carla")])

        lines = explain_xdr(world)

        assert lines[1:3] == [
            "from 4915112345678 to 493012345678",
            "normalised 493012345678, volume 120",
        ]
        winner, loser = (table.parent.rates.get(), table.rates.get(policy="regular"))
        without, with_tag = table.rates.filter(policy="additive").order_by("tag")
        since = "from 2026-01-01 00:00 UTC"
        price = [f"{amount} {since}: " for amount in ("0.08", "0.05", "0.01", "1")]
        parent = f'of parent "Wholesale": prefix 4930, Destination 4930, {price[0]}'
        assert lines[4:17] == [
            f"Customer leg 1: {world.carla} pays {world.sub} 0.18 EUR",
            '  by rate table "Retail", in its currency: nothing is converted',
            f"  rate {winner.pk} {parent}used",
            f"  rate {loser.pk}: prefix any, Destination , {price[1]}a longer prefix fits",
            f"  additive rate {without.pk}: prefix 49, Destination 49, {price[2]}used",
            f"  additive rate {with_tag.pk}: prefix 49, tag on-net, Destination 49, {price[3]}"
            + Loss.TAG_NOT_CARRIED,
            "  120 used, minimum 1, increment 1 (after minimum): 120 billed",
            "  0.00000000 + 0.08000000 * 1 / 60 + 0.08000000 * 119 / 60",
            "  rounded half up to 6 decimals: cost 0.160000",
            "  on top: 120 used, minimum 1, increment 1 (after minimum): 120 billed",
            "  on top: 0.00000000 + 0.01000000 * 1 / 60 + 0.01000000 * 119 / 60",
            "  on top: rounded half up to 6 decimals: cost 0.020000",
            "  comes to the stored 0.18 EUR",
        ]

    def test_tells_both_amounts_where_rates_have_changed_since(self, world: World) -> None:
        import_lines(world.source, [Call(account="carla")])
        world.default_table().rates.update(rate=Decimal("0.5"))

        changed = explain_xdr(world)
        make_rate(world.default_table(), "49", rate=Decimal(1))
        another = explain_xdr(world)
        world.default_table().rates.update(status="stashed")
        gone = explain_xdr(world)

        stored = "  stored 0.1 EUR, now"
        assert f"{stored} 1 EUR: its rate or its table says something else now" in changed
        assert f"{stored} 2 EUR: the table has another rate for it now" in another
        assert f"{stored} nothing: the table has no rate for it any more" in gone

    def test_tells_what_of_it_waits(self, world: World) -> None:
        make_billing_mode(world.sub, make_rate_table(world.product, name="Empty"))
        import_lines(world.source, [Call(account="carla")])

        lines = explain_xdr(world)

        assert lines[3].endswith(': no rate for 493012345678 in "Empty"')

    def test_tells_what_a_leg_was_before_it_was_rated_again(self, world: World) -> None:
        import_lines(world.source, [Call(account="carla")])
        price(world.default_table(), "0.07")
        rerating = rerate(world.provider, reason="Typing error")

        lines = explain_xdr(world)

        assert "  comes to the stored 0.14 EUR" in lines
        assert lines[-1] == (
            f"until re-rating {rerating.pk} (Typing error): Customer leg 1:"
            f' {world.carla} paid {world.sub} 0.1 EUR by rate table "Retail"'
        )

    def test_says_so_where_nobody_pays(self, world: World) -> None:
        import_lines(world.source, [Call(account="carla", seconds=0)])

        assert explain_xdr(world)[-1] == "No leg: nobody pays for it."

    def test_refuses_an_xdr_of_another_provider(self, world: World) -> None:
        import_lines(world.source, [Call(account="carla")])
        key = format_xdr_key(*Xdr.objects.values_list("started_at", "id").get())

        with pytest.raises(CommandError, match="There is no xDR") as refusal:
            explain_xdr(make_world(), key)

        assert refusal.value.returncode == 2

    @pytest.mark.parametrize("key", ["42", "-1-2", "99999999999999999999-1", "9e9-1"])
    def test_refuses_what_names_no_xdr(self, world: World, key: str) -> None:
        with pytest.raises(CommandError):
            call_command("explain_xdr", "--provider", world.provider.slug, "--", key)


class TestXdrKey:
    def test_is_read_as_it_was_written(self) -> None:
        assert parse_xdr_key(format_xdr_key(CALL_AT, 42)) == (CALL_AT, 42)

    def test_tells_what_came_from_which_allowance(self, world: World) -> None:
        give_minutes(world.carla, world.product, 50, name="Small")
        give_minutes(world.carla, world.product, 40, name="Large", priority=2)
        import_lines(world.source, [Call(account="carla")])

        lines = explain_xdr(world)

        assert '  50 from allowance "Small"' in lines
        assert '  40 from allowance "Large"' in lines
        assert any(line.startswith("  120 used, 90 of them from the allowance") for line in lines)
        assert "  comes to the stored 0.025 EUR" in lines
