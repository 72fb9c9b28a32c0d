"""What a run learns from and is chosen on: two parts of labelled articles without a leak.

This module does not know models; what is read of a recipe is its data.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from faqra_data.article import Article
from faqra_data.corpus import LabelledArticle, corpus_digest, read_corpus
from faqra_data.splits import check_leaks, split, without_leaks
from faqra_training.recipe import TrainingRecipe


@dataclass(frozen=True, eq=False)
class Corpora:
    """The articles of both parts in the order of their files, and pages without labels."""

    train: list[LabelledArticle]
    dev: list[LabelledArticle]
    unlabelled: list[Article] = field(default_factory=list)

    def digests(self) -> dict[str, str]:
        """The fingerprints of both parts."""
        return {"train": corpus_digest(self.train), "dev": corpus_digest(self.dev)}


def read_corpora(recipe: TrainingRecipe, *, allow_leaks: bool = False) -> Corpora:
    """The recipe's corpora; CorpusError where they are faulty or share text.

    Where the recipe says to drop leaks, train articles that share text with dev are left out.
    Without files for `dev` a share of `train` is set apart, linked articles kept together.
    """
    columns = {"text_column": recipe.text_column, "label_column": recipe.label_column}
    train = read_corpus(recipe.train, labels=recipe.labels, **columns)
    if not recipe.dev:
        shares = {"train": 1 - recipe.dev_share, "dev": recipe.dev_share}
        parts = split(train, shares, seed=recipe.seed)
        return Corpora(parts["train"], parts["dev"])
    dev = read_corpus(recipe.dev, labels=recipe.labels, **columns)
    if recipe.leaks == "drop":
        train = without_leaks(train, dev)
    elif not allow_leaks:
        check_leaks({"train": train, "dev": dev})
    return Corpora(train, dev)


def described(
    articles: Sequence[LabelledArticle], labels: Sequence[str], paths: Sequence[str]
) -> dict[str, Any]:
    """One part as a model's history keeps it: where it came from, its digest and its counts."""
    counts = Counter(label for article in articles for label in article.labels)
    return {
        "paths": list(paths),
        "digest": corpus_digest(articles),
        "articles": len(articles),
        "paragraphs": counts.total(),
        "labels": {label: counts[label] for label in labels},
    }
