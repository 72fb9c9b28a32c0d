"""One output row a paragraph or an article, the same in every format; scripts rely on it."""

import re
from collections.abc import Callable, Iterator
from typing import TypedDict

from faqra_models.prediction import ArticlePredictions

_SURROGATE = re.compile("[\ud800-\udfff]")
# What would steer a terminal or be invalid in a page; tab and line ends are dealt with there.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
# An override that a text leaves open would turn round what stands after it.
_BIDI_CONTROL = re.compile("[\u202a-\u202e\u2066-\u2069]")


class Row(TypedDict):
    """The columns in their order; `start` and `end` are null where a page's text is not known."""

    article: str
    index: int
    start: int | None
    end: int | None
    text: str
    label: str
    confidence: float
    probabilities: dict[str, float]
    truncated: bool


class ArticleRow(TypedDict):
    """A row of a labelled corpus; `text` is its paragraphs as one text, a blank line between.

    A reader of faqra takes the paragraphs where there are both.
    """

    id: str
    source: str
    url: str
    title: str
    date: str
    text: str
    paragraphs: list[str]
    labels: list[str]
    confidences: list[float]


RowMaker = Callable[[ArticlePredictions], Iterator[Row | ArticleRow]]


def rows(result: ArticlePredictions) -> Iterator[Row]:
    """The rows of one article, in the order of its paragraphs."""
    for prediction in result.predictions:
        yield Row(
            article=result.article.id,
            index=prediction.index,
            start=prediction.start,
            end=prediction.end,
            text=prediction.text,
            label=prediction.label,
            confidence=prediction.confidence,
            probabilities=dict(prediction.probabilities),
            truncated=prediction.truncated,
        )


def article_rows(result: ArticlePredictions) -> Iterator[ArticleRow]:
    """The one row of an article, with those of its paragraphs that have a prediction."""
    article = result.article
    texts = [prediction.text for prediction in result.predictions]
    yield ArticleRow(
        id=article.id,
        source=article.source,
        url=article.url,
        title=article.title,
        date=article.date,
        text="\n\n".join(texts),
        paragraphs=texts,
        labels=[prediction.label for prediction in result.predictions],
        confidences=[prediction.confidence for prediction in result.predictions],
    )


def encodable(text: str) -> str:
    """The text with U+FFFD for lone surrogates, which UTF-8 cannot hold."""
    return _SURROGATE.sub("\ufffd", text)


def showable(text: str) -> str:
    """The text for a person's eyes: without what could steer a terminal or a page's direction."""
    return _BIDI_CONTROL.sub("", _CONTROL.sub("\ufffd", encodable(text)))
