from collections import Counter
from dataclasses import replace
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from cdr.importers.freeswitch_csv.adapter import parse
from cdr.importers.reading import Reading
from cdr.rating.dial_plans import DialPlan, normalise
from common.periods import month
from demo.calls import FAILURES, Account
from demo.rate_deck import build_rate_deck
from demo.traffic import CLOSED_ACCOUNTS, Oddities, Traffic, TrafficPlan, generate_traffic

BERLIN = ZoneInfo("Europe/Berlin")
TECH_PREFIXES = {"9011": 1, "9022": 2}
ODDITIES = Oddities(duplicates=31, zero_duration=17, unknown_account=13, unrated=11, broken=23)
PLAN = TrafficPlan(
    seed=10,
    period=month(2026, 10),
    zone=BERLIN,
    lines=6000,
    accounts=tuple(
        Account(f"AC{number:03}", (f"49305550{number:03}", f"49305551{number:03}"), "49")
        for number in range(20)
    ),
    deck=build_rate_deck("EUR"),
    oddities=ODDITIES,
    dial_plan=DialPlan(country_prefix="49"),
    trunks={"": 6, "9011": 3, "9022": 1},
)
TRAFFIC = generate_traffic(PLAN)


def read(traffic: Traffic, plan: TrafficPlan = PLAN) -> pl.DataFrame:
    """The distinct records of the file, their destinations normalised."""
    records = parse(traffic.content, first_line=1, reading=Reading(plan.zone)).records
    distinct = records.drop("trunk").unique("call_id", keep="first", maintain_order=True)
    return distinct.hstack(
        normalise(distinct["destination_number"], plan=plan.dial_plan, tech_prefixes=TECH_PREFIXES)
    )


