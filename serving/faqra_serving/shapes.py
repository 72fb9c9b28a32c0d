"""Requests as articles, and predictions in each shape that callers know.

This module knows neither the engine nor HTTP's errors.
"""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import BaseModel, TypeAdapter
from pydantic_core import PydanticSerializationError
from starlette.responses import Response

from faqra_data.article import Article
from faqra_data.errors import InputError
from faqra_data.html import read_html
from faqra_data.segmentation import segment_text
from faqra_models.prediction import ArticlePredictions, ParagraphPrediction
from faqra_serving.schemas import (
    ArticleAnswer,
    ArticleError,
    ArticleRequest,
    ErrorAnswer,
    ErrorDetail,
    LabelScore,
    ParagraphAnswer,
    PredictionAnswer,
)

_LISTS = TypeAdapter[Any](list[LabelScore] | list[list[LabelScore]])
# Texts are segmented in a thread where they are longer than this; markup is always parsed in one.
_CHARACTERS_AT_ONCE = 20_000


def too_long(field: str, characters: int, most: int) -> ErrorAnswer:
    """The error in the place of a paragraph that is not read."""
    message = (
        f"expected a paragraph of at most {most:,} characters, got {characters:,}; "
        "cut it where its sense allows"
    )
    return ErrorAnswer(error=ErrorDetail(code="paragraph_too_long", message=message, field=field))


def texts_of(article: ArticleRequest) -> list[str]:
    """The paragraphs of a request's page, or its text or HTML in one."""
    if article.paragraphs is not None:
        return article.paragraphs
    return [article.text if article.text is not None else article.html or ""]


async def read_all(given: Sequence[ArticleRequest]) -> list[Article | ArticleError]:
    """The articles of a request, in order, or in place of one why it cannot be read."""
    return [await _read(one, number) for number, one in enumerate(given)]


async def _read(given: ArticleRequest, number: int) -> Article | ArticleError:
    """A request's page as an article; a page without an id is called by its number."""
    own_id = str(number) if given.id is None else given.id
    try:
        if given.html is None and sum(map(len, texts_of(given))) < _CHARACTERS_AT_ONCE:
            return _as_article(given, own_id)
        return await asyncio.to_thread(_as_article, given, own_id)
    except InputError as error:
        return ArticleError(
            id=own_id,
            error=ErrorDetail(
                code="unreadable_html", message=str(error), field=f"articles.{number}.html"
            ),
        )


def _as_article(given: ArticleRequest, own_id: str) -> Article:
    if given.paragraphs is not None:
        return Article.from_paragraphs(own_id, tuple(given.paragraphs), title=given.title)
    if given.html is not None:
        page = read_html(given.html)
        title = given.title or page.title
        return Article(own_id, page.paragraphs, text=page.text, title=title)
    text = given.text or ""
    return Article(own_id, segment_text(text), text=text, title=given.title)


def _values(one: ParagraphPrediction) -> dict[str, Any]:
    return {
        "label": one.label,
        "confidence": one.confidence,
        "probabilities": dict(one.probabilities),
        "truncated": one.truncated,
    }


def paragraph_answer(one: ParagraphPrediction) -> PredictionAnswer:
    """A prediction as `POST /v1/classify` gives it."""
    return PredictionAnswer(**_values(one))


def article_answer(answer: ArticlePredictions) -> ArticleAnswer:
    """An article and its predictions as `POST /v1/articles` gives them."""
    return ArticleAnswer(
        id=answer.article.id,
        paragraphs=[
            ParagraphAnswer(
                index=one.index, start=one.start, end=one.end, text=one.text, **_values(one)
            )
            for one in answer.predictions
        ],
    )


def label_scores(one: ParagraphPrediction, *, raw: bool) -> list[LabelScore]:
    """All labels, the likeliest first; raw scores are logarithms of probabilities."""
    ordered = sorted(one.probabilities.items(), key=lambda item: -item[1])
    return [
        LabelScore(label=label, score=float(np.log(max(score, 1e-12))) if raw else score)
        for label, score in ordered
    ]


def json_response(answer: BaseModel) -> Response:
    """An answer as JSON."""
    try:
        text = answer.model_dump_json()
    except PydanticSerializationError:
        # Half of a surrogate pair, which came as an escape, goes back as one.
        text = json.dumps(answer.model_dump())
    return Response(text, media_type="application/json")


def scores_response(answer: Sequence[LabelScore] | Sequence[Sequence[LabelScore]]) -> Response:
    """An answer of text-embeddings-inference's shape."""
    return Response(_LISTS.dump_json(answer), media_type="application/json")
