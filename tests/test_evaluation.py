"""Evaluation: articles judged as users' are, and a temperature that fits."""

import numpy as np
import pytest
from toys import LABELS, toy_classifier

from faqra_data.corpus import LabelledArticle
from faqra_data.errors import CorpusError
from faqra_models.calibration import softmax
from faqra_training.evaluation import (
    compare,
    evaluate,
    fit_calibration,
    fit_temperature,
    gold_labels,
)
from faqra_training.scores import Scores

PAGE = LabelledArticle("page", ("خبر", "قال", "رأي", "قائمة"), LABELS)
EMPTY = LabelledArticle("empty", (), ())


def test_a_right_answer_everywhere_is_a_score_of_one() -> None:
    classifier, _ = toy_classifier()
    scores = evaluate(classifier, [EMPTY, PAGE, EMPTY])
    assert (scores.macro_f1, scores.accuracy, scores.n) == (1, 1, 4)
    assert scores.labels == LABELS


def test_context_is_what_the_caller_says() -> None:
    classifier, backend = toy_classifier()
    evaluate(classifier, [PAGE], context=True)
    evaluate(classifier, [PAGE], context=False)
    assert backend.shapes == [(1, 9), (4, 3)]


def test_a_comparison_has_both_ways_and_the_others() -> None:
    classifier, _ = toy_classifier()
    other: Scores = evaluate(classifier, [PAGE])
    names = list(compare(classifier, [PAGE], {"other": other}).rows)
    assert names == ["in context", "paragraph by paragraph", "other"]


def test_labels_that_the_model_lacks_are_named() -> None:
    with pytest.raises(CorpusError, match="labels x are none of the model's: a, b"):
        gold_labels([LabelledArticle("one", ("text",), ("x",))], ("a", "b"))


def test_nothing_to_evaluate_is_an_error() -> None:
    with pytest.raises(CorpusError, match="nothing to evaluate"):
        gold_labels([EMPTY], LABELS)


def test_the_temperature_makes_a_boaster_modest() -> None:
    chance = np.random.default_rng(0)
    logits = chance.normal(size=(4000, 3))
    gold = np.array([chance.choice(3, p=row) for row in softmax(logits)])
    assert fit_temperature(logits, gold) == pytest.approx(1, abs=0.15)
    assert fit_temperature(5 * logits, gold) == pytest.approx(5, rel=0.15)


def test_biases_make_labels_as_frequent_as_they_are() -> None:
    chance = np.random.default_rng(0)
    logits = chance.normal(size=(4000, 3))
    biases = np.array([1.0, 0.0, -1.0])
    gold = np.array([chance.choice(3, p=row) for row in softmax(logits + biases)])
    found = fit_calibration(3 * logits, gold)
    assert found.temperature == pytest.approx(3, rel=0.15)
    assert found.biases == pytest.approx(biases, abs=0.15)
    given = found.probabilities(3 * logits).mean(axis=0)
    assert given == pytest.approx(np.bincount(gold) / len(gold), abs=0.01)


def test_a_label_that_was_not_seen_is_not_forbidden() -> None:
    logits = np.eye(3)[[0, 1] * 10] * 4
    found = fit_calibration(logits, np.array([0, 1] * 10))
    assert found.probabilities(np.array([0.0, 0.0, 8.0])).argmax() == 2
