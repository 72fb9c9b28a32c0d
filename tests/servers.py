"""A really running service, as `faqra serve` starts it, for whoever asks one over HTTP."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Any

ENVIRONMENT = {
    **os.environ,
    "BENTOML_DO_NOT_TRACK": "True",
    "HF_HUB_OFFLINE": "1",
    "FAQRA_WORKERS": "1",
}
PATIENCE_S = 60


FAQRA_SERVE = ("faqra", "serve")


def start(
    port: int, *options: str, command: tuple[str, ...] = FAQRA_SERVE, **environment: str
) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", *command, "--port", str(port), *options],
        env={**ENVIRONMENT, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def free_port() -> int:
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return int(place.getsockname()[1])


@contextmanager
def running(*, command: tuple[str, ...] = FAQRA_SERVE, **environment: str) -> Iterator[str]:
    """The URL of a service that is ready; at its end it has nowhere failed."""
    with TemporaryDirectory() as home:
        # Two services of one home share a folder of metrics, which the second one empties.
        yield from _running(command, **{"BENTOML_HOME": home, **environment})


def _running(command: tuple[str, ...], **environment: str) -> Iterator[str]:
    port = free_port()
    process = start(port, command=command, **environment)
    url = f"http://127.0.0.1:{port}"
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            urllib.request.urlopen(f"{url}/readyz", timeout=5).close()
            break
        except OSError:
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < until, "not ready in time"
            time.sleep(0.1)
    # Read all along: a service whose log nobody reads stands still when the pipe is full.
    with ThreadPoolExecutor(1) as reader:
        output = reader.submit(process.communicate)
        try:
            yield url
        finally:
            process.send_signal(signal.SIGTERM)
        assert "Traceback" not in output.result(timeout=PATIENCE_S)[0], output.result()[0]


def error_of(response: Any) -> dict[str, Any]:
    """The error of an answer, which is nothing else."""
    assert list(response.json()) == ["error"], response.text
    error: dict[str, Any] = response.json()["error"]
    assert set(error) <= {"code", "message", "field"}
    assert error["code"]
    assert "\n" not in error["message"]
    return error
