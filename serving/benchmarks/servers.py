"""Servers started as a user starts them, watched from outside, and stopped again."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

# A busy machine may need a minute to import everything.
_LONGEST_START_S = 180
_LONGEST_STOP_S = 90
_ASKED_EVERY_S = 0.02
_WORKER = "_bentoml_impl.worker.service"
# No telemetry, no hub, and no settings of whoever runs the benchmark.
_ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("FAQRA_")},
    "BENTOML_DO_NOT_TRACK": "True",
    "HF_HUB_OFFLINE": "1",
}


@dataclass(frozen=True)
class Server:
    """A server that is ready; `start_s` is the time from its command to its first `/readyz`."""

    url: str
    process: psutil.Process
    start_s: float

    def workers(self) -> list[psutil.Process]:
        """The processes that answer, without BentoML's own."""
        return [one for one in self.process.children(recursive=True) if _is_worker(one)]

    def workers_beside(self, others: Sequence[psutil.Process]) -> list[psutil.Process]:
        """Those that were not among the others."""
        known = {one.pid for one in others}
        return [one for one in self.workers() if one.pid not in known]

    def worker_bytes(self) -> int:
        """Resident memory of the largest worker."""
        return max((one.memory_info().rss for one in self.workers()), default=0)


@contextmanager
def faqra_serve(model: str | None, *options: str, **environment: str) -> Iterator[Server]:
    """`faqra serve` with a model, further options, and settings in its environment."""
    chosen = [] if model is None else ["--model", model]
    command = [sys.executable, "-m", "faqra", "serve", *chosen, *options, "--port"]
    with _running(command, environment) as server:
        yield server


@contextmanager
def bentoml_serve(service: str, folder: Path, **environment: str) -> Iterator[Server]:
    """`bentoml serve` of a service in a folder."""
    command = [sys.executable, "-m", "bentoml", "serve", service, "--working-dir", str(folder)]
    with _running([*command, "--port"], environment) as server:
        yield server


@contextmanager
def _running(command: Sequence[str], environment: Mapping[str, str]) -> Iterator[Server]:
    port = _free_port()
    with tempfile.TemporaryFile() as log:
        began = time.perf_counter()
        process = subprocess.Popen(
            [*command, str(port)],
            env={**_ENVIRONMENT, **environment},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            if not _ready(url, process):
                log.seek(0)
                told = log.read().decode(errors="replace")
                raise SystemExit(f"{' '.join(command)} {port}: not ready\n{told[-2000:]}")
            yield Server(url, psutil.Process(process.pid), time.perf_counter() - began)
        finally:
            _stop(process)


def _ready(url: str, process: "subprocess.Popen[bytes]") -> bool:
    until = time.monotonic() + _LONGEST_START_S
    while process.poll() is None and time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=5):
                return True
        except OSError:
            time.sleep(_ASKED_EVERY_S)
    return False


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(_LONGEST_STOP_S)
    except subprocess.TimeoutExpired:
        # The session is the server's own: nothing else is in it.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _is_worker(process: psutil.Process) -> bool:
    try:
        return _WORKER in process.cmdline()
    except psutil.Error:  # it has just gone
        return False


def _free_port() -> int:
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return int(place.getsockname()[1])
