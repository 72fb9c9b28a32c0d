"""A classifier judged on labelled articles, and its calibration fitted on them.

Articles go through the same classifier that users call. This module does not know how
scores are computed (`scores`) or written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from faqra_data.corpus import LabelledArticle
from faqra_data.errors import CorpusError
from faqra_models.calibration import Calibration, softmax
from faqra_models.classifier import Classifier
from faqra_training.scores import Scores, score

# Temperatures tried: a finer grid changes the calibration error by less than its own noise.
_TEMPERATURES = np.geomspace(0.25, 8.0, 101)


@dataclass(frozen=True)
class Comparison:
    """A classifier's scores, with and without context, beside other judges' on the same pages."""

    together: Scores
    alone: Scores
    others: Mapping[str, Scores] = field(default_factory=dict)

    @property
    def own(self) -> dict[str, Scores]:
        """The classifier's scores by name."""
        return {"in context": self.together, "paragraph by paragraph": self.alone}

    @property
    def rows(self) -> dict[str, Scores]:
        """All scores by name, the classifier's first."""
        return {**self.own, **self.others}


def compare(
    classifier: Classifier,
    articles: Sequence[LabelledArticle],
    others: Mapping[str, Scores] | None = None,
) -> Comparison:
    """The classifier's scores in both ways, beside `others`."""
    together = evaluate(classifier, articles, context=True)
    alone = evaluate(classifier, articles, context=False)
    return Comparison(together, alone, others or {})


def evaluate(
    classifier: Classifier, articles: Sequence[LabelledArticle], *, context: bool = True
) -> Scores:
    """Scores over all paragraphs, judged in their article or each by itself."""
    gold, numbers = gold_labels(articles, classifier.labels)
    answers = probabilities(classifier, articles, context=context)
    return score(classifier.labels, gold, answers, numbers)


def probabilities(
    classifier: Classifier, articles: Sequence[LabelledArticle], *, context: bool = True
) -> NDArray[np.float64]:
    """The classifier's answers for all paragraphs, shape (paragraphs, labels)."""
    results = classifier.classify_articles((a.article() for a in articles), context=context)
    return np.array(
        [list(p.probabilities.values()) for result in results for p in result.predictions]
    )


def gold_labels(
    articles: Sequence[LabelledArticle], labels: Sequence[str]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Label numbers and article numbers of all paragraphs, each of shape (paragraphs,)."""
    number = {label: i for i, label in enumerate(labels)}
    unknown = sorted({label for a in articles for label in a.labels if label not in number})
    if unknown:
        raise CorpusError(
            f"labels {', '.join(unknown)} are none of the model's: {', '.join(labels)}"
        )
    gold = [number[label] for article in articles for label in article.labels]
    if not gold:
        raise CorpusError("nothing to evaluate: expected labelled paragraphs, got none")
    owners = [i for i, article in enumerate(articles) for _ in article.labels]
    return np.array(gold, dtype=np.int64), np.array(owners, dtype=np.int64)


def fit_temperature(logits: NDArray[np.float64], gold: NDArray[np.int64]) -> float:
    """The temperature under which `gold` is most likely (Guo et al. 2017)."""

    def loss(temperature: float) -> float:
        return _surprise(softmax(logits / temperature), gold)

    return float(min(_TEMPERATURES, key=loss))


def fit_calibration(logits: NDArray[np.float64], gold: NDArray[np.int64]) -> Calibration:
    """The temperature and biases under which `gold` is most likely.

    Biases are held to 0 as by one paragraph of evidence to the contrary: without that, a label that
    `gold` lacks would never be given again.
    """

    def calibration(values: NDArray[np.float64]) -> Calibration:
        return Calibration(float(np.exp(values[0])), tuple(values[1:].tolist()))

    def loss(values: NDArray[np.float64]) -> float:
        held = float((values[1:] ** 2).sum()) / 2 / len(gold)
        return _surprise(calibration(values).probabilities(logits), gold) + held

    start = np.zeros(1 + logits.shape[1])
    return calibration(minimize(loss, start, method="L-BFGS-B").x)


def _surprise(answers: NDArray[np.float64], gold: NDArray[np.int64]) -> float:
    likely = answers[np.arange(len(gold)), gold]
    return float(-np.log(np.maximum(likely, 1e-12)).mean())
