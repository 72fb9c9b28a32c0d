"""Runs of `faqra classify` as a user starts them, watched from outside."""

import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

_LOOKED_EVERY_S = 0.02


@dataclass(frozen=True)
class Run:
    """A run that ended well; `peak_mb` is the most memory it held."""

    seconds: float
    peak_mb: float


def command(model: str | None, archive: Path, output: Path, *options: str) -> list[str]:
    """The command line."""
    chosen = [] if model is None else ["--model", model]
    line = [sys.executable, "-m", "faqra", "classify", str(archive), "-o", str(output)]
    return [*line, *chosen, *options]


def classified(model: str | None, archive: Path, output: Path, *options: str) -> Run:
    """Classify an archive; leaves the benchmark where that fails."""
    line = command(model, archive, output, *options)
    peak = 0.0
    with tempfile.TemporaryFile() as told:
        began = time.perf_counter()
        process = subprocess.Popen(line, stderr=told)
        while process.poll() is None:
            peak = _peak_mb(process.pid) or peak
            time.sleep(_LOOKED_EVERY_S)
        seconds = time.perf_counter() - began
        if process.returncode:
            told.seek(0)
            sys.exit(f"{' '.join(line)}: {told.read().decode()[-2000:]}")
    return Run(seconds, peak)


def _peak_mb(process: int) -> float | None:
    """The kernel's own mark since the program began; ru_maxrss would begin with its parent's."""
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    lines = dict(line.split(":", 1) for line in status.splitlines())
    return int(lines["VmHWM"].split()[0]) / 1e3 if "VmHWM" in lines else None
