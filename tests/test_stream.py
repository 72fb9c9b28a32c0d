"""The stream: the classifier's own answers, read ahead, each different window once."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toys import LABELS, WORDS, toy_classifier

from faqra_data.article import Article
from faqra_models.prediction import ArticlePredictions
from faqra_serving import stream, worker
from faqra_serving.stream import StreamClassifier

TEXTS = st.lists(st.sampled_from([*WORDS[4:], "غريب", "", "خبر قال " * 30]), max_size=9)


def probabilities(result: ArticlePredictions) -> list[list[float]]:
    return [list(one.probabilities.values()) for one in result.predictions]


@pytest.mark.parametrize("context", [True, False])
@given(pages=st.lists(TEXTS, max_size=8))
@settings(max_examples=30, deadline=None)
def test_answers_and_order_are_the_classifiers(context: bool, pages: list[list[str]]) -> None:
    classifier, _ = toy_classifier(max_tokens=16)
    articles = [Article.from_paragraphs(str(i), texts) for i, texts in enumerate(pages)]
    found = list(StreamClassifier(classifier).classify_articles(articles, context=context))
    wanted = list(classifier.classify_articles(articles, context=context))
    assert [one.article for one in found] == articles
    assert [one.emptied for one in found] == [one.emptied for one in wanted]
    for one, other in zip(found, wanted, strict=True):
        assert probabilities(one) == [pytest.approx(row) for row in probabilities(other)]


def test_a_window_is_read_once_as_long_as_it_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "_FIRST_TOKENS", 1)
    monkeypatch.setattr(stream, "_MOST_TOKENS", 1)
    monkeypatch.setattr(worker, "_REMEMBERED", 2)
    monkeypatch.setattr(stream, "_ARTICLES_PER_CALL", 1)
    classifier, backend = toy_classifier()
    articles = [
        Article.from_paragraphs(str(number), [text])
        for number, text in enumerate(["خبر", "خبر", "قال", "رأي", "قائمة", "خبر"])
    ]
    list(StreamClassifier(classifier).classify_articles(articles))
    # Two are remembered: the last one is read anew.
    assert sum(windows for windows, _ in backend.shapes) == 5


def test_a_paragraph_by_itself_is_read_once_wherever_it_stands() -> None:
    classifier, backend = toy_classifier()
    article = Article.from_paragraphs("page", ["خبر", "قال", "قال", "خبر"])
    (found,) = StreamClassifier(classifier).classify_articles([article], context=False)
    assert sum(windows for windows, _ in backend.shapes) == 2
    assert [one.label for one in found.predictions] == [LABELS[0], LABELS[1], LABELS[1], LABELS[0]]


def test_the_first_answer_does_not_wait_for_the_last_article(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream, "_FIRST_TOKENS", 4)
    monkeypatch.setattr(stream, "_MOST_TOKENS", 64)
    read = 0

    def endless() -> Iterator[Article]:
        nonlocal read
        while True:
            read += 1
            yield Article.from_paragraphs(str(read), ["خبر"])

    classifier, _ = toy_classifier()
    answers = StreamClassifier(classifier).classify_articles(endless())
    assert next(answers).article.id == "1"
    answers.close()
    assert read < 100


def test_what_the_source_raises_comes_after_the_answers_before_it() -> None:
    def broken() -> Iterator[Article]:
        yield Article.from_paragraphs("good", ["خبر"])
        raise OSError("gone")

    classifier, _ = toy_classifier()
    answers = StreamClassifier(classifier).classify_articles(broken())
    found = []
    with pytest.raises(OSError, match="gone"):
        found.extend(answers)
    assert [one.article.id for one in found] == ["good"]
