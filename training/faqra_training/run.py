"""A whole training run in one folder, from a recipe to a sealed model with its card.

The folder holds `run.json` (what the run is), `checkpoints/`, `tensorboard/`, `curves.png`,
`confusion.png` and, in the end, `model/`. A run that was killed goes on when it is started
again; how a model learns is `learning`'s.
"""

import glob
import os
import platform
import shutil
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from faqra_data.errors import RecipeError
from faqra_models.folder import CARD, RUN_MODEL, ModelFolder, seal, write_settings
from faqra_models.settings import Settings
from faqra_models.torch_backend import quiet_transformers
from faqra_training.baselines import TFIDF, baseline_scores
from faqra_training.card import model_card
from faqra_training.claims import claim
from faqra_training.corpora import Corpora, described, read_corpora
from faqra_training.curves import draw_confusion, draw_curves
from faqra_training.evaluation import Comparison, compare
from faqra_training.learning import Learned, learn
from faqra_training.progress import say_nothing
from faqra_training.recipe import TrainingRecipe
from faqra_training.teachers import read_unlabelled, teacher_folders
from faqra_training.trainer import CHECKPOINTS, last_whole_checkpoint

_CURVES = "curves.png"
_CONFUSION = "confusion.png"
_VERSIONED = ("faqra", "numpy", "tokenizers", "torch", "transformers")


def train(
    recipe: TrainingRecipe,
    folder: Path,
    *,
    allow_leaks: bool = False,
    tell: Callable[[str], None] = say_nothing,
) -> Path:
    """Run the recipe in `folder`, or go on with it there; the folder of the finished model.

    Raises RecipeError where the recipe names what is not there or the folder holds another
    run, and CorpusError where the data are faulty. `tell` is given a line now and then. Under
    torchrun all processes call this, and the first one writes.
    """
    first = int(os.environ.get("RANK", "0")) == 0
    if not first:
        tell = say_nothing
    notes = _check_places(recipe)
    corpora = read_corpora(recipe, allow_leaks=allow_leaks)
    model = folder / RUN_MODEL
    if first:
        # A run that failed before its first checkpoint has left nothing that is worth keeping.
        begun = model.exists() or last_whole_checkpoint(folder / CHECKPOINTS) is not None
        identity = {
            "recipe": recipe.to_dict(),
            "data": corpora.digests(),
            "teachers": teacher_folders(recipe),
        }
        claim(folder, identity, command="faqra train", begun=begun)
    if model.exists():
        tell(f"{model}: is trained already with this recipe and these data")
        return ModelFolder.open(model).path
    corpora = replace(corpora, unlabelled=read_unlabelled(recipe, corpora.dev))
    for part, articles in (("train", corpora.train), ("dev", corpora.dev)):
        paragraphs = sum(len(article.paragraphs) for article in articles)
        tell(f"{part}: {len(articles)} articles, {paragraphs} paragraphs")
    learned = learn(recipe, corpora, folder, tell=tell)
    if not first:
        return model
    normaliser = learned.classifier.settings.normaliser
    tell("scoring the model and the baselines on dev")
    others = baseline_scores(corpora.train, corpora.dev, recipe.labels, normaliser)
    scores = compare(learned.classifier, corpora.dev, others)
    draw_curves(learned.log, learned.best_step, folder / _CURVES)
    draw_confusion(scores.together, folder / _CONFUSION)
    history = _history(recipe, corpora, learned, scores)
    settings = replace(learned.classifier.settings, history=history)
    write_model(model, learned, settings, model_card(settings, scores, notes))
    tell(
        f"{model}: macro-F1 on dev {scores.together.macro_f1:.3f} in context, "
        f"{scores.alone.macro_f1:.3f} alone; {TFIDF} {others[TFIDF].macro_f1:.3f}"
    )
    return model


def _check_places(recipe: TrainingRecipe) -> str:
    """The text of the recipe's notes; RecipeError names everything that is not there."""
    mistakes = [
        f"{name}: no such file: {pattern} (paths are relative to the working directory)"
        for name, patterns in (("train", recipe.train), ("dev", recipe.dev))
        for pattern in patterns
        if not glob.glob(pattern, recursive=True)
    ]
    # Anything else of the form owner/name may be on the hub.
    if not Path(recipe.encoder).is_dir() and (
        recipe.encoder.count("/") > 1 or recipe.encoder.startswith((".", "~", "/"))
    ):
        mistakes.append(
            f"encoder: no such folder: {recipe.encoder}; expected one that holds config.json and "
            "weights, or a hub id (owner/name)"
        )
    notes = ""
    if recipe.notes:
        try:
            notes = Path(recipe.notes).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            mistakes.append(f"notes: {recipe.notes} is not readable as text: {error}")
    if mistakes:
        raise RecipeError(
            "\n".join(["recipe: not all of it is there", *map("  {}".format, mistakes)])
        )
    return notes


def _history(
    recipe: TrainingRecipe, corpora: Corpora, learned: Learned, scores: Comparison
) -> dict[str, Any]:
    versions = {name: version(name) for name in _VERSIONED}
    return {
        "recipe": recipe.to_dict(),
        "data": {
            "train": described(corpora.train, recipe.labels, recipe.train),
            "dev": described(corpora.dev, recipe.labels, recipe.dev or ("a share of train",)),
        },
        "seed": recipe.seed,
        "versions": {"python": platform.python_version(), **versions},
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "best_step": learned.best_step,
        "scores": {
            "in_context": scores.together.to_dict(),
            "alone": scores.alone.to_dict(),
            **{name: other.to_dict() for name, other in scores.others.items()},
        },
    }


def write_model(path: Path, learned: Learned, settings: Settings, card: str = "") -> None:
    """Write and seal a model folder; it takes its name when it is whole."""
    unfinished = path.with_name(f"{path.name}.part")
    shutil.rmtree(unfinished, ignore_errors=True)
    with quiet_transformers():
        learned.model.save_pretrained(unfinished)
        learned.tokenizer.save_pretrained(unfinished)
    write_settings(unfinished, settings)
    if card:
        (unfinished / CARD).write_text(card, encoding="utf-8")
    seal(unfinished)
    shutil.rmtree(path, ignore_errors=True)  # of a fold that was killed before it was judged
    unfinished.replace(path)
