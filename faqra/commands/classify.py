"""`faqra classify`: pages in, one labelled row a paragraph or an article out.

Usage is checked before a model is loaded; then everything is a stream: what is read is
classified, filtered and written, and forgotten. This module does not know who classifies
(`faqra.engines`), nor the forms of outputs (`faqra.writers`).
"""

import argparse
import sys
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from faqra.engines import ENGINES, Engine, open_engine
from faqra.output import (
    choose_format,
    is_file_to_be,
    journal_beside,
    local_output,
    open_output,
    refuse_overlap,
)
from faqra.usage import UsageError
from faqra.voice import say

if TYPE_CHECKING:
    from faqra_models.prediction import ArticlePredictions
    from faqra_serving.journal import Journal

# As in faqra.writers.writer and faqra_models.loading, which are slow to import.
FORMATS = ("table", "jsonl", "csv", "parquet", "html")
ARTICLE_FORMATS = ("jsonl", "parquet")
DEVICES = ("auto", "cpu", "cuda")

_EXAMPLES = """\
examples:
  faqra classify page.html                        a table on the terminal
  faqra classify pages/ -o report.html            a report to read and filter
  faqra classify news.jsonl.gz -o labelled.parquet
  faqra classify pages/ --rows article --only factual_report -o cleaned.parquet
  faqra classify page.html --only factual_report | jq -r .text

Inputs are .txt, .html, .jsonl, .csv, .parquet and .warc files, folders of them, globs, or - for
standard input. Exit code: 0; 1 where some inputs were left out; 2 for wrong usage.
"""


