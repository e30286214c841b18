import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from demo.management.commands.demo import Command
from tenancy.models import Provider

pytestmark = pytest.mark.django_db


class TestTheDemo:
    def test_is_refused_outside_demo_mode(self) -> None:
        with pytest.raises(CommandError, match="Set TOLLGATE_MODE=demo") as refused:
            call_command("demo")

        assert refused.value.returncode == 2
        assert not Provider.objects.exists()

    @pytest.mark.parametrize("port", ["0", "70000"])
    def test_refuses_what_is_no_port(self, monkeypatch: pytest.MonkeyPatch, port: str) -> None:
        monkeypatch.setenv("PORT", port)

        with (
            override_settings(DEMO=True),
            pytest.raises(CommandError, match="set PORT to 1 to 65535") as refused,
        ):
            call_command("demo")

        assert refused.value.returncode == 2
        assert not Provider.objects.exists()

    def test_exits_with_2_for_a_port_that_is_no_number(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("PORT", "http")

        with pytest.raises(SystemExit) as exit:
            Command().run_from_argv(["manage.py", "demo"])

        assert exit.value.code == 2
        assert "invalid int value: 'http'" in capsys.readouterr().err

    @pytest.mark.parametrize(("value", "once"), [("1", True), ("", False), ("0", False)])
    def test_runs_once_where_the_environment_says_so(
        self, monkeypatch: pytest.MonkeyPatch, value: str, once: bool
    ) -> None:
        monkeypatch.setenv("DEMO_ONCE", value)

        options = Command().create_parser("manage.py", "demo").parse_args([])

        assert options.once is once
