"""`faqra evaluate`: a model's scores on labelled articles, in their pages and one by one.

This module does not know how scores are computed (`faqra_training.scores`).
"""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from faqra.commands.classify import DEVICES
from faqra.extras import needing, without_warnings

if TYPE_CHECKING:
    from rich.console import Console

    from faqra_data.corpus import LabelledArticle
    from faqra_models.classifier import Classifier
    from faqra_training.scores import Scores

_EXAMPLES = """\
examples:
  faqra evaluate runs/trial dev.jsonl                          tables on the terminal
  faqra evaluate runs/trial dev.jsonl --json | jq .macro_f1
  faqra evaluate runs/trial dev.jsonl --baselines train.jsonl --picture confusion.png

DATA are labelled articles as JSON Lines (id, paragraphs, labels), or .csv and .parquet with a
text and a label column.
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare `faqra evaluate`."""
    parser = subparsers.add_parser(
        "evaluate",
        help="score a model on labelled articles",
        description="Scores a model on labelled articles, each paragraph judged in its page and "
        "by itself.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", metavar="MODEL", help="model folder, hub id or Bento tag")
    parser.add_argument("data", nargs="+", metavar="DATA", help="files or globs")
    parser.add_argument(
        "--json", dest="as_json", action="store_true", help="print one JSON object instead"
    )
    parser.add_argument(
        "--no-context",
        dest="context",
        action="store_false",
        help="judge each paragraph by itself only",
    )
    parser.add_argument("--device", choices=DEVICES, default="auto", help="where the model runs")
    parser.add_argument(
        "--picture", type=Path, metavar="FILE.png", help="draw the confusion matrix there"
    )
    parser.add_argument(
        "--baselines",
        nargs="+",
        default=[],
        metavar="TRAIN",
        help="score the commonest class and TF-IDF + logistic regression too, trained on these",
    )
    parser.add_argument("--text-column", default="text", metavar="NAME")
    parser.add_argument("--label-column", default="label", metavar="NAME")


def run(args: argparse.Namespace) -> int:
    """Print the scores of the model that the command line names."""
    from faqra_data.corpus import read_corpus  # noqa: PLC0415 - other commands wait for none of these
    from faqra_models.loading import load_classifier  # noqa: PLC0415
    from faqra_training.evaluation import evaluate  # noqa: PLC0415

    with without_warnings():
        classifier = load_classifier(args.model, device=args.device)
        columns = {"text_column": args.text_column, "label_column": args.label_column}
        articles = read_corpus(args.data, labels=classifier.labels, **columns)
        others: dict[str, Scores] = {}
        if args.baselines:
            train = read_corpus(args.baselines, labels=classifier.labels, **columns)
            others = _baselines(classifier, train, articles)
        together = args.context and classifier.settings.context
        results = {"in context": evaluate(classifier, articles)} if together else {}
        if not (args.as_json and together):
            results["paragraph by paragraph"] = evaluate(classifier, articles, context=False)
        first = next(iter(results.values()))
        if args.picture is not None:
            with needing("train", "Drawing"):
                from faqra_training.curves import draw_confusion  # noqa: PLC0415 - slow to import

            draw_confusion(first, args.picture)
    if args.as_json:
        values = first.to_dict()
        if others:
            values["baselines"] = {name: scores.to_dict() for name, scores in others.items()}
        print(json.dumps(values, ensure_ascii=False))  # noqa: T201 - the command's result
    else:
        _print_tables(results, others)
    return 0


def _baselines(
    classifier: "Classifier", train: "list[LabelledArticle]", articles: "list[LabelledArticle]"
) -> "dict[str, Scores]":
    with needing("train", "Training baselines"):
        from faqra_training.baselines import baseline_scores  # noqa: PLC0415 - slow to import

    normaliser = classifier.settings.normaliser
    return baseline_scores(train, articles, classifier.labels, normaliser)


def _print_tables(results: "dict[str, Scores]", others: "dict[str, Scores]") -> None:
    from rich.console import Console  # noqa: PLC0415 - 0.1 s, and --json needs none of it

    # In a file no line is to be broken for a terminal that is not there.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    rows = [
        [
            name,
            f"{one.macro_f1:.4f}",
            f"{one.interval[0]:.3f} to {one.interval[1]:.3f}",
            f"{one.accuracy:.4f}",
            f"{one.ece:.4f}",
            f"{one.n:,}",
        ]
        for name, one in {**results, **others}.items()
    ]
    head = ["", "macro-F1", "95 % interval", "accuracy", "ECE", "paragraphs"]
    _print_table(console, "Scores", head, rows)
    for name, scores in results.items():
        rows = [
            [
                label,
                f"{one.precision:.4f}",
                f"{one.recall:.4f}",
                f"{one.f1:.4f}",
                f"{one.support:,}",
            ]
            for label, one in scores.per_label.items()
        ]
        head = ["label", "precision", "recall", "F1", "paragraphs"]
        _print_table(console, f"By label, {name}", head, rows)
        rows = [
            [label, *(f"{count:,}" for count in counts)]
            for label, counts in zip(scores.labels, scores.confusion.tolist(), strict=True)
        ]
        _print_table(console, f"Confusion, {name}", ["gold \\ given", *scores.labels], rows)


def _print_table(console: "Console", title: str, head: list[str], rows: list[list[str]]) -> None:
    from rich.markup import escape  # noqa: PLC0415 - as above
    from rich.table import Table  # noqa: PLC0415

    table = Table(title=title, title_justify="left", title_style="bold")
    for number, name in enumerate(head):
        table.add_column(escape(name), justify="right" if number else "left")
    for row in rows:
        table.add_row(*map(escape, row))
    console.print(table)