@dataclass(frozen=True)
class ClassifyOptions:
    """What the command line says; `output` None is stdout."""

    inputs: tuple[str, ...]
    output: Path | None = None
    to: str | None = None
    by_article: bool = False
    model: str | None = None
    device: str = "auto"
    only: tuple[str, ...] = ()
    min_confidence: float = 0.0
    context: bool = True
    text_column: str = "text"
    resume: bool = False
    engine: str = "local"
    ray_address: str | None = None


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare `faqra classify`."""
    parser = subparsers.add_parser(
        "classify",
        help="label every paragraph of pages, files or folders",
        description="Labels every paragraph of Arabic news pages.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "inputs", nargs="*", type=_name, metavar="INPUT", help="file, folder, glob, URL or -"
    )
    parser.add_argument(
        "-o", "--output", type=_name, metavar="OUTPUT", help="file to write (default: stdout)"
    )
    parser.add_argument(
        "--to",
        choices=FORMATS,
        help="format (default: by the ending of OUTPUT; else a table on a terminal, "
        "JSON Lines into a pipe)",
    )
    parser.add_argument(
        "--rows",
        choices=("paragraph", "article"),
        default="paragraph",
        help="what a row is: a paragraph, or an article with the paragraphs that are kept, as in "
        "a labelled corpus (jsonl and parquet only)",
    )
    parser.add_argument(
        "--model",
        type=_name,
        metavar="REF",
        help="model folder, hub id or Bento tag (default: the bundled model)",
    )
    parser.add_argument("--device", choices=DEVICES, default="auto", help="where the model runs")
    parser.add_argument(
        "--only",
        nargs="+",
        action="extend",
        default=[],
        metavar="LABEL",
        help="write only paragraphs with these labels",
    )
    parser.add_argument(
        "--min-confidence",
        type=_probability,
        default=0.0,
        metavar="P",
        help="write only paragraphs with at least this confidence, 0 to 1",
    )
    parser.add_argument(
        "--no-context",
        dest="context",
        action="store_false",
        help="judge each paragraph by itself, not in its article",
    )
    parser.add_argument(
        "--text-column",
        type=_name,
        default="text",
        metavar="NAME",
        help="column that holds the text in .jsonl, .csv and .parquet (default: text)",
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on with a run into OUTPUT that was stopped; the result is the same",
    )
    parser.add_argument(
        "--engine",
        choices=ENGINES,
        default="local",
        help="this process, or workers of Ray on all cores of all machines; the rows are the same",
    )
    parser.add_argument(
        "--ray-address",
        type=_name,
        metavar="HOST:PORT",
        help="Ray cluster of --engine ray (default: Ray is started on this machine)",
    )
    parser.set_defaults(print_help=parser.print_help)


def run(args: argparse.Namespace) -> int:
    """Classify what the command line names."""
    if not args.inputs and sys.stdin.isatty():
        if args.only:  # it takes all names that follow
            raise UsageError(
                f"--only {' '.join(args.only)}: no INPUT is left; inputs stand before --only"
            )
        args.print_help()
        return 0
    options = ClassifyOptions(
        inputs=tuple(args.inputs) or ("-",),
        output=None if args.output in (None, "-") else local_output(args.output),
        to=args.to,
        by_article=args.rows == "article",
        model=args.model,
        device=args.device,
        only=tuple(args.only),
        min_confidence=args.min_confidence,
        context=args.context,
        text_column=args.text_column,
        resume=args.resume,
        engine=args.engine,
        ray_address=args.ray_address,
    )
    if options.ray_address is not None and options.engine != "ray":
        raise UsageError("--ray-address is for --engine ray: add that")
    with _journal(options) as journal:
        return run_classify(options, lambda: _open_engine(options, journal))


def run_classify(
    options: ClassifyOptions, open_engine: Callable[[], "AbstractContextManager[Engine]"]
) -> int:
    """The exit code: 0, or 1 where some inputs were left out.

    The engine is opened when all else is known to be possible.
    """
    terminal = sys.stdout is not None and sys.stdout.isatty()
    format_ = _format(options, terminal=terminal)
    if options.output is not None:
        refuse_overlap(options.output, options.inputs)
    from faqra.progress import ProgressBar  # noqa: PLC0415 - wrong usage and --help need none
    from faqra.rejections import Rejections  # noqa: PLC0415
    from faqra.writers.writer import open_writer  # noqa: PLC0415

    emptied = _Emptied()
    with (
        open_output(options.output) as stream,
        Rejections(options.output) as rejections,
        open_engine() as engine,
    ):
        _check_labels(options.only, engine.labels)
        writer = open_writer(format_, stream, engine.labels, by_article=options.by_article)
        apart = options.output is not None or not terminal
        with ProgressBar(_total_bytes(options), wanted=apart) as progress:
            for result in engine.results(rejections.add, progress.read):
                emptied.note(result)
                kept = _selected(result, options)
                if kept.predictions:
                    writer.write(kept)
                progress.advance(prediction.label for prediction in result.predictions)
        writer.close()
    emptied.tell()
    if options.output is not None:
        progress.tell()
    return 1 if rejections.count else 0


def _format(options: ClassifyOptions, *, terminal: bool) -> str:
    """The format of the output, one that has rows of articles where these are asked for."""
    wanted = options.to
    if options.by_article and options.output is None:
        wanted = wanted or "jsonl"
    format_ = choose_format(wanted, options.output, terminal=terminal)
    if options.by_article and format_ not in ARTICLE_FORMATS:
        raise UsageError(
            f"--rows article: expected the format {' or '.join(ARTICLE_FORMATS)}, got {format_}; "
            "choose it by the ending of OUTPUT or with --to"
        )
    return format_


def _journal(options: ClassifyOptions) -> "AbstractContextManager[Journal | None]":
    """What keeps the answers until the output is whole: none where that cannot be resumed."""
    if options.output is None or not is_file_to_be(options.output):
        if options.resume:
            raise UsageError("--resume needs a file: add -o OUTPUT, the one of the stopped run")
        return nullcontext()
    from faqra_serving.journal import Journal  # noqa: PLC0415 - --help need none

    path = journal_beside(options.output)
    if path.exists() and not options.resume:
        raise UsageError(
            f"-o {options.output}: a run into it was stopped, and what it had done is in {path}; "
            "add --resume to go on with it, or delete that file to start anew"
        )
    return Journal(path)


def _open_engine(
    options: ClassifyOptions, journal: "Journal | None"
) -> "AbstractContextManager[Engine]":
    from faqra_serving.job import Job  # noqa: PLC0415 - slow to import

    job = Job(options.inputs, options.text_column, options.model, options.device, options.context)
    return open_engine(options.engine, job, journal, address=options.ray_address)


def _total_bytes(options: ClassifyOptions) -> int | None:
    """What there is to read, None where that cannot be known."""
    from faqra_data.inputs import total_bytes  # noqa: PLC0415 - as above

    return None if "-" in options.inputs else total_bytes(options.inputs)


class _Emptied:
    """Paragraphs in which the normaliser left no text: counted, the first ones named."""

    _NAMED = 3

    def __init__(self) -> None:
        self._count = 0
        self._first: list[str] = []

    def note(self, result: "ArticlePredictions") -> None:
        self._count += len(result.emptied)
        for index in result.emptied[: self._NAMED - len(self._first)]:
            self._first.append(f"{result.article.id} paragraph {index}")

    def tell(self) -> None:
        if self._count:
            more = ", ..." if self._count > len(self._first) else ""
            say(
                f"paragraphs with no readable text in them: {self._count} "
                f"({', '.join(self._first)}{more}); their labels rest on their neighbours at best"
            )


def _selected(result: "ArticlePredictions", options: ClassifyOptions) -> "ArticlePredictions":
    kept = tuple(
        prediction
        for prediction in result.predictions
        if prediction.confidence >= options.min_confidence
        and (not options.only or prediction.label in options.only)
    )
    return replace(result, predictions=kept)


def _check_labels(only: Iterable[str], labels: tuple[str, ...]) -> None:
    unknown = [label for label in only if label not in labels]
    if unknown:
        raise UsageError(
            f"--only {' '.join(unknown)}: the model has no such label; expected some of "
            f"{', '.join(labels)} (inputs stand before --only)"
        )


def _name(text: str) -> str:
    """An empty name is a shell variable that was never set, and would mean this very folder."""
    if not text:
        raise argparse.ArgumentTypeError("expected a name, got an empty one")
    return text


def _probability(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1.0:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 1, got {text!r}")
    return value
