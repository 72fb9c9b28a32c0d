"""The routes: requests checked, handed to the engine, and its answers put into each shape.

An ASGI application of its own, so that every error has the one shape and every route the
contract's name; `service` puts it into BentoML. This module does not know how answers are
reached.
"""

import asyncio
import json
import time
import uuid
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, TypeAdapter
from pydantic_core import PydanticSerializationError
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles

import faqra_serving
from faqra_data.article import Article
from faqra_data.html import read_html
from faqra_data.rows import kind_of
from faqra_data.segmentation import segment_text
from faqra_models.prediction import ArticlePredictions, ParagraphPrediction
from faqra_serving.engine import Engine
from faqra_serving.errors import RequestError, too_late
from faqra_serving.guard import Guard, error_response
from faqra_serving.limits import Limits
from faqra_serving.metrics import Metrics
from faqra_serving.schemas import (
    ArticleAnswer,
    ArticleError,
    ArticleRequest,
    ArticlesAnswer,
    ArticlesRequest,
    ClassifyAnswer,
    ClassifyRequest,
    ErrorAnswer,
    InfinityAnswer,
    InfinityRequest,
    LabelScore,
    LimitsAnswer,
    ModelAnswer,
    ModelName,
    ParagraphAnswer,
    PredictionAnswer,
    PredictRequest,
    Usage,
)

_PAGE = Path(faqra_serving.__file__).parent / "page"
_Answer = TypeVar("_Answer")
_LISTS = TypeAdapter[Any](list[LabelScore] | list[list[LabelScore]])
_ANY = "/{path:path}"
# After an upgrade no browser may put old and new parts together; no other site may frame the page.
_PAGE_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
# Pages are segmented or parsed in a thread where they are longer than this.
_CHARACTERS_AT_ONCE = 20_000
# A status that nobody reads: the caller has gone. As nginx logs it.
_GONE = 499
_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorAnswer, "description": description}
    for status, description in {
        400: "Not JSON, broken off or not gzip",
        401: "No key, or a wrong one",
        413: "Body, items or characters over the limit",
        415: "Not JSON by its Content-Type, or an unknown Content-Encoding",
        422: "Wrong shape: which field, and what came",
        429: "Too busy; Retry-After says when to ask again",
        503: "Not ready, stopping, or no answer in time",
    }.items()
}
_READING_ERRORS: dict[int | str, dict[str, Any]] = {code: _ERRORS[code] for code in (401, 503)}


