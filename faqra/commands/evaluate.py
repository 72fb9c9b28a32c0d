"""`faqra evaluate`: a model's scores on labelled articles, in their pages and one by one.

This module does not know how scores are computed (`faqra_training.scores`).
"""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from faqra.commands.classify import DEVICES
from faqra.extras import needing, without_warnings
from faqra.score_tables import print_scores

if TYPE_CHECKING:
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
        print_scores(results, others)
    return 0


def _baselines(
    classifier: "Classifier", train: "list[LabelledArticle]", articles: "list[LabelledArticle]"
) -> "dict[str, Scores]":
    with needing("train", "Training baselines"):
        from faqra_training.baselines import baseline_scores  # noqa: PLC0415 - slow to import

    normaliser = classifier.settings.normaliser
    return baseline_scores(train, articles, classifier.labels, normaliser)
