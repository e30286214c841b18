import io
from argparse import ArgumentParser
from typing import Any

import pytest
from django.core.management import call_command

from common.commands import Refused, TollgateCommand
from common.errors import DomainError


class TooLate(DomainError):
    pass


class Example(TollgateCommand):
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--count", type=int, required=True)

    def handle(self, *_: Any, **options: Any) -> None:
        if options["count"] > 2:
            raise TooLate("The run 7 was approved; start another one.")
        self.print_table(
            ["name", "amount"],
            [("[red]Aurora", 1), ("x" * 90, 20)],
            title="Sums",
            numeric=["amount"],
        )


class TestACommand:
    def test_turns_a_refusal_of_the_domain_into_status_2(self) -> None:
        with pytest.raises(
            Refused, match=r"The run 7 was approved; start another one\."
        ) as refused:
            call_command(Example(), "--count=3")

        assert refused.value.returncode == 2

    def test_writes_the_refusal_and_no_stack_trace_to_stderr(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit) as exit:
            Example().run_from_argv(["manage.py", "example", "--count=3"])

        assert exit.value.code == 2
        out, error = capsys.readouterr()
        assert out == ""
        assert error == "Refused: The run 7 was approved; start another one.\n"

    def test_exits_with_2_for_a_wrong_argument(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as exit:
            Example().run_from_argv(["manage.py", "example", "--count=many"])

        assert exit.value.code == 2
        assert "argument --count: invalid int value: 'many'" in capsys.readouterr().err


class TestATable:
    def test_shows_every_cell_whole_and_as_it_is(self) -> None:
        out = io.StringIO()

        call_command(Example(), "--count=1", stdout=out)

        lines = out.getvalue().splitlines()
        assert lines[0].rstrip() == "Sums"
        assert f"│ [red]Aurora{' ' * 79} │      1 │" in lines
        assert f"│ {'x' * 90} │     20 │" in lines
