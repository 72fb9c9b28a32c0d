"""`faqra pretrain`: a recipe in, an encoder learned from unlabelled pages out.

This module does not know how an encoder learns (`faqra_training.pretraining`).
"""

import argparse
from pathlib import Path

from faqra.commands.train import add_recipe_options
from faqra.extras import needing, without_warnings
from faqra.voice import say


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare `faqra pretrain`."""
    parser = subparsers.add_parser(
        "pretrain",
        help="learn an encoder from unlabelled pages as a recipe says",
        description="Learns a tokenizer and an encoder from Parquet or JSON Lines files with title "
        "and text. A run that was stopped goes on when the same command is given again.",
    )
    add_recipe_options(parser)


def run(args: argparse.Namespace) -> int:
    """Pretrain what the recipe says."""
    from faqra_training.recipe import PretrainingRecipe  # noqa: PLC0415 - other commands wait for none of it

    recipe = PretrainingRecipe.read(args.recipe, args.overrides)
    with without_warnings():
        with needing("train", "Pretraining"):
            from faqra_training.pretraining import pretrain  # noqa: PLC0415 - seconds to import

        encoder = pretrain(recipe, args.output or Path("runs") / recipe.name, tell=say)
    say(f"{encoder}: the encoder; name it in a recipe of 'faqra train'")
    return 0
