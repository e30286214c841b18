"""What makes two xDRs the same one."""

from typing import Any

import polars as pl

from cdr.rating.dedup import dedup_keys, is_repeated

CALL = {
    "call_id": "abc",
    "leg_id": "b",
    "started_at": 1_000,
    "caller_number": "49301",
    "destination_number": "49302",
    "duration_seconds": 60,
}


def keys(*calls: dict[str, Any], source_id: int = 7) -> list[str]:
    frame = pl.DataFrame(calls, schema_overrides={"call_id": pl.String, "leg_id": pl.String})
    return dedup_keys(frame, source_id=source_id).to_list()


class TestDedupKey:
    def test_never_changes_for_it_is_stored(self) -> None:
        assert keys(CALL, CALL | {"call_id": None}) == [
            "a91bbd08e68dd83079ae5c2b6a97e97a",
            "6dedfa853a4907fbafbd736c7e0c87ae",
        ]

    def test_is_of_source_call_and_leg(self) -> None:
        (key,) = keys(CALL)

        assert keys(CALL | {"duration_seconds": 61, "caller_number": None}) == [key]
        assert keys(CALL | {"leg_id": "c"}) != [key]
        assert keys(CALL | {"leg_id": None}) != [key]
        assert keys(CALL | {"call_id": "abcb", "leg_id": ""}) != [key]
        assert keys(CALL, source_id=77) != [key]

    def test_without_a_call_id_is_of_start_caller_destination_and_duration(self) -> None:
        nameless = CALL | {"call_id": None}
        (key,) = keys(nameless)

        assert keys(nameless | {"leg_id": "c"}) == [key]
        for changed in (
            {"started_at": 1_001},
            {"caller_number": None},
            {"destination_number": "49303"},
            {"duration_seconds": 61},
        ):
            assert keys(nameless | changed) != [key]


class TestRepeated:
    def test_is_every_xdr_after_the_first_of_the_same_start_and_key(self) -> None:
        frame = pl.DataFrame({"started_at": [1, 1, 2, 1], "dedup_key": ["a", "b", "a", "a"]})

        assert is_repeated(frame).to_list() == [False, False, False, True]
