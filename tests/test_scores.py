"""Scores: the numbers of a small confusion worked out by hand, and what holds for any."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from faqra_training.scores import Scores, score

LABELS = ("a", "b", "c")


def scored(gold: list[int], given_: list[int], articles: list[int] | None = None) -> Scores:
    probabilities = np.full((len(gold), len(LABELS)), 0.1)
    probabilities[np.arange(len(gold)), given_] = 0.8
    owners = articles or list(range(len(gold)))
    return score(LABELS, np.array(gold), probabilities, np.array(owners))


def test_scores_of_a_small_confusion() -> None:
    scores = scored([0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 1, 0])
    assert scores.confusion.tolist() == [[2, 1, 0], [0, 2, 0], [1, 0, 0]]
    one = scores.per_label["a"]
    assert (one.precision, one.recall, one.f1) == pytest.approx((2 / 3, 2 / 3, 2 / 3))
    assert scores.per_label["b"].f1 == pytest.approx(0.8)
    assert scores.per_label["c"].f1 == 0
    assert scores.macro_f1 == pytest.approx((2 / 3 + 0.8 + 0) / 3)
    assert scores.accuracy == pytest.approx(4 / 6)


def test_a_label_without_gold_does_not_count_in_macro_f1() -> None:
    assert scored([0, 1], [0, 1]).macro_f1 == 1
    assert scored([0, 1], [0, 1]).per_label["c"].support == 0


def test_calibration_error_is_the_gap_between_confidence_and_accuracy() -> None:
    gold = np.array([0] * 10)
    probabilities = np.tile([0.9, 0.1], (10, 1))
    certain = score(("a", "b"), gold, probabilities, np.arange(10))
    assert certain.ece == pytest.approx(0.1)
    half = score(("a", "b"), np.array([0, 1] * 5), probabilities, np.arange(10))
    assert half.ece == pytest.approx(0.4)


def test_one_article_gives_an_interval_of_no_width() -> None:
    scores = scored([0, 0, 1], [0, 1, 1], articles=[0, 0, 0])
    assert scores.interval == (scores.macro_f1, scores.macro_f1)


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 4)), min_size=1, max_size=30
    )
)
def test_whatever_is_scored_stays_in_its_bounds(rows: list[tuple[int, int, int]]) -> None:
    gold, given_, articles = (list(column) for column in zip(*rows, strict=True))
    scores = scored(gold, given_, articles)
    assert 0 <= scores.interval[0] <= scores.interval[1] <= 1
    assert 0 <= scores.macro_f1 <= 1
    assert scores.confusion.sum() == scores.n == len(rows)
    assert sum(one.support for one in scores.per_label.values()) == len(rows)
    assert scored(gold, given_, articles).to_dict() == scores.to_dict()


def test_the_object_for_programs_has_the_contract_s_names() -> None:
    values = scored([0, 1, 2], [0, 1, 1]).to_dict()
    assert {"macro_f1", "per_label", "accuracy", "ece", "n"} <= values.keys()
    assert list(values["per_label"]["a"]) == ["precision", "recall", "f1", "support"]