class Application(FastAPI):
    """The routes; `engine` is set when the model is loaded, and None before."""

    def __init__(self, limits: Limits, *, api_key: str = "") -> None:
        super().__init__(
            title="faqra",
            version=faqra_serving.version(),
            summary="What each paragraph of an Arabic news page is: a factual report, an official "
            "quote, editorial commentary or boilerplate.",
            openapi_url="/docs.json",
            docs_url=None,
            redoc_url=None,
        )
        self.limits = limits
        self.engine: Engine | None = None
        self.metrics: Metrics | None = None
        self.add_middleware(Guard, limits=limits, metrics=lambda: self.metrics, api_key=api_key)
        self.add_exception_handler(RequestError, self._rejected)
        self.add_exception_handler(RequestValidationError, self._misshapen)
        self.add_exception_handler(HTTPException, self._no_route)
        self.add_exception_handler(Exception, self._failed)
        self.post("/v1/classify", response_model=ClassifyAnswer, responses=_ERRORS)(self.classify)
        self.post("/v1/articles", response_model=ArticlesAnswer, responses=_ERRORS)(self.articles)
        self.post(
            "/predict",
            response_model=list[LabelScore] | list[list[LabelScore]],
            responses=_ERRORS,
        )(self.predict)
        self.post("/classify", response_model=InfinityAnswer, responses=_ERRORS)(self.infinity)
        self.get("/v1/model", response_model=ModelAnswer, responses=_READING_ERRORS)(self.model)
        self.get("/", include_in_schema=False)(self.page)
        self.mount("/static", _PageFiles(directory=_PAGE), name="static")
        # BentoML's own routes were asked before; what comes here is no route at all.
        self.api_route(_ANY, methods=_METHODS, include_in_schema=False)(self.nowhere)

    async def classify(self, body: ClassifyRequest, request: Request) -> Response:
        """Classify paragraphs: each by itself, or with `context` as one article in order.

        A paragraph that is too long has an error in its place; the others are answered.
        """
        engine = self._ready()
        self._check("paragraphs", len(body.paragraphs), self.limits.paragraphs)
        self._check_characters(body.paragraphs)
        errors = {
            index: too_long(len(text), self.limits.paragraph_characters)
            for index, text in enumerate(body.paragraphs)
            if len(text) > self.limits.paragraph_characters
        }
        texts = ["" if index in errors else text for index, text in enumerate(body.paragraphs)]
        articles = (
            [Article.from_paragraphs("", tuple(texts))]
            if body.context
            else [Article.from_paragraphs("", (text,)) for text in texts]
        )
        answers = await self._answered(request, engine.answer(articles, context=body.context))
        predictions = [one for answer in answers for one in answer.predictions]
        return _json(
            ClassifyAnswer(
                model=self._model_name(engine),
                predictions=[
                    errors[index] if index in errors else PredictionAnswer(**_values(one))
                    for index, one in enumerate(predictions)
                ],
            )
        )

    async def articles(self, body: ArticlesRequest, request: Request) -> Response:
        """Classify pages, each as a whole: its text, its HTML, or its paragraphs.

        A page that is too long has an error in its place; the others are answered.
        """
        engine = self._ready()
        self._check("articles", len(body.articles), self.limits.articles)
        self._check_characters(
            [text for one in body.articles for text in (one.title, *_texts(one))]
        )
        articles = await self._answered(request, _read_all(body.articles))
        self._check(
            "articles", sum(len(one.paragraphs) for one in articles), self.limits.paragraphs
        )
        errors = {
            index: too_long(longest, self.limits.paragraph_characters)
            for index, one in enumerate(articles)
            for longest in [max((len(p.text) for p in one.paragraphs), default=0)]
            if longest > self.limits.paragraph_characters
        }
        asked = [one for index, one in enumerate(articles) if index not in errors]
        answers = iter(await self._answered(request, engine.answer(asked, context=True)))
        return _json(
            ArticlesAnswer(
                model=self._model_name(engine),
                articles=[
                    ArticleError(id=one.id, error=errors[index].error)
                    if index in errors
                    else _article_answer(next(answers))
                    for index, one in enumerate(articles)
                ],
            )
        )

    async def predict(self, body: PredictRequest, request: Request) -> Response:
        """Classify as text-embeddings-inference does: all labels of each text, likeliest first."""
        texts = [body.inputs] if isinstance(body.inputs, str) else body.inputs
        answers = await self._each("inputs", texts, request)
        scores = [_scores(one, raw=body.raw_scores) for one in answers]
        return _json_list(scores[0] if isinstance(body.inputs, str) else scores)

    async def infinity(self, body: InfinityRequest, request: Request) -> Response:
        """Classify as infinity does."""
        answers = await self._each("input", body.input, request)
        engine = self._ready()
        tokens = sum(map(len, engine.classifier.token_ids(body.input)))
        return _json(
            InfinityAnswer(
                data=[_scores(one, raw=body.raw_scores) for one in answers],
                model=engine.classifier.settings.name,
                usage=Usage(prompt_tokens=tokens, total_tokens=tokens),
                id=f"infinity-{uuid.uuid4()}",
                created=int(time.time()),
            )
        )

    async def model(self) -> ModelAnswer:
        """The model's labels, digest, limits, scores and training history."""
        engine = self._ready()
        settings = engine.classifier.settings
        return ModelAnswer(
            **self._model_name(engine).model_dump(),
            faqra=faqra_serving.version(),
            max_tokens=settings.max_tokens,
            context=settings.context,
            temperature=settings.temperature,
            limits=LimitsAnswer.model_validate(self.limits, from_attributes=True),
            scores=dict(settings.history.get("scores", {})),
            history=dict(settings.history),
        )

    async def page(self) -> FileResponse:
        """The page for people."""
        return FileResponse(_PAGE / "index.html", headers=_PAGE_HEADERS)

    async def nowhere(self, request: Request) -> Response:
        """Any other path, or one asked with a method that it does not have."""
        paths = {path for route in self.routes if (path := getattr(route, "path", "")) != _ANY}
        raise HTTPException(405 if request.url.path in paths else 404)

    async def _each(
        self, field: str, texts: Sequence[str], request: Request
    ) -> list[ParagraphPrediction]:
        """Each text by itself."""
        engine = self._ready()
        self._check(field, len(texts), self.limits.paragraphs)
        self._check_characters(texts)
        for index, text in enumerate(texts):
            if len(text) > self.limits.paragraph_characters:
                error = too_long(len(text), self.limits.paragraph_characters).error
                raise RequestError(413, error.code, error.message, field=f"{field}.{index}")
        articles = [Article.from_paragraphs("", (text,)) for text in texts]
        answers = await self._answered(request, engine.answer(articles, context=False))
        return [one for answer in answers for one in answer.predictions]

    def _ready(self) -> Engine:
        if self.engine is None:
            raise RequestError(503, "not_ready", "the model is being loaded", retry_after_s=1)
        return self.engine

    def _model_name(self, engine: Engine) -> ModelName:
        classifier = engine.classifier
        return ModelName(
            name=classifier.settings.name, digest=classifier.digest, labels=list(classifier.labels)
        )

    def _check(self, field: str, count: int, most: int) -> None:
        if count > most:
            raise RequestError(
                413,
                "too_many",
                f"expected at most {most:,} a request, got {count:,}; send them in parts",
                field=field,
            )

    def _check_characters(self, texts: Sequence[str]) -> None:
        count = sum(map(len, texts))
        if count > self.limits.characters:
            raise RequestError(
                413,
                "too_many_characters",
                f"expected at most {self.limits.characters:,} characters a request, got {count:,}; "
                "send them in parts",
            )

    async def _answered(self, request: Request, work: Coroutine[Any, Any, _Answer]) -> _Answer:
        """The answer of `work`, which is dropped where its caller goes away, or at the deadline."""
        working = asyncio.create_task(work)
        going = asyncio.create_task(_gone(request))
        try:
            await asyncio.wait(
                {working, going},
                timeout=self.limits.deadline_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if working.done():
                return working.result()
            if going.done():
                raise RequestError(_GONE, "caller_gone", "the caller went away")
            raise too_late(self.limits.deadline_s)
        finally:
            for task in (working, going):
                task.cancel()
            await asyncio.gather(working, going, return_exceptions=True)

    async def _rejected(self, _: Request, error: Exception) -> Response:
        assert isinstance(error, RequestError)
        if self.metrics is not None:
            self.metrics.count_rejected(error.code)
        return error_response(error)

    async def _misshapen(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        place = [str(part) for part in first["loc"] if part != "body"]
        if first["type"] == "json_invalid":
            reason = f"the body is not valid JSON: {first['ctx']['error']} (character {place[0]})"
            return await self._rejected(request, RequestError(400, "invalid_json", reason))
        message = f"{first['msg']}, got {kind_of(first.get('input'))}"
        field = ".".join(place) or None
        return await self._rejected(request, RequestError(422, "wrong_shape", message, field=field))

    async def _no_route(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        codes = {400: "invalid_json", 404: "no_such_route", 405: "wrong_method"}
        code = codes.get(error.status_code, "http_error")
        message = {
            400: "the body is not valid JSON",
            404: f"no such route: {request.url.path}; see /docs.json",
            405: f"{request.method} is not for {request.url.path}; see /docs.json",
        }.get(error.status_code, str(error.detail))
        return await self._rejected(request, RequestError(error.status_code, code, message))

    async def _failed(self, request: Request, error: Exception) -> Response:  # noqa: ARG002 - the server logs it
        return await self._rejected(
            request,
            RequestError(500, "internal", "this is a fault of the service; its log says more"),
        )


class _PageFiles(StaticFiles):
    """The page's parts, asked for anew each time."""

    def file_response(self, *args: Any, **options: Any) -> Response:  # noqa: ANN401 - Starlette's
        """With the page's headers."""
        response = super().file_response(*args, **options)
        response.headers.update(_PAGE_HEADERS)
        return response


def too_long(characters: int, most: int) -> ErrorAnswer:
    """The error in the place of a paragraph that is not read."""
    return ErrorAnswer.model_validate(
        {
            "error": {
                "code": "paragraph_too_long",
                "message": f"expected a paragraph of at most {most:,} characters, got "
                f"{characters:,}; cut it where its sense allows",
            }
        }
    )


def _texts(article: ArticleRequest) -> list[str]:
    if article.paragraphs is not None:
        return article.paragraphs
    return [article.text if article.text is not None else article.html or ""]


async def _read_all(given: Sequence[ArticleRequest]) -> list[Article]:
    return [await _read(one, str(number)) for number, one in enumerate(given)]


async def _read(given: ArticleRequest, number: str) -> Article:
    """A request's page as an article; a page without an id is called by its number."""
    size = sum(map(len, _texts(given)))
    reading: Callable[[ArticleRequest, str], Article] = _as_article
    if size < _CHARACTERS_AT_ONCE:
        return reading(given, number)
    return await asyncio.to_thread(reading, given, number)


def _as_article(given: ArticleRequest, number: str) -> Article:
    own_id = number if given.id is None else given.id
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


def _article_answer(answer: ArticlePredictions) -> ArticleAnswer:
    return ArticleAnswer(
        id=answer.article.id,
        paragraphs=[
            ParagraphAnswer(
                index=one.index, start=one.start, end=one.end, text=one.text, **_values(one)
            )
            for one in answer.predictions
        ],
    )


def _scores(one: ParagraphPrediction, *, raw: bool) -> list[LabelScore]:
    """All labels, the likeliest first; raw scores are logarithms of probabilities."""
    ordered = sorted(one.probabilities.items(), key=lambda item: -item[1])
    return [
        LabelScore(label=label, score=float(np.log(max(score, 1e-12))) if raw else score)
        for label, score in ordered
    ]


def _json(answer: BaseModel) -> Response:
    try:
        text = answer.model_dump_json()
    except PydanticSerializationError:
        # Half of a surrogate pair, which came as an escape, goes back as one.
        text = json.dumps(answer.model_dump())
    return Response(text, media_type="application/json")


def _json_list(answer: Sequence[LabelScore] | Sequence[Sequence[LabelScore]]) -> Response:
    return Response(_LISTS.dump_json(answer), media_type="application/json")


async def _gone(request: Request) -> None:
    """Returns when the caller has gone."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
