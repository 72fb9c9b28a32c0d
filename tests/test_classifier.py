"""The classifier: order kept, batching changes nothing, context where it is wanted."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toys import LABELS, WORDS, toy_classifier

from faqra_data.article import Article
from faqra_models.calibration import Calibration
from faqra_models.prediction import Prediction

TEXTS = st.lists(st.sampled_from([*WORDS[4:], "غريب", "", "\u200f", "خبر قال " * 30]), max_size=9)


def test_each_paragraph_gets_the_label_of_its_words_in_order() -> None:
    classifier, _ = toy_classifier()
    found = classifier.classify(["قائمة", "خبر خبر", "قال", "رأي"])
    assert [one.label for one in found] == [LABELS[3], LABELS[0], LABELS[1], LABELS[2]]
    assert all(sum(one.probabilities.values()) == pytest.approx(1) for one in found)
    assert all(one.confidence == max(one.probabilities.values()) for one in found)


@given(pages=st.lists(TEXTS, max_size=6))
@settings(max_examples=40, deadline=None)
def test_a_page_gets_the_same_answer_alone_and_among_others(pages: list[list[str]]) -> None:
    classifier, _ = toy_classifier(max_tokens=16)
    articles = [Article.from_paragraphs(str(i), texts) for i, texts in enumerate(pages)]
    together = list(classifier.classify_articles(articles))
    assert [result.article for result in together] == articles
    for article, result in zip(articles, together, strict=True):
        (alone,) = classifier.classify_articles([article])
        assert len(result.predictions) == len(article.paragraphs)
        for one, other in zip(alone.predictions, result.predictions, strict=True):
            assert list(one.probabilities.values()) == pytest.approx(
                list(other.probabilities.values())
            )


def test_context_is_seen_only_where_it_is_wanted_and_possible() -> None:
    article = Article.from_paragraphs("a", ["رأي", "غريب"])
    seeing, _ = toy_classifier()
    blind, _ = toy_classifier(context=False)
    (together,) = seeing.classify_articles([article])
    (alone,) = seeing.classify_articles([article], context=False)
    (never,) = blind.classify_articles([article])
    assert together.predictions[1].label == "editorial_commentary"
    assert alone.predictions[1].confidence == pytest.approx(0.25)
    assert never.predictions == alone.predictions


def test_a_long_paragraph_is_read_to_its_end() -> None:
    classifier, _ = toy_classifier(max_tokens=16)
    (found,) = classifier.classify(["غريب " * 500 + "رأي " * 100])
    assert found.label == "editorial_commentary"
    assert not found.truncated


def test_a_text_that_names_special_tokens_cannot_steer_the_reading() -> None:
    classifier, _ = toy_classifier()
    ((ids,), (spelled,)) = classifier.token_ids(["[SEP]"]), classifier.token_ids(["[CLS] [PAD]"])
    assert {0, 2, 3}.isdisjoint(ids)
    assert {0, 2, 3}.isdisjoint(spelled)


def test_paragraphs_without_text_are_reported() -> None:
    classifier, _ = toy_classifier()
    article = Article.from_paragraphs("a", ["خبر", " \u200b", "", "ـــ"])
    (result,) = classifier.classify_articles([article])
    assert result.emptied == (1, 2, 3)
    assert len(result.predictions) == 4


def test_articles_are_read_as_a_stream() -> None:
    classifier, _ = toy_classifier()
    taken = 0

    def articles() -> "object":
        nonlocal taken
        while True:
            taken += 1
            yield Article.from_paragraphs(str(taken), ["خبر"])

    results = classifier.classify_articles(articles())  # type: ignore[arg-type]
    assert next(results).article.id == "1"
    assert taken <= 64


def test_a_plain_page_keeps_its_offsets() -> None:
    page = "خبر عاجل\r\n\r\n• قال\n"
    classifier, _ = toy_classifier()
    found = classifier.classify_article(page)
    assert [page[one.start : one.end] for one in found] == ["خبر عاجل", "قال"]
    assert [one.text for one in found] == ["خبر عاجل", "قال"]
    assert [one.index for one in found] == [0, 1]


def test_an_html_page_is_read_as_one() -> None:
    classifier, _ = toy_classifier()
    found = classifier.classify_article("<html><body><p>خبر</p><p>قال</p></body></html>")
    assert [(one.text, one.start, one.end) for one in found] == [("خبر", 0, 3), ("قال", 4, 7)]


def test_nothing_gives_nothing() -> None:
    classifier, backend = toy_classifier()
    assert classifier.classify([]) == []
    assert classifier.classify_article("") == []
    assert backend.shapes == []


def test_one_string_is_not_a_list_of_paragraphs() -> None:
    classifier, _ = toy_classifier()
    with pytest.raises(TypeError, match="put it in a list"):
        classifier.classify("خبر")


def test_what_is_no_string_is_named_by_its_place() -> None:
    classifier, _ = toy_classifier()
    with pytest.raises(TypeError, match="takes strings, got NoneType as paragraph 1"):
        classifier.classify(["خبر", None])  # type: ignore[list-item]


def test_a_higher_temperature_is_less_sure_of_the_same() -> None:
    (sure,) = toy_classifier()[0].classify(["خبر"])
    (cool,) = toy_classifier(temperature=4.0)[0].classify(["خبر"])
    assert cool.label == sure.label
    assert cool.confidence < sure.confidence


def test_a_paragraph_by_itself_has_its_own_calibration_however_it_comes() -> None:
    alone = Calibration(1.0, (0.0, 9.0, 0.0, 0.0))
    classifier, _ = toy_classifier(shows_title=True, alone=alone)
    calm, _ = toy_classifier(shows_title=True)

    def label(title: str, *texts: str, context: bool = True) -> str:
        article = Article.from_paragraphs("page", texts, title=title)
        (found,) = classifier.classify_articles([article], context=context)
        return found.predictions[0].label

    assert calm.classify(["خبر"])[0].label == LABELS[0]
    assert classifier.classify(["خبر"])[0].label == LABELS[1]
    assert (
        label("", "خبر") == label("خبر", "خبر") == label("رأي", "خبر", context=False) == LABELS[1]
    )
    assert label("رأي", "خبر") == label("", "خبر", "خبر") == LABELS[0]


def test_a_tie_goes_to_the_first_label() -> None:
    assert Prediction({"b": 0.5, "a": 0.5}).label == "b"
