"""What other models say of pages, as labels for one that learns from them.

An ensemble's answers in place of hard labels are knowledge distillation (Hinton et al. 2015), and
on pages without labels self-training (Xie et al. 2020). This module does not know how a student
learns.
"""

import glob
import random
from collections.abc import Iterable, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from faqra_data.article import Article
from faqra_data.corpus import LabelledArticle
from faqra_data.errors import RecipeError
from faqra_models.classifier import Classifier
from faqra_models.loading import load_classifier, open_folder
from faqra_training.packing import read_pages
from faqra_training.recipe import TrainingRecipe


def teacher_folders(recipe: TrainingRecipe) -> dict[str, str]:
    """The recipe's teachers, each with its digest.

    Raises RecipeError where one is not there or has other labels, ModelError where it is broken.
    """
    folders: dict[str, str] = {}
    for pattern in recipe.teachers:
        paths = sorted(glob.glob(pattern))
        if not paths:
            raise RecipeError(
                f"teachers: no such folder: {pattern} (paths are relative to the working directory)"
            )
        for path in paths:
            folder = open_folder(path)
            if folder.settings.labels != recipe.labels:
                raise RecipeError(
                    f"teachers: {path}: its labels are {', '.join(folder.settings.labels)}, "
                    f"expected the recipe's: {', '.join(recipe.labels)}"
                )
            folders[path] = folder.digest
    return folders


def read_unlabelled(recipe: TrainingRecipe, dev: Iterable[LabelledArticle]) -> list[Article]:
    """As many pages as the recipe says, drawn from its unlabelled files by its seed.

    Pages that hold a paragraph of `dev` are never drawn.
    """
    if not recipe.unlabelled:
        return []
    pages = (
        (title, paragraphs)
        for title, *paragraphs in read_pages(
            recipe.unlabelled,
            recipe.make_normaliser(),
            exclude=(text for article in dev for text in article.paragraphs),
        )
        if paragraphs
    )
    chance = random.Random(recipe.seed)
    drawn = list(islice(pages, recipe.unlabelled_pages))
    # Every page is as likely to be among the drawn (reservoir sampling).
    for seen, page in enumerate(pages, start=len(drawn) + 1):
        place = chance.randrange(seen)
        if place < len(drawn):
            drawn[place] = page
    return [
        Article.from_paragraphs(f"unlabelled-{number}", paragraphs, title=title)
        for number, (title, paragraphs) in enumerate(drawn)
    ]


def mean_answers(folders: Iterable[str], articles: Sequence[Article]) -> list[NDArray[np.float64]]:
    """The teachers' mean probabilities in context, for each article of shape (paragraphs, labels).

    One teacher after the other is in memory.
    """
    sums: list[NDArray[np.float64]] = []
    count = 0
    for folder in folders:
        answers = _answers(load_classifier(folder), articles)
        sums = [a + b for a, b in zip(sums, answers, strict=True)] if sums else answers
        count += 1
    return [each / count for each in sums]


def _answers(teacher: Classifier, articles: Sequence[Article]) -> list[NDArray[np.float64]]:
    return [
        np.array([list(p.probabilities.values()) for p in result.predictions]).reshape(
            len(result.predictions), len(teacher.labels)
        )
        for result in teacher.classify_articles(articles)
    ]
