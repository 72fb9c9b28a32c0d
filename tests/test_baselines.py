"""Baselines: learned on one part, scored on the other, by the same scores as a model."""

from pathlib import Path

import pytest

pytest.importorskip("sklearn", reason="baselines need the extra 'train'")

from toy_corpus import LABELS, write_toys

from faqra_data.corpus import LabelledArticle, read_corpus
from faqra_data.errors import CorpusError
from faqra_data.normaliser import Normaliser
from faqra_training.baselines import MAJORITY, TFIDF, baseline_scores


@pytest.fixture
def toys(tmp_path: Path) -> list[LabelledArticle]:
    return read_corpus([write_toys(tmp_path / "toys.jsonl", range(30))])


def test_words_tell_the_toys_apart_and_the_commonest_class_does_not(
    toys: list[LabelledArticle],
) -> None:
    scores = baseline_scores(toys[:24], toys[24:], LABELS, Normaliser())
    assert list(scores) == [MAJORITY, TFIDF]
    assert scores[TFIDF].macro_f1 > 0.9
    commonest = scores[MAJORITY].confusion.sum(axis=0)
    assert sorted(commonest.tolist()) == [0, 0, 0, 36]


def test_a_label_that_training_lacks_is_never_given(toys: list[LabelledArticle]) -> None:
    scores = baseline_scores(toys[:24], toys[24:], ("other", *LABELS), Normaliser())
    assert scores[TFIDF].confusion[:, 0].sum() == 0
    assert scores[TFIDF].macro_f1 > 0.9


def test_one_label_is_not_enough_to_learn_from() -> None:
    same = [LabelledArticle("one", ("أ", "ب"), ("factual_report",) * 2)]
    with pytest.raises(CorpusError, match="two or more labels"):
        baseline_scores(same, same, LABELS, Normaliser())
