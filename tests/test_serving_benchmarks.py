"""`make bench-serving` and `bench-batch` find no fault; speed is not judged here."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("bentoml", reason="the service needs the extra 'serve'")
pytest.importorskip("torch", reason="the plain service needs the extra 'torch'")

ROOT = Path(__file__).parents[1]
SUBJECTS = {
    "service": ("start", "latency", "throughput", "overload", "killed", "tracing", "soak"),
    # The engines have tests of their own: test_cluster.
    "batch": ("speed", "killed", "stages", "growth"),
}


@pytest.fixture(scope="module")
def one_layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that takes next to no time."""
    folder = tmp_path_factory.mktemp("models") / "one-layer"
    made = [sys.executable, "serving/benchmarks/one_layer.py", str(folder)]
    subprocess.run(made, cwd=ROOT, check=True, capture_output=True)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("of", SUBJECTS)
def test_a_quick_run_reports_every_subject(of: str, one_layer: Path) -> None:
    options = ("--quick", "--model", str(one_layer))
    done = subprocess.run(
        [sys.executable, "serving/benchmarks", of, *SUBJECTS[of], *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for subject in SUBJECTS[of]:
        assert f"### {subject} (" in done.stdout
