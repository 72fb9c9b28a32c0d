"""The bundled model: right about a sample page, steady, and open about its origin."""

from pathlib import Path

import pytest

import faqra
from faqra_models.classifier import Classifier

ROOT = Path(__file__).parents[1]
DEV_DIGEST = "a5ad060a09be0f5a"


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return faqra.load()


def test_the_sample_page_is_labelled_well(classifier: Classifier) -> None:
    page = (ROOT / "tests" / "pages" / "sample.html").read_text(encoding="utf-8")
    label = {one.text: one.label for one in classifier.classify_article(page)}
    starts = {
        "انقطعت مياه الشرب": "factual_report",
        "وبلغ سعر خزان": "factual_report",
        "وقال وزير الموارد": "official_quote",
        "وأضاف أن فرق": "official_quote",
        "لا يكفي أن تعتذر": "editorial_commentary",
        "الرئيسية": "boilerplate",
        "اقرأ أيضًا": "boilerplate",
        "شارك الخبر": "boilerplate",
        "جميع الحقوق": "boilerplate",
    }
    for start, expected in starts.items():
        (text,) = [text for text in label if text.startswith(start)]
        assert label[text] == expected, text


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("الوزير", "الوَزِير"),
        lambda text: text.replace("الوزارة", "الـوزارة"),
        lambda text: f"\u200f{text}\u200e ",
    ],
    ids=["diacritics", "tatweel", "invisible marks"],
)
def test_what_is_not_read_changes_no_answer(classifier: Classifier, change: "object") -> None:
    text = "وقال الوزير إن الوزارة ستفتح تحقيقًا في الحادث."
    assert callable(change)
    assert classifier.classify([change(text)]) == classifier.classify([text])


def test_the_model_says_where_it_comes_from(classifier: Classifier) -> None:
    history = classifier.settings.history
    assert history["data"]["dev"]["digest"] == DEV_DIGEST
    assert set(history["scores"]) >= {"in_context", "alone"}
