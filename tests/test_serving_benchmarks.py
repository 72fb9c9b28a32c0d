"""`make bench-serving` measures every subject and finds no fault; speed is not judged here."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("bentoml", reason="the service needs the extra 'serve'")
pytest.importorskip("torch", reason="the plain service needs the extra 'torch'")

ROOT = Path(__file__).parents[1]
SUBJECTS = ("start", "latency", "throughput", "overload", "killed", "tracing", "soak")


@pytest.mark.slow
def test_a_quick_run_reports_every_subject() -> None:
    done = subprocess.run(
        [sys.executable, "serving/benchmarks", "--quick"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for subject in SUBJECTS:
        assert f"### {subject} (" in done.stdout
