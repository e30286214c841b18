import subprocess
import sys
from pathlib import Path

from embedded.files import exclusive, read_json, write_private_json

HOLD = """
import sys
from pathlib import Path
from embedded.files import exclusive
with exclusive(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


class TestWritePrivateJson:
    def test_is_read_back_and_closed_to_others(self, tmp_path: Path) -> None:
        path = tmp_path / "made" / "secret.json"

        write_private_json(path, {"port": 1})
        write_private_json(path, {"port": 2})

        assert read_json(path) == {"port": 2}
        assert path.stat().st_mode & 0o777 == 0o600
        assert list(path.parent.iterdir()) == [path]

    def test_missing_file_reads_as_empty(self, tmp_path: Path) -> None:
        assert read_json(tmp_path / "none.json") == {}


class TestExclusive:
    def test_waits_for_the_other_process_even_if_it_is_killed(self, tmp_path: Path) -> None:
        path = tmp_path / "lock"
        command = [sys.executable, "-c", HOLD, str(path)]
        first = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert first.stdout is not None
        assert first.stdout.readline() == b"held\n"
        second = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert second.stdout is not None

        assert second.poll() is None
        first.kill()
        first.communicate()

        assert second.stdout.readline() == b"held\n"
        second.communicate()
        with exclusive(path):
            pass
