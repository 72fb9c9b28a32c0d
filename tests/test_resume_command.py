"""`faqra classify --resume` as a user meets it: killed for good, and gone on with."""

import json
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

WORDS = ("أكد الوزير", "وقع حادث", "اقرأ أيضا", "ينبغي أن", "في مدينة", "صباح أمس", "من جديد")
PATIENCE_S = 120


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Paragraphs enough for several blocks, each of them different."""
    path = tmp_path_factory.mktemp("pages") / "pages.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for page in range(350):
            paragraphs = [
                f"{WORDS[(page + n) % 7]} {page} {WORDS[(page * n) % 7]} {n}" for n in range(20)
            ]
            file.write(json.dumps({"id": str(page), "paragraphs": paragraphs}) + "\n")
        file.write("not JSON\n")  # left out each time
    return path


def command(pages: Path, output: Path, *options: str) -> list[str]:
    line = [sys.executable, "-m", "faqra", "classify", str(pages), "-o", str(output)]
    return [*line, *options]


def finished(pages: Path, output: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command(pages, output, *options), capture_output=True, text=True, check=False
    )


def kill_when_some_is_done(pages: Path, output: Path, *options: str) -> None:
    """SIGKILL as soon as the journal has grown."""
    journal = output.parent / f".{output.name}.journal"
    size = journal.stat().st_size if journal.exists() else 0
    process = subprocess.Popen(command(pages, output, *options), stderr=subprocess.DEVNULL)
    until = time.monotonic() + PATIENCE_S
    while not journal.exists() or journal.stat().st_size <= size:
        assert process.poll() is None, "the run was over before it was killed"
        assert time.monotonic() < until
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_a_killed_run_goes_on_to_the_same_bytes(pages: Path, tmp_path: Path, ending: str) -> None:
    whole, output = tmp_path / f"whole.{ending}", tmp_path / f"out.{ending}"
    assert finished(pages, whole).returncode == 1  # one row is left out
    kill_when_some_is_done(pages, output)
    kill_when_some_is_done(pages, output, "--resume")
    assert not output.exists()
    refused = finished(pages, output)
    assert refused.returncode == 2
    assert "add --resume to go on with it" in refused.stderr
    resumed = finished(pages, output, "--resume")
    assert resumed.returncode == 1, resumed.stderr
    assert output.read_bytes() == whole.read_bytes()
    rejected = [Path(f"{path}.rejected.jsonl").read_bytes() for path in (whole, output)]
    assert rejected[0] == rejected[1]
    assert len(list(tmp_path.iterdir())) == 4  # neither a journal nor a killed run's part is left


@pytest.mark.slow
@pytest.mark.parametrize("room", [20_000, 150_000, 400_000])
def test_a_disk_that_fills_up_is_said_and_nothing_is_lost(
    room: int, pages: Path, tmp_path: Path
) -> None:
    """A bound on the size of files stands for the disk: in the journal's head, later, and last in
    the output itself."""
    whole, output = tmp_path / "whole.csv", tmp_path / "out.csv"
    finished(pages, whole)
    stopped = subprocess.run(
        command(pages, output),
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)),
    )
    assert stopped.returncode == 1
    assert "cannot be written: File too large" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    assert not output.exists()
    assert finished(pages, output, "--resume").returncode == 1  # one row is left out
    assert output.read_bytes() == whole.read_bytes()


def test_only_a_file_can_be_resumed(pages: Path) -> None:
    line = [sys.executable, "-m", "faqra", "classify", str(pages), "--resume"]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--resume needs a file" in done.stderr
