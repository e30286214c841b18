import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
CALLS = "id,table,started_at,destination_number,volume\n1,A,2026-10-01T12:00:00Z,4420,31\n"
ANSWER = "id,table,prefix,destination,billed,cost,additive_cost,reason\n1,A,44,UK,31,0.516667,0,\n"


def run_rate_csv(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`manage.py rate_csv` in `folder` with database and broker out of reach."""
    with start_rate_csv(folder, *arguments) as running:
        output, complaint = running.communicate()
    return subprocess.CompletedProcess(running.args, running.returncode, output, complaint)


def start_rate_csv(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    (folder / "rates.csv").write_text("table,prefix,destination,rate\nA,44,UK,1\n")
    return subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), "rate_csv", *arguments],
        cwd=folder,
        env=os.environ
        | {
            "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none",
            "REDIS_URL": "redis://127.0.0.1:1/0",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "calls.csv").write_text(CALLS)
    return tmp_path


class TestRateCsv:
    def test_writes_the_output_file_without_a_database(self, folder: Path) -> None:
        done = run_rate_csv(folder, "--rates=rates.csv", "--calls=calls.csv", "--output=out.csv")

        assert (done.returncode, done.stdout) == (0, "")
        assert (folder / "out.csv").read_text() == ANSWER
        assert sorted(path.name for path in folder.iterdir()) == [
            "calls.csv",
            "out.csv",
            "rates.csv",
        ]

    def test_writes_to_standard_output_without_an_output_file(self, folder: Path) -> None:
        done = run_rate_csv(folder, "--rates=rates.csv", "--calls=calls.csv")

        assert (done.returncode, done.stdout) == (0, ANSWER)

    @pytest.mark.parametrize("output", [[], ["--output=out.csv"]])
    def test_refuses_a_bad_value_and_writes_nothing(self, folder: Path, output: list[str]) -> None:
        (folder / "calls.csv").write_text(CALLS + "2,A,2026-10-01T12:00:00Z,4420,soon\n")

        done = run_rate_csv(folder, "--rates=rates.csv", "--calls=calls.csv", *output)

        assert (done.returncode, done.stdout) == (2, "")
        refusal = "Refused: calls.csv, line 3, column volume: 'soon' is not a decimal number"
        assert done.stderr.startswith(refusal)
        assert sorted(path.name for path in folder.iterdir()) == ["calls.csv", "rates.csv"]

    def test_refuses_a_missing_file(self, folder: Path) -> None:
        done = run_rate_csv(folder, "--rates=rates.csv", "--calls=none.csv", "--output=out.csv")

        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == "Refused: none.csv: no such file or directory. Check the path.\n"
        assert not (folder / "out.csv").exists()

    def test_refuses_an_output_in_a_folder_that_is_not_there(self, folder: Path) -> None:
        done = run_rate_csv(folder, "--rates=rates.csv", "--calls=calls.csv", "--output=no/out.csv")

        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == "Refused: no: no such folder to write to.\n"

    def test_ends_without_a_word_when_nobody_reads_on(self, folder: Path) -> None:
        line = CALLS.splitlines()[1]
        (folder / "calls.csv").write_text(CALLS + f"{line}\n" * 20_000)

        with start_rate_csv(folder, "--rates=rates.csv", "--calls=calls.csv") as running:
            assert running.stdout is not None
            assert running.stderr is not None
            first = running.stdout.readline()
            running.stdout.close()
            complaint = running.stderr.read()
            status = running.wait()

        assert first == ANSWER.splitlines(keepends=True)[0]
        assert (status, complaint) == (141, "")
        assert sorted(path.name for path in folder.iterdir()) == ["calls.csv", "rates.csv"]
