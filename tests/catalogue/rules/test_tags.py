import pytest

from catalogue.rules.tags import TagsNotUnderstood, parse_tags, split_tags


class TestTags:
    @pytest.mark.parametrize(
        ("written", "kept"),
        [
            ("", ""),
            ("vip", "vip"),
            (" vip ; test,vip,, ", "test,vip"),
            ("on-net", "on-net"),
            ("VIP,vip", "VIP,vip"),
            ("x" * 40, "x" * 40),
        ],
    )
    def test_are_kept_once_each_in_order(self, written: str, kept: str) -> None:
        assert parse_tags(written) == kept

    @pytest.mark.parametrize(
        ("written", "why"),
        [
            ("two words", "'two words' is not a tag"),
            ("vip,§", "'§' is not a tag"),
            ("x" * 41, "is not a tag"),
            (",".join(f"{number:040d}" for number in range(5)), "more than 200 characters"),
        ],
    )
    def test_are_words_that_can_be_kept(self, written: str, why: str) -> None:
        with pytest.raises(TagsNotUnderstood, match=why):
            parse_tags(written)

    def test_of_a_line_are_taken_as_they_are(self) -> None:
        assert split_tags("two words; vip") == {"two words", "vip"}
