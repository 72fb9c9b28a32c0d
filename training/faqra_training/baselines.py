"""What a model must beat to be worth its weights: the commonest class, and bags of n-grams.

Both learn from the same paragraphs and are scored on the same ones as a model. They see one
paragraph at a time; this module does not know models.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline, make_union

from faqra_data.corpus import LabelledArticle
from faqra_data.errors import CorpusError
from faqra_data.normaliser import Normaliser
from faqra_training.evaluation import gold_labels
from faqra_training.scores import Scores, score

MAJORITY = "majority class"
TFIDF = "TF-IDF + logistic regression"
# The commonest n-grams; twice as many change macro-F1 by less than its interval.
_FEATURES = 200_000


def baseline_scores(
    train: Sequence[LabelledArticle],
    dev: Sequence[LabelledArticle],
    labels: Sequence[str],
    normaliser: Normaliser,
) -> dict[str, Scores]:
    """The scores on `dev` of each baseline by name, having learned from `train`."""
    gold, numbers = gold_labels(dev, labels)
    answers = baseline_probabilities(train, dev, labels, normaliser)
    return {name: score(labels, gold, each, numbers) for name, each in answers.items()}


def baseline_probabilities(
    train: Sequence[LabelledArticle],
    judged: Sequence[LabelledArticle],
    labels: Sequence[str],
    normaliser: Normaliser,
) -> dict[str, NDArray[np.float64]]:
    """Each baseline's answers for all paragraphs of `judged`, shape (paragraphs, labels)."""
    learned, _ = gold_labels(train, labels)
    if len(set(learned.tolist())) < 2:
        raise CorpusError("baselines need training paragraphs of two or more labels, got one")
    texts, asked = (
        [normaliser.normalise(text) for article in articles for text in article.paragraphs]
        for articles in (train, judged)
    )
    answers = {}
    for name, pipeline in ((MAJORITY, DummyClassifier()), (TFIDF, _tfidf())):
        pipeline.fit(texts, learned)
        # A label that `train` lacks is one that the baseline never gives.
        answers[name] = np.zeros((len(asked), len(labels)))
        answers[name][:, pipeline.classes_] = pipeline.predict_proba(asked)
    return answers


def _tfidf() -> Pipeline:
    """Words and pairs of words, and the characters within words, 2 to 5 at a time."""
    words = TfidfVectorizer(
        token_pattern=r"\w+|[^\w\s]",
        ngram_range=(1, 2),
        sublinear_tf=True,
        max_features=_FEATURES,
    )
    characters = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, max_features=_FEATURES
    )
    regression = LogisticRegression(C=4.0, class_weight="balanced", max_iter=1000)
    return make_pipeline(make_union(words, characters), regression)
