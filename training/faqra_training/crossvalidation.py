"""Leave-outlet-out: each outlet judged by a model that has read none of its pages.

How good a recipe is on newspapers that its training data lack, measured on the training data
themselves. Every fold is a whole training run with a folder of its own; folds that are done
are not done again.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faqra_data.corpus import LabelledArticle, read_corpus
from faqra_data.errors import RecipeError
from faqra_data.splits import outlet_folds, split, without_leaks
from faqra_models.folder import RUN_MODEL
from faqra_training.baselines import TFIDF, baseline_probabilities
from faqra_training.claims import claim
from faqra_training.corpora import Corpora
from faqra_training.evaluation import Comparison, gold_labels, probabilities
from faqra_training.learning import learn
from faqra_training.recipe import TrainingRecipe
from faqra_training.run import write_model
from faqra_training.scores import score

_TOGETHER, _ALONE = "together", "alone"


def leave_outlets_out(
    recipe: TrainingRecipe,
    folder: Path,
    *,
    folds: int,
    judged: Sequence[str] = (),
    tell: Callable[[str], None],
) -> Comparison:
    """The recipe's scores, and TF-IDF's, on outlets held out in turn.

    The outlets of the files `judged` (all of the recipe's `train` unless named) are divided into
    `folds`. For each, a model learns from the pages of all other outlets that share no text with
    the fold, `dev_share` of them set apart to choose its weights on, and judges the fold. Scores
    are over the paragraphs of all folds. The recipe's `dev` is read by none of the models, and
    where the recipe says to drop leaks nothing that shares text with it; so the models, left as
    `fold-N/model`, may teach one that is chosen on `dev`.
    """
    if recipe.teachers:
        raise RecipeError(
            "teachers: they may have read the outlets that are held out; leave them out of a "
            "recipe whose scores on unseen outlets are asked"
        )
    columns = {"text_column": recipe.text_column, "label_column": recipe.label_column}
    articles = read_corpus(recipe.train, labels=recipe.labels, **columns)
    if recipe.dev and recipe.leaks == "drop":
        dev = read_corpus(recipe.dev, labels=recipe.labels, **columns)
        articles = without_leaks(articles, dev)
    wanted = read_corpus(judged or recipe.train, labels=recipe.labels, **columns)
    fold_of = outlet_folds(wanted, folds, seed=recipe.seed)
    claim(
        folder,
        {"recipe": recipe.to_dict(), "folds": {"count": folds, "judged": list(judged)}},
        command="faqra train --leave-outlets-out",
        begun=any(folder.glob("fold-*")),
    )
    answers: dict[str, list[NDArray[np.float64]]] = {}
    in_order: list[LabelledArticle] = []
    for fold in range(folds):
        held_out = [article for article, own in zip(wanted, fold_of, strict=True) if own == fold]
        path = folder / f"fold-{fold + 1}.json"
        if not path.exists():
            tell(f"fold {fold + 1} of {folds}: {_outlets(held_out)}")
            _write(path, _judge(recipe, articles, held_out, path.with_suffix(""), tell))
        for name, each in _read(path).items():
            answers.setdefault(name, []).append(each)
        in_order += held_out
    gold, numbers = gold_labels(in_order, recipe.labels)
    scores = {
        name: score(recipe.labels, gold, np.concatenate(each), numbers)
        for name, each in answers.items()
    }
    return Comparison(scores.pop(_TOGETHER), scores.pop(_ALONE), scores)


def _judge(
    recipe: TrainingRecipe,
    articles: Sequence[LabelledArticle],
    held_out: Sequence[LabelledArticle],
    folder: Path,
    tell: Callable[[str], None],
) -> dict[str, NDArray[np.float64]]:
    """What a model that knows no outlet of `held_out` answers on it, and what TF-IDF does."""
    outlets = {article.source for article in held_out if article.source}
    others = [article for article in articles if article.source not in outlets]
    shares = {"train": 1 - recipe.dev_share, "dev": recipe.dev_share}
    parts = split(without_leaks(others, held_out), shares, seed=recipe.seed)
    learned = learn(recipe, Corpora(parts["train"], parts["dev"]), folder, tell=tell)
    classifier = learned.classifier
    history = {"recipe": recipe.to_dict(), "held_out": sorted(outlets)}
    write_model(folder / RUN_MODEL, learned, replace(classifier.settings, history=history))
    normaliser = classifier.settings.normaliser
    baselines = baseline_probabilities(parts["train"], held_out, recipe.labels, normaliser)
    return {
        _TOGETHER: probabilities(classifier, held_out, context=True),
        _ALONE: probabilities(classifier, held_out, context=False),
        TFIDF: baselines[TFIDF],
    }


def _outlets(articles: Sequence[LabelledArticle]) -> str:
    names = sorted({article.source or "unnamed" for article in articles})
    paragraphs = sum(len(article.paragraphs) for article in articles)
    shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
    return f"{len(articles):,} pages, {paragraphs:,} paragraphs of {shown}"


def _write(path: Path, answers: dict[str, NDArray[np.float64]]) -> None:
    part = path.with_suffix(".part")
    text = json.dumps({name: each.tolist() for name, each in answers.items()})
    part.write_text(text + "\n", encoding="utf-8")
    part.replace(path)


def _read(path: Path) -> dict[str, NDArray[np.float64]]:
    answers = json.loads(path.read_text(encoding="utf-8"))
    return {name: np.array(each) for name, each in answers.items()}