class TestGenerateTraffic:
    def test_makes_the_same_bytes_for_the_same_seed_only(self) -> None:
        assert generate_traffic(PLAN) == TRAFFIC
        assert generate_traffic(replace(PLAN, seed=11)).content != TRAFFIC.content

    def test_has_exactly_as_many_lines_as_planned(self) -> None:
        assert TRAFFIC.content.count(b"\n") == 6000
        assert TRAFFIC.manifest.lines == 6000

    def test_says_how_many_lines_are_records_repeated_and_broken(self) -> None:
        parsed = parse(TRAFFIC.content, first_line=1, reading=Reading(BERLIN))

        assert parsed.blank_lines == 0
        assert len(parsed.rejected) == TRAFFIC.manifest.broken == 23
        assert TRAFFIC.manifest.duplicates == 31
        assert parsed.records["call_id"].n_unique() == TRAFFIC.manifest.records == 6000 - 31 - 23
        assert len(parsed.records) == 6000 - 23

    def test_keeps_an_account_to_its_usual_trunk_where_it_asks(self) -> None:
        kept = tuple(replace(account, usual_trunk_only=True) for account in PLAN.accounts[:10])
        traffic = generate_traffic(replace(PLAN, accounts=kept + PLAN.accounts[10:]))

        kept_codes = {account.account_code for account in kept}
        by_trunk = {
            (call.account_code in kept_codes, call.tech_prefix) for call in traffic.rated_calls
        }
        assert by_trunk == {(True, ""), (False, ""), (False, "9011"), (False, "9022")}

    def test_dials_no_national_numbers_where_the_plan_knows_no_country(self) -> None:
        plan = replace(PLAN, dial_plan=DialPlan())

        records = read(generate_traffic(plan), plan)

        assert records["number"].null_count() == 0
        zeros = records["destination_number"].str.extract("^(0+)").drop_nulls()
        assert set(zeros) == {"00"}

    def test_repeats_a_record_to_the_letter_and_later(self) -> None:
        records = parse(TRAFFIC.content, first_line=1, reading=Reading(BERLIN)).records
        repeated = records.filter(pl.col("call_id").is_duplicated())

        assert repeated["raw"].n_unique() == 31
        assert len(repeated) == 62

    def test_counts_each_record_once_by_what_becomes_of_it(self) -> None:
        records = read(TRAFFIC)
        manifest = TRAFFIC.manifest
        unknown = pl.col("account_code").is_in(CLOSED_ACCOUNTS)
        satellite = pl.col("number").str.starts_with("881") | pl.col("number").str.starts_with(
            "882"
        )
        zero = pl.col("billable_seconds") == 0
        failed = pl.col("answered_at").is_null()

        assert len(records.filter(unknown)) == manifest.unknown_account == 13
        assert len(records.filter(satellite)) == manifest.unrated == 11
        assert len(records.filter(zero & ~failed)) == manifest.zero_duration == 17
        assert len(records.filter(failed)) == manifest.failed
        assert len(records.filter(unknown & zero)) == 0
        assert len(records.filter(satellite & zero)) == 0
        rated = records.filter(~(unknown | satellite | zero))
        assert len(rated) == manifest.rated
        assert rated["billable_seconds"].sum() == manifest.billable_seconds
        assert len(records) == manifest.rated + manifest.failed + 17 + 13 + 11

    def test_gives_the_rated_calls_as_they_are_read_back(self) -> None:
        by_id = {record["call_id"]: record for record in read(TRAFFIC).iter_rows(named=True)}

        assert len(TRAFFIC.rated_calls) == TRAFFIC.manifest.rated
        for call in TRAFFIC.rated_calls:
            record = by_id[call.call_id]
            assert record["account_code"] == call.account_code
            assert record["number"] == call.number
            assert record["trunk"] == TECH_PREFIXES.get(call.tech_prefix)
            assert record["billable_seconds"] == call.billable_seconds
            assert record["duration_seconds"] == call.duration_seconds

    def test_starts_every_call_in_the_period(self) -> None:
        first, end = PLAN.period.instants(BERLIN)

        assert all(first <= call.started_at < end for call in TRAFFIC.rated_calls)

    def test_calls_customers_on_the_net_without_a_trunk(self) -> None:
        owners = {number: account for account in PLAN.accounts for number in account.numbers}
        on_net = [call for call in TRAFFIC.rated_calls if call.on_net]
        off_net = [call for call in TRAFFIC.rated_calls if not call.on_net]

        assert len(on_net) == TRAFFIC.manifest.on_net > 100
        assert all(call.tech_prefix == "" for call in on_net)
        assert all(owners[call.number].account_code != call.account_code for call in on_net)
        assert not any(call.number in owners for call in off_net)
        assert dict(TRAFFIC.manifest.rated_by_tech_prefix) == Counter(
            call.tech_prefix for call in off_net
        )

    def test_dials_numbers_that_have_a_rate(self) -> None:
        prefixes = {rate.prefix for rate in PLAN.deck.rates}

        for call in TRAFFIC.rated_calls:
            assert any(call.number[:length] in prefixes for length in range(1, 16)), call.number

    def test_has_the_shape_of_real_traffic(self) -> None:
        records = read(TRAFFIC)
        answered = records.filter(pl.col("answered_at").is_not_null())
        local = pl.from_epoch("started_at", time_unit="us").dt.convert_time_zone("Europe/Berlin")
        by_hour = Counter(records.select(local.dt.hour()).to_series())
        by_weekday = Counter(records.select(local.dt.weekday()).to_series())
        causes = set(records.filter(pl.col("answered_at").is_null())["hangup_cause"])

        assert 0.55 < len(answered) / len(records) < 0.65
        assert by_hour[10] > 10 * by_hour[3]
        assert by_weekday[3] > 2 * by_weekday[7]
        assert causes == set(FAILURES)
        talks = sorted(answered["billable_seconds"])
        assert 80 < talks[len(talks) // 2] < 110
        assert 180 < sum(talks) / len(talks) < 240

    def test_calls_home_more_often_than_abroad(self) -> None:
        countries = Counter(call.number[:2] for call in TRAFFIC.rated_calls if not call.on_net)

        assert countries["49"] > len(TRAFFIC.rated_calls) / 2
        assert len(countries) > 20

    def test_writes_numbers_that_a_north_american_plan_understands(self) -> None:
        plan = replace(
            PLAN,
            lines=2000,
            zone=ZoneInfo("America/New_York"),
            accounts=tuple(
                Account(f"US{number}", (f"1212555{number:04}",), "1") for number in range(5)
            ),
            dial_plan=DialPlan("1", "011", None, national_digits=10),
        )

        traffic = generate_traffic(plan)

        by_id = dict(read(traffic, plan).select("call_id", "number").iter_rows())

        assert len(traffic.rated_calls) > 1000
        for call in traffic.rated_calls:
            assert by_id[call.call_id] == call.number, call.dialled

    def test_refuses_more_odd_lines_than_lines(self) -> None:
        with pytest.raises(ValueError, match="90 lines are too few for 95 odd ones"):
            generate_traffic(replace(PLAN, lines=90))
