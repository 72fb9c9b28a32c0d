"""Splits of a corpus without leaks, and the check that there is none.

Articles that share a paragraph stay together; so do, where asked, all articles of an outlet.
Stratified by label as far as that allows. This module does not know how near-duplicates are
found (`duplicates`).
"""

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from faqra_data.corpus import LabelledArticle
from faqra_data.duplicates import clusters, copying, shared_paragraphs
from faqra_data.errors import CorpusError, MissingExtraError

# Parts are made of this many folds, so that a share is met to about 5 %.
_FOLDS = 20


def split(
    articles: Sequence[LabelledArticle],
    shares: Mapping[str, float],
    *,
    by_source: bool = False,
    seed: int = 0,
) -> dict[str, list[LabelledArticle]]:
    """The articles in named parts, e.g. `{"train": 0.8, "dev": 0.1, "test": 0.1}`.

    `shares` count paragraphs and must sum to 1. With `by_source` no outlet stands in two
    parts. Same articles, shares and seed: same parts; the order of articles is kept.
    """
    if not shares or abs(sum(shares.values()) - 1) > 1e-6 or min(shares.values()) <= 0:
        raise CorpusError(f"shares: expected parts above 0 that sum to 1, got {dict(shares)}")
    fold_of = folds(articles, _FOLDS, by_source=by_source, seed=seed)
    names = list(shares)
    sizes = np.bincount(
        fold_of, weights=[len(article.paragraphs) for article in articles], minlength=_FOLDS
    )
    wanted = {name: shares[name] * sizes.sum() for name in names}
    part_of_fold: dict[int, str] = {}
    for fold in np.argsort(-sizes, kind="stable"):
        name = max(names, key=lambda name: wanted[name])
        part_of_fold[int(fold)] = name
        wanted[name] -= sizes[fold]
    parts: dict[str, list[LabelledArticle]] = {name: [] for name in names}
    for article, fold in zip(articles, fold_of, strict=True):
        parts[part_of_fold[fold]].append(article)
    return parts


def folds(
    articles: Sequence[LabelledArticle], count: int, *, by_source: bool = False, seed: int = 0
) -> list[int]:
    """For each article its fold, 0 to `count` - 1; linked articles share one."""
    return _folds(articles, _groups(articles, by_source=by_source), count, seed)


def outlet_folds(articles: Sequence[LabelledArticle], count: int, *, seed: int = 0) -> list[int]:
    """For each article its fold, 0 to `count` - 1; no outlet stands in two.

    Text that outlets share may stand in several folds: whoever learns from the others of a fold
    leaves it out (`without_leaks`). An article without a source is an outlet of its own.
    """
    numbers: dict[str, int] = {}
    groups = [
        numbers.setdefault(article.source or f"\0{place}", len(numbers))
        for place, article in enumerate(articles)
    ]
    return _folds(articles, groups, count, seed)


def _folds(
    articles: Sequence[LabelledArticle], groups: Sequence[int], count: int, seed: int
) -> list[int]:
    """A fold for each article, one for all of a group, with like shares of the labels."""
    try:
        from sklearn.model_selection import StratifiedGroupKFold  # noqa: PLC0415 - a second
    except ImportError as error:
        raise MissingExtraError("scikit-learn", "train", "Splitting a corpus") from error
    if len(set(groups)) < count:
        raise CorpusError(
            f"{len(set(groups))} groups of articles cannot fill {count} folds; "
            "use more articles, or do not group by source"
        )
    lengths = [len(article.paragraphs) for article in articles]
    labels = [label for article in articles for label in article.labels]
    label, most = max(Counter(labels).items(), key=lambda item: item[1], default=("none", 0))
    if most < count:
        raise CorpusError(
            f"{most} paragraphs of the most frequent label ({label}) cannot fill {count} folds; "
            "use more articles"
        )
    splitter = StratifiedGroupKFold(n_splits=count, shuffle=True, random_state=seed)
    positions = np.repeat(np.arange(len(articles)), lengths)
    fold_of = [0] * len(articles)
    with warnings.catch_warnings():
        # That a rare label cannot stand in every fold.
        warnings.simplefilter("ignore", UserWarning)
        parts = list(splitter.split(positions, labels, groups=np.array(groups)[positions]))
    for fold, (_, held_out) in enumerate(parts):
        for position in set(positions[held_out].tolist()):
            fold_of[position] = fold
    return fold_of


def _groups(articles: Sequence[LabelledArticle], *, by_source: bool) -> list[int]:
    """Cluster numbers, merged over each source where asked."""
    numbers = clusters(articles)
    if not by_source:
        return numbers
    merged = list(numbers)
    first_of_source: dict[str, int] = {}
    renamed: dict[int, int] = {}

    def final(number: int) -> int:
        while number in renamed:
            number = renamed[number]
        return number

    for article, number in zip(articles, numbers, strict=True):
        if not article.source:
            continue
        here, there = final(number), final(first_of_source.setdefault(article.source, number))
        if here != there:
            renamed[here] = there
    for position, number in enumerate(numbers):
        merged[position] = final(number)
    return merged


def check_leaks(parts: Mapping[str, Sequence[LabelledArticle]]) -> None:
    """Raise CorpusError where two parts share an article id, a paragraph or a near-duplicate.

    The message names up to ten of the leaks, with the ids of both articles.
    """
    articles = [article for part in parts.values() for article in part]
    part_of = [name for name, part in parts.items() for _ in part]
    leaks: list[str] = []
    home: dict[str, str] = {}
    for article, part in zip(articles, part_of, strict=True):
        if home.setdefault(article.id, part) != part:
            leaks.append(f"article {article.id} stands in {home[article.id]} and in {part}")
    for pair in shared_paragraphs(articles):
        if part_of[pair.first] != part_of[pair.second]:
            how = "the same paragraph" if pair.exact else "a near-duplicate"
            leaks.append(
                f"{part_of[pair.first]} {articles[pair.first].id} and {part_of[pair.second]} "
                f"{articles[pair.second].id} share {how}: {pair.text[:60]}"
            )
    if leaks:
        more = [f"  and {len(leaks) - 10} more"] if len(leaks) > 10 else []
        lines = [f"{len(leaks)} leaks between parts:", *(f"  {leak}" for leak in leaks[:10])]
        raise CorpusError("\n".join(lines + more))


def without_leaks(
    articles: Sequence[LabelledArticle], held_out: Sequence[LabelledArticle]
) -> list[LabelledArticle]:
    """The articles that share no id, paragraph or near-duplicate with those held out; in order."""
    ids = {article.id for article in held_out}
    kept = [article for article in articles if article.id not in ids]
    leaking = copying(kept, held_out)
    return [article for place, article in enumerate(kept) if place not in leaking]
