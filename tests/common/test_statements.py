"""Statements that are sent together: in their order, all or none, and before whatever is asked."""

from collections.abc import Iterator

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from common.copying import insert_rows
from common.statements import execute, fetch_rows, sent_together
from customers.models import Customer

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def notes(db: None) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE note (id integer PRIMARY KEY, text text)")
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE note")


def _note(number: int, text: str = "") -> None:
    execute("INSERT INTO note VALUES (%s, %s)", [number, text])


def _notes() -> list[tuple[int, str]]:
    return fetch_rows("SELECT id, text FROM note ORDER BY id", [])


def _note_and_fail(number: int) -> None:
    _note(number)
    raise ZeroDivisionError


def _note_twice_and_ask(number: int) -> None:
    _note(number)
    _note(number)
    _notes()


class TestStatementsSentTogether:
    def test_go_with_the_next_question_and_before_it(self) -> None:
        with CaptureQueriesContext(connection) as sent, transaction.atomic(), sent_together():
            _note(1, "100 % of 'these'; %s")
            insert_rows("note", ["id", "text"], [(2, "two"), (3, "three")])

            found = _notes()

        assert found == [(1, "100 % of 'these'; %s"), (2, "two"), (3, "three")]
        written = [each["sql"].count("INSERT") for each in sent if "note" in each["sql"]]
        assert written == [2]

    def test_go_in_front_of_a_savepoint_which_does_not_take_them_back(self) -> None:
        with transaction.atomic(), sent_together():
            _note(1)
            with pytest.raises(ZeroDivisionError), transaction.atomic():
                _note_and_fail(2)

        assert _notes() == [(1, "")]

    def test_go_in_front_of_what_the_framework_asks(self) -> None:
        with CaptureQueriesContext(connection) as sent, transaction.atomic(), sent_together():
            _note(1, "one")
            assert not Customer.objects.filter(first_name="one").exists()

        [with_note] = [each["sql"] for each in sent if "note" in each["sql"]]
        assert "customers_customer" in with_note
        assert _notes() == [(1, "one")]

    def test_are_sent_at_the_end_where_nothing_follows(self) -> None:
        with CaptureQueriesContext(connection) as sent, transaction.atomic(), sent_together():
            _note(1, "one")
            _note(2, "two")

        assert sum("note" in query["sql"] for query in sent) == 1
        assert _notes() == [(1, "one"), (2, "two")]

    def test_raise_where_they_are_sent_and_leave_nothing(self) -> None:
        with pytest.raises(IntegrityError), transaction.atomic(), sent_together():
            _note_twice_and_ask(1)

        assert _notes() == []

    def test_are_not_sent_where_something_else_failed(self) -> None:
        with pytest.raises(ZeroDivisionError), transaction.atomic(), sent_together():
            _note_and_fail(1)

        with transaction.atomic(), sent_together():
            _note(2)
        assert _notes() == [(2, "")]

    def test_are_sent_one_by_one_elsewhere(self) -> None:
        with CaptureQueriesContext(connection) as sent:
            _note(1)
            _note(2)

        assert sum("note" in query["sql"] for query in sent) == 2
