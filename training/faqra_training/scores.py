"""How good predictions are: per label, over all, calibrated or not, and how sure that is.

Numbers in, numbers out; this module knows neither models nor articles' texts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_CALIBRATION_BINS = 15
_RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class LabelScores:
    """Precision, recall and F1 of one label; 0 where there was nothing to divide by."""

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class Scores:
    """`confusion[i, j]` counts paragraphs of gold label i that were given label j.

    `macro_f1` is the mean F1 over the labels that occur in gold; `interval` is its 95 %
    bootstrap interval, whole articles resampled. `ece` is the expected calibration error with
    15 bins of equal width (Guo et al. 2017).
    """

    labels: tuple[str, ...]
    confusion: NDArray[np.int64]
    macro_f1: float
    interval: tuple[float, float]
    accuracy: float
    ece: float
    n: int

    @property
    def per_label(self) -> dict[str, LabelScores]:
        """The scores of each label, in the model's order."""
        precision, recall, f1 = _precision_recall_f1(self.confusion)
        support = self.confusion.sum(axis=1)
        return {
            label: LabelScores(float(precision[i]), float(recall[i]), float(f1[i]), int(support[i]))
            for i, label in enumerate(self.labels)
        }

    def to_dict(self) -> dict[str, Any]:
        """The object that `faqra evaluate --json` prints."""
        return {
            "macro_f1": self.macro_f1,
            "macro_f1_interval": list(self.interval),
            "per_label": {
                label: {name: getattr(one, name) for name in LabelScores.__slots__}
                for label, one in self.per_label.items()
            },
            "accuracy": self.accuracy,
            "ece": self.ece,
            "n": self.n,
            "confusion": self.confusion.tolist(),
        }


def score(
    labels: Sequence[str],
    gold: NDArray[np.int64],
    probabilities: NDArray[np.float64],
    articles: NDArray[np.int64],
) -> Scores:
    """Scores of `probabilities`, shape (paragraphs, labels), against `gold` label numbers.

    `articles` says by number which article each paragraph is of; the bootstrap resamples these.
    """
    given = probabilities.argmax(axis=1)
    # Counted anew: an article without a paragraph has no number, and a draw must not be of it.
    numbers, owners = np.unique(articles, return_inverse=True)
    count = len(numbers)
    each = np.zeros((count, len(labels), len(labels)), dtype=np.int64)
    np.add.at(each, (owners, gold, given), 1)
    confusion = each.sum(axis=0)
    chance = np.random.default_rng(0)
    # How often each article was drawn, times its confusion counts, is a resample's confusion.
    draws = chance.multinomial(count, np.full(count, 1 / count), size=_RESAMPLES)
    resampled = np.einsum("ra,aij->rij", draws, each)
    low, high = np.quantile([_macro_f1(one) for one in resampled], [0.025, 0.975])
    return Scores(
        labels=tuple(labels),
        confusion=confusion,
        macro_f1=_macro_f1(confusion),
        interval=(float(low), float(high)),
        accuracy=float((given == gold).mean()),
        ece=_calibration_error(probabilities.max(axis=1), given == gold),
        n=len(gold),
    )


def _precision_recall_f1(
    confusion: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    hits = np.diag(confusion).astype(float)
    given, gold = confusion.sum(axis=0), confusion.sum(axis=1)
    precision = np.divide(hits, given, out=np.zeros_like(hits), where=given > 0)
    recall = np.divide(hits, gold, out=np.zeros_like(hits), where=gold > 0)
    f1 = np.divide(2 * hits, given + gold, out=np.zeros_like(hits), where=given + gold > 0)
    return precision, recall, f1


def _macro_f1(confusion: NDArray[np.int64]) -> float:
    occurring = confusion.sum(axis=1) > 0
    return float(_precision_recall_f1(confusion)[2][occurring].mean())


def _calibration_error(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    edges = np.minimum((confidence * _CALIBRATION_BINS).astype(int), _CALIBRATION_BINS - 1)
    error = 0.0
    for one in range(_CALIBRATION_BINS):
        inside = edges == one
        if inside.any():
            error += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    return float(error)
