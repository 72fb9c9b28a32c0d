"""How the command ends: its exit codes, and that only readable lines reach the user."""

import argparse
import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

import pytest

from faqra import cli
from faqra.usage import UsageError
from faqra.voice import say
from faqra_data.errors import ModelError

ROOT = Path(__file__).parents[1]
PATH = os.pathsep.join(map(str, [ROOT, ROOT / "data", ROOT / "models"]))
ENVIRONMENT = {**os.environ, "PYTHONPATH": PATH, "HF_HUB_OFFLINE": "1"}


class Failing:
    """A subcommand that ends with the error it is given."""

    __name__ = "faqra.commands.fail"

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def add_parser(self, subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
        subparsers.add_parser("fail")

    def run(self, args: argparse.Namespace) -> int:
        raise self._error


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (ModelError("model: no such folder"), 1, "faqra: model: no such folder"),
        (UsageError("--only x: no such label"), 2, "faqra: --only x: no such label"),
        (KeyboardInterrupt(), 130, "faqra: interrupted"),
        (OSError(28, "No space left on device"), 1, "No space left on device"),
        (ZeroDivisionError("division by zero"), 1, "unexpected ZeroDivisionError"),
    ],
)
def test_every_error_is_one_line_and_a_code(
    error: BaseException,
    code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(cli, "COMMANDS", (Failing(error),))
    assert cli.main(["fail"]) == code
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.err.count("\n") == 1
    assert "Traceback" not in captured.err
    assert captured.out == ""


def test_a_developer_can_ask_for_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "COMMANDS", (Failing(ZeroDivisionError()),))
    monkeypatch.setenv("FAQRA_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError):
        cli.main(["fail"])


@pytest.mark.parametrize("arguments", [["nonsense"], ["classify", "--to", "docx"], ["--wrong"]])
def test_wrong_usage_is_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(arguments) == 2
    assert capsys.readouterr().err.startswith("usage: faqra")


@pytest.mark.parametrize("arguments", [[], ["--help"], ["classify", "--help"]])
def test_help_is_code_0(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(arguments) == 0
    assert "classify" in capsys.readouterr().out


def test_the_version_is_the_installed_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda name: f"1.2.3 of {name}")
    monkeypatch.delattr("faqra.__version__", raising=False)
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == "faqra 1.2.3 of faqra\n"
    monkeypatch.delattr("faqra.__version__", raising=False)


def test_a_name_that_is_no_text_can_be_said(capsys: pytest.CaptureFixture[str]) -> None:
    say("left out " + os.fsdecode(b"page-\xff.html"))
    assert capsys.readouterr().err == "faqra: left out page-\\udcff.html\n"


def test_closed_streams_stop_nothing() -> None:
    code = (
        "import sys; sys.stdin = sys.stderr = sys.stdout = None; from faqra.cli import main; "
        "sys.exit(main(['classify', 'no-such-file', '--model', 'no-such-model']))"
    )
    assert _python("-c", code).returncode == 2


def test_importing_faqra_loads_none_of_its_rooms() -> None:
    code = (
        "import sys, faqra; "
        "print([m for m in sys.modules if m.startswith(('faqra_', 'numpy', 'argparse'))])"
    )
    assert _python("-c", code).stdout == "[]\n"


def test_help_waits_for_no_heavy_package() -> None:
    code = (
        "import sys; from faqra.cli import main; main(['classify', '--help']); "
        "heavy = {'numpy', 'pyarrow', 'rich', 'torch', 'tokenizers', 'onnxruntime'}; "
        "sys.exit(str(heavy & sys.modules.keys()) if heavy & sys.modules.keys() else 0)"
    )
    assert _python("-c", code).returncode == 0


def test_the_front_door_gives_what_it_names() -> None:
    code = "import faqra; print(faqra.Article.__name__, faqra.FaqraError.__name__, dir(faqra))"
    assert _python("-c", code).stdout.startswith("Article FaqraError ['Article',")
    missing = _python("-c", "import faqra; faqra.nothing")
    assert "module 'faqra' has no attribute 'nothing'" in missing.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGPIPE")
def test_a_reader_that_leaves_is_met_with_silence() -> None:
    code = (
        "import sys\nfrom faqra import cli\n"
        "class Endless:\n"
        "    __name__ = 'x.endless'\n"
        "    def add_parser(self, subparsers): subparsers.add_parser('endless')\n"
        "    def run(self, args):\n"
        "        while True: sys.stdout.write('line\\n')\n"
        "cli.COMMANDS = (Endless(),)\n"
        "sys.exit(cli.main(['endless']))\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == "line\n"
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(timeout=20) == 141
    process.stderr.close()


def _python(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        timeout=30,
        check=False,
    )
