from catalogue.rules.destinations import destination_of

DECK = {"44": "United Kingdom", "447": "United Kingdom, mobile", "4477": "UK, mobile O2"}


class TestDestinationOf:
    def test_is_that_of_the_longest_prefix(self) -> None:
        assert destination_of("44", DECK) == "United Kingdom"
        assert destination_of("4420", DECK) == "United Kingdom"
        assert destination_of("447", DECK) == "United Kingdom, mobile"
        assert destination_of("44770", DECK) == "UK, mobile O2"

    def test_is_none_where_the_deck_has_none(self) -> None:
        assert destination_of("4", DECK) is None
        assert destination_of("", DECK) is None
        assert destination_of("44", {}) is None

    def test_may_be_a_catch_all(self) -> None:
        assert destination_of("999", {"": "Elsewhere"}) == "Elsewhere"
