"""`faqra train`: a recipe in, a sealed model folder with its card out.

The recipe is checked before anything heavy is imported. This module does not know how a model
learns (`faqra_training.run`).
"""

import argparse
from pathlib import Path

from faqra.extras import needing, without_warnings
from faqra.score_tables import print_scores
from faqra.usage import UsageError
from faqra.voice import say

_EXAMPLES = """\
examples:
  faqra train training/recipes/authored.toml
  faqra train my.toml -o runs/trial --set learning_rate=5e-5 epochs=4
  torchrun --standalone --nproc_per_node 2 -m faqra train my.toml     a process a GPU

A run that was stopped goes on when the same command is given again. Paths in a recipe are
relative to the working directory. The model is in FOLDER/model; naming FOLDER means it too.
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare `faqra train`."""
    parser = subparsers.add_parser(
        "train",
        help="fine-tune a classifier as a recipe says",
        description="Fine-tunes an encoder on labelled articles, scores it beside two baselines "
        "and writes a model folder with its card.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_recipe_options(parser)
    parser.add_argument(
        "--no-leak-check",
        dest="leak_check",
        action="store_false",
        help="train even where train and dev share paragraphs (scores will flatter)",
    )
    parser.add_argument(
        "--leave-outlets-out",
        type=int,
        metavar="FOLDS",
        help="instead of a model, make scores on outlets of the training data that are held out "
        "in turn: one training run for each of FOLDS groups of outlets",
    )
    parser.add_argument(
        "--judged",
        nargs="+",
        default=[],
        metavar="FILE",
        help="with --leave-outlets-out: the training files whose outlets are held out and judged "
        "(default: all)",
    )


def add_recipe_options(parser: argparse.ArgumentParser) -> None:
    """The options of every command that runs a recipe."""
    parser.add_argument("recipe", type=Path, metavar="RECIPE", help="TOML file")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FOLDER",
        help="folder of the run (default: runs/ and the recipe's name)",
    )
    parser.add_argument(
        "--set",
        dest="overrides",
        nargs="+",
        action="extend",
        default=[],
        metavar="KEY=VALUE",
        help="settings that replace the recipe's, the values in TOML's form",
    )


def run(args: argparse.Namespace) -> int:
    """Train what the recipe says."""
    from faqra_training.recipe import TrainingRecipe  # noqa: PLC0415 - other commands wait for none of it

    recipe = TrainingRecipe.read(args.recipe, args.overrides)
    folds = args.leave_outlets_out
    if folds is not None and folds < 2:
        raise UsageError(f"--leave-outlets-out {folds}: expected two folds or more")
    if folds is None and args.judged:
        raise UsageError("--judged is for --leave-outlets-out")
    with without_warnings():
        with needing("train", "Training"):
            from faqra_training.crossvalidation import leave_outlets_out  # noqa: PLC0415 - as above
            from faqra_training.run import train  # noqa: PLC0415 - seconds to import

        folder = args.output or Path("runs") / recipe.name
        if folds is not None:
            found = leave_outlets_out(recipe, folder, folds=folds, judged=args.judged, tell=say)
            print_scores(found.own, found.others)
            return 0
        train(recipe, folder, allow_leaks=not args.leak_check, tell=say)
    return 0
