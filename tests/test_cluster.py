"""A real Ray cluster of two nodes: the local engine's rows, also when a worker is killed."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from faqra_data.errors import ClusterError

pytest.importorskip("ray", reason="the package ray is not installed")

from faqra_serving.cluster import Cluster

PATIENCE_S = 120
FAQRA = (sys.executable, "-m", "faqra", "classify")
# Else Ray writes a token into the home of whoever runs the tests.
ENVIRONMENT = {**os.environ, "RAY_AUTH_MODE": "disabled"}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A head and a second node, each a process tree of its own with one core to give."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    port = address.rpartition(":")[2]
    # Short: paths of sockets have 107 bytes at most.
    home = tmp_path_factory.mktemp("r")
    common = ["--num-cpus=1", "--object-store-memory=100000000", "--disable-usage-stats", "--block"]
    ray = [str(Path(sys.executable).with_name("ray")), "start"]
    head = ["--head", f"--port={port}", "--node-ip-address=127.0.0.1", "--include-dashboard=false"]
    nodes = [
        subprocess.Popen(
            [*ray, *options, *common],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd=home,
            env=ENVIRONMENT,
        )
        for options in ([*head, f"--temp-dir={home}"], [f"--address={address}"])
    ]
    try:
        _wait_for_cores(address, 2)
        yield address
    finally:
        for node in nodes:
            os.killpg(node.pid, signal.SIGKILL)  # to end well takes them half a minute
        for node in nodes:
            node.wait(PATIENCE_S)


def _wait_for_cores(address: str, cores: int) -> None:
    """In a process of its own: this one joins no cluster."""
    program = (
        "import ray, sys; ray.init(sys.argv[1], log_to_driver=False); "
        "sys.exit(ray.cluster_resources().get('CPU', 0) < float(sys.argv[2]))"
    )
    until = time.monotonic() + PATIENCE_S
    line = [sys.executable, "-c", program, address, str(cores)]
    while subprocess.run(line, capture_output=True, check=False, env=ENVIRONMENT).returncode:
        assert time.monotonic() < until, "the cluster did not come up"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of several forms, a broken row, an empty file and much of what is repeated."""
    folder = tmp_path_factory.mktemp("pages")
    for name in range(6):
        with (folder / f"{name}.jsonl").open("w", encoding="utf-8") as file:
            for page in range(80):
                paragraphs = [f"قال الوزير في {name}: {page * n}" for n in range(12)]
                row = {"id": f"{name}-{page}", "paragraphs": [*paragraphs, "اقرأ أيضا", "\u200b"]}
                file.write(json.dumps(row) + "\n")
    (folder / "6.jsonl").write_text('{"id": 1}\n')
    (folder / "7.jsonl").write_bytes(b"")
    (folder / "8.html").write_text("<p>أكد الوزير أن المشروع سيبدأ غدا.</p>", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def local(pages: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the local engine says of the pages."""
    output = tmp_path_factory.mktemp("local") / "local.jsonl"
    assert classify(pages, output).returncode == 1  # a row and an empty file are left out
    return output


def classify(pages: Path, output: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    line = [*FAQRA, str(pages), "-o", str(output), *options]
    return subprocess.run(
        line, capture_output=True, text=True, check=False, timeout=300, env=ENVIRONMENT
    )


def workers() -> list[int]:
    """The processes in which a model is at work."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and b"ray::MapWorker" in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


@pytest.mark.slow
def test_two_nodes_give_the_local_engines_bytes_although_a_worker_is_killed(
    address: str, pages: Path, local: Path, tmp_path: Path
) -> None:
    output = tmp_path / "ray.jsonl"
    killed: list[int] = []

    def kill_one() -> None:
        until = time.monotonic() + PATIENCE_S
        while not killed and time.monotonic() < until:
            # The journal shows that work is going on.
            if (tmp_path / ".ray.jsonl.journal").exists() and (found := workers()):
                os.kill(found[0], signal.SIGKILL)
                killed.append(found[0])
            time.sleep(0.01)

    killer = threading.Thread(target=kill_one)
    killer.start()
    done = classify(pages, output, "--engine", "ray", "--ray-address", address)
    killer.join()
    assert killed
    assert done.returncode == 1, done.stderr
    assert output.read_bytes() == local.read_bytes()
    rejected = [Path(f"{path}.rejected.jsonl").read_bytes() for path in (local, output)]
    assert rejected[0] == rejected[1]
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_killed_driver_goes_on(address: str, pages: Path, local: Path, tmp_path: Path) -> None:
    output = tmp_path / "ray.jsonl"
    options = ("--engine", "ray", "--ray-address", address)
    driver = subprocess.Popen(
        [*FAQRA, str(pages), "-o", str(output), *options],
        stderr=subprocess.DEVNULL,
        env=ENVIRONMENT,
    )
    until = time.monotonic() + PATIENCE_S
    while not (tmp_path / ".ray.jsonl.journal").exists():
        assert driver.poll() is None, "the run was over before it was killed"
        assert time.monotonic() < until
        time.sleep(0.005)
    driver.kill()
    driver.wait()
    assert classify(pages, output, *options).returncode == 2
    done = classify(pages, output, *options, "--resume")
    assert done.returncode == 1, done.stderr
    assert output.read_bytes() == local.read_bytes()


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("127.0.0.1:9", "no Ray cluster at 127.0.0.1:9"),
        ("somewhere", "expected HOST:PORT"),
    ],
)
def test_a_cluster_that_is_not_there_is_told(address: str, message: str) -> None:
    with pytest.raises(ClusterError, match=message):
        Cluster(address)


@pytest.mark.slow
def test_without_an_address_ray_starts_here_and_ends_with_the_run(
    pages: Path, tmp_path: Path
) -> None:
    few = pages / "8.html"
    assert classify(few, tmp_path / "local.jsonl").returncode == 0
    done = classify(few, tmp_path / "ray.jsonl", "--engine", "ray")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert (tmp_path / "ray.jsonl").read_bytes() == (tmp_path / "local.jsonl").read_bytes()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-", "--engine", "ray"], "cannot read this process's standard input"),
        (["x.html", "--ray-address", "127.0.0.1:6379"], "--ray-address is for --engine ray"),
    ],
)
def test_what_ray_cannot_do_is_wrong_usage(options: list[str], message: str) -> None:
    done = subprocess.run(
        [*FAQRA, *options], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
