"""The command `faqra`: which subcommands there are, and how each ends.

A subcommand is a module of `faqra.commands`; this module knows none of their options, only
what their errors mean to a shell.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import faqra
from faqra.commands import classify, data, evaluate, export, pretrain, serve, train
from faqra.usage import UsageError
from faqra.voice import say
from faqra_data.errors import FaqraError

INTERRUPTED = 130  # 128 + SIGINT, as shells report it
READER_GONE = 141  # 128 + SIGPIPE


class Command(Protocol):
    """A module of `faqra.commands`, named as its subcommand.

    Such modules import at the top only what is quick, as all of them are imported for
    `faqra --help`.
    """

    __name__: str

    def add_parser(
        self, subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]"
    ) -> object:
        """Declare the subcommand and its options."""
        ...

    def run(self, args: argparse.Namespace) -> int:
        """Do the work; the answer is the exit code."""
        ...


COMMANDS: tuple[Command, ...] = (classify, serve, evaluate, train, pretrain, export, data)


class _Version(argparse.Action):
    """Prints the version; looked up only when asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        sys.stdout.write(f"faqra {faqra.__version__}\n")
        parser.exit()


def build_parser() -> argparse.ArgumentParser:
    """The whole command line, every subcommand included."""
    parser = argparse.ArgumentParser(
        prog="faqra",
        description="Tells what each paragraph of an Arabic news page is: a factual report, "
        "an official quote, editorial commentary or boilerplate.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND")
    for command in COMMANDS:
        command.add_parser(subparsers)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code and lets no traceback reach the user."""
    _replace_closed_streams()
    try:
        code = _run(argv)
        if sys.stdout is not None:
            sys.stdout.flush()  # a reader that is gone is noticed here, not at the exit
        return code
    except SystemExit as exit_:  # argparse's help and complaints
        return exit_.code if isinstance(exit_.code, int) else 1
    except UsageError as error:
        return _complain(f"{error}", 2)
    except FaqraError as error:
        return _complain(f"{error}", 1)
    except KeyboardInterrupt:
        return _complain("interrupted", INTERRUPTED)
    except BrokenPipeError:
        # Python flushes stdout once more at its end; that must meet no closed pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return READER_GONE
    except OSError as error:
        return _complain(f"{error}", 1)
    except Exception as error:
        if os.environ.get("FAQRA_TRACEBACK"):
            raise
        kind = type(error).__name__
        return _complain(
            f"unexpected {kind}: {error}; this is a fault of faqra's: please report it with what "
            "FAQRA_TRACEBACK=1 shows",
            1,
        )


def _replace_closed_streams() -> None:
    """Nothing to read and nobody to tell, where a service manager or `<&-` closed the streams.

    A closed stdout is left: results that are wanted there would be lost without a word.
    """
    if sys.stdin is None:
        sys.stdin = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 - open to the end
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115


def _run(argv: Sequence[str] | None) -> int:
    parser = build_parser()
    args = parser.parse_args(argv)
    if args.command is None:
        parser.print_help()
        return 0
    commands = {command.__name__.rpartition(".")[2]: command for command in COMMANDS}
    return commands[args.command].run(args)


def _complain(message: str, code: int) -> int:
    say(*message.split("\n"))
    return code
