"""The card: every number in it is the scores', and what cannot be said is not."""

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="cards are written by training, which needs 'train'")

from faqra_models.settings import Settings
from faqra_training.baselines import TFIDF
from faqra_training.card import model_card
from faqra_training.evaluation import Comparison
from faqra_training.scores import Scores, score

HISTORY = {
    "recipe": {"name": "toy", "encoder": "runs/compact/encoder"},
    "data": {
        part: {"paths": [f"{part}.jsonl"], "digest": f"{part}0123", "articles": 3, "paragraphs": 9}
        for part in ("train", "dev")
    },
    "versions": {"python": "3.11", "torch": "2.13"},
    "device": "cpu",
    "best_step": 40,
}


def settings(labels: tuple[str, ...] = ("a|b", "c")) -> Settings:
    return Settings(
        name='the "toy"',
        labels=labels,
        max_tokens=64,
        cls_id=2,
        sep_id=3,
        pad_id=0,
        temperature=1.5,
        history=HISTORY,
    )


def scores(wrong: int) -> Scores:
    """Of forty paragraphs the first ones are wrong."""
    gold = np.arange(40) % 2
    given = np.where(np.arange(40) < wrong, 1 - gold, gold)
    return score(("a|b", "c"), gold, np.eye(2)[given], np.arange(40))


def test_the_card_says_by_how_much_tfidf_is_beaten() -> None:
    card = model_card(settings(), Comparison(scores(4), scores(8), {TFIDF: scores(16)}))
    assert "| in context | 0.900 (" in card
    assert "| paragraph by paragraph | 0.800 (" in card
    assert f"| {TFIDF} | 0.600 (" in card
    assert f"its macro-F1 is 30.0 points better than {TFIDF}'s" in card
    assert "the two intervals do not overlap" in card


def test_the_card_says_so_where_tfidf_is_better() -> None:
    card = model_card(settings(), Comparison(scores(8), scores(8), {TFIDF: scores(6)}))
    assert f"5.0 points worse than {TFIDF}'s" in card
    assert "the two intervals overlap" in card


def test_the_card_names_data_encoder_and_step() -> None:
    card = model_card(settings(), Comparison(scores(4), scores(8)))
    assert "| train | `train.jsonl` | `train0123` | 3 | 9 |" in card
    assert "Fine-tuned from `runs/compact/encoder` on cpu" in card
    assert "step 40 were kept" in card
    assert "temperature 1.50" in card


def test_a_bar_in_a_label_breaks_no_table_and_a_quote_no_front_matter() -> None:
    card = model_card(settings(), Comparison(scores(4), scores(8)))
    assert r"| `a\|b` | 18 | 2 |" in card
    assert r'  - name: "the \"toy\""' in card
    assert card.startswith("---\nlanguage: ar\n")


def test_meanings_are_told_of_the_four_labels_only() -> None:
    assert "menus" not in model_card(settings(), Comparison(scores(4), scores(8)))


def test_notes_stand_at_the_end_as_they_are() -> None:
    notes = "## Licences\n\n  kept *as is*\n"
    assert model_card(settings(), Comparison(scores(4), scores(8)), notes).endswith(f"\n\n{notes}")
