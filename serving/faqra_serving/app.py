"""The routes: requests checked, handed to the engine, and its answers put into each shape.

An ASGI application of its own, so that every error has the one shape and every route the
contract's name; `service` puts it into BentoML. This module does not know how answers are
reached.
"""

import asyncio
import time
import uuid
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response

import faqra_serving
from faqra_data.article import Article
from faqra_data.rows import kind_of
from faqra_models.prediction import ParagraphPrediction
from faqra_serving.engine import Engine
from faqra_serving.errors import RequestError, too_late
from faqra_serving.guard import Guard, error_response
from faqra_serving.limits import Limits
from faqra_serving.metrics import Metrics
from faqra_serving.page_files import PageFiles, front_page
from faqra_serving.schemas import (
    ArticleError,
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
    PredictRequest,
    Usage,
)
from faqra_serving.shapes import (
    article_answer,
    json_response,
    label_scores,
    paragraph_answer,
    read_all,
    scores_response,
    texts_of,
    too_long,
)

_Answer = TypeVar("_Answer")
_ANY = "/{path:path}"
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
# Routes that take nothing but text, and how many bytes of JSON a token of Arabic is there.
_OF_TEXTS = frozenset({"/v1/classify", "/predict", "/classify"})
_BYTES_PER_TOKEN, _BYTES_PER_TOKEN_ESCAPED = 8, 24
# A status that nobody reads: the caller has gone. As nginx logs it.
_GONE = 499
_UNWATCHED_S = 0.1
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
        self.add_middleware(
            Guard,
            limits=limits,
            metrics=lambda: self.metrics,
            methods_of=self._methods_of,
            admit=self._admit,
            api_key=api_key,
        )
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
        self.mount("/static", PageFiles(), name="static")
        self.paths = frozenset(one.path for one in self.routes if isinstance(one, APIRoute))
        # BentoML's own routes were asked before; what comes here is no route at all.
        self.api_route(_ANY, methods=_METHODS, include_in_schema=False)(self.nowhere)

    async def classify(self, body: ClassifyRequest, request: Request) -> Response:
        """Classify paragraphs: each by itself, or with `context` as one article in order.

        A paragraph that is too long has an error in its place; the others are answered.
        """
        engine = self._ready()
        self._check("paragraphs", len(body.paragraphs), self.limits.paragraphs)
        self._check_characters(body.paragraphs)
        errors = self._too_long("paragraphs", body.paragraphs)
        texts = ["" if index in errors else text for index, text in enumerate(body.paragraphs)]
        articles = (
            [Article.from_paragraphs("", tuple(texts))]
            if body.context
            else [Article.from_paragraphs("", (text,)) for text in texts]
        )
        answers = await self._answered(request, engine.answer(articles, context=body.context))
        predictions = [one for answer in answers for one in answer.predictions]
        return json_response(
            ClassifyAnswer(
                model=self._model_name(engine),
                predictions=[
                    errors[index] if index in errors else paragraph_answer(one)
                    for index, one in enumerate(predictions)
                ],
            )
        )

    async def articles(self, body: ArticlesRequest, request: Request) -> Response:
        """Classify pages, each as a whole: its text, its HTML, or its paragraphs.

        A page that is too long or cannot be read has an error in its place; the others are
        answered.
        """
        engine = self._ready()
        self._check("articles", len(body.articles), self.limits.articles)
        self._check_characters(
            [text for one in body.articles for text in (one.title, *texts_of(one))]
        )
        read = await self._answered(request, read_all(body.articles))
        pages = [
            self._short(index, one) if isinstance(one, Article) else one
            for index, one in enumerate(read)
        ]
        asked = [one for one in pages if isinstance(one, Article)]
        self._check("articles", sum(len(one.paragraphs) for one in asked), self.limits.paragraphs)
        answers = iter(await self._answered(request, engine.answer(asked, context=True)))
        return json_response(
            ArticlesAnswer(
                model=self._model_name(engine),
                articles=[
                    article_answer(next(answers)) if isinstance(one, Article) else one
                    for one in pages
                ],
            )
        )

    async def predict(self, body: PredictRequest, request: Request) -> Response:
        """Classify as text-embeddings-inference does: all labels of each text, likeliest first."""
        texts = [body.inputs] if isinstance(body.inputs, str) else body.inputs
        answers = await self._each("inputs", texts, request)
        scores = [label_scores(one, raw=body.raw_scores) for one in answers]
        return scores_response(scores[0] if isinstance(body.inputs, str) else scores)

    async def infinity(self, body: InfinityRequest, request: Request) -> Response:
        """Classify as infinity does."""
        answers = await self._each("input", body.input, request)
        engine = self._ready()
        tokens = sum(map(len, engine.classifier.token_ids(body.input)))
        return json_response(
            InfinityAnswer(
                data=[label_scores(one, raw=body.raw_scores) for one in answers],
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
        return front_page()

    async def nowhere(self, request: Request) -> Response:
        """Any other path, or one asked with a method that it does not have."""
        methods = self._methods_of(request.url.path)
        if not methods:
            raise HTTPException(404)
        raise HTTPException(405, headers={"Allow": ", ".join(sorted(methods))})

    async def _each(
        self, field: str, texts: Sequence[str], request: Request
    ) -> list[ParagraphPrediction]:
        """Each text by itself."""
        engine = self._ready()
        self._check(field, len(texts), self.limits.paragraphs)
        self._check_characters(texts)
        for found in self._too_long(field, texts).values():
            error = found.error
            raise RequestError(413, error.code, error.message, field=error.field)
        articles = [Article.from_paragraphs("", (text,)) for text in texts]
        answers = await self._answered(request, engine.answer(articles, context=False))
        return [one for answer in answers for one in answer.predictions]

    def _methods_of(self, path: str) -> set[str]:
        asked = [one for one in self.routes if getattr(one, "path", "") == path]
        return {method for one in asked for method in getattr(one, "methods", None) or ()}

    def _admit(self, path: str, body: bytes) -> None:
        """Refuse by its size what would be refused when it is read: a flood costs much less so."""
        if self.engine is not None and path in _OF_TEXTS:
            per_token = _BYTES_PER_TOKEN_ESCAPED if b"\\u06" in body else _BYTES_PER_TOKEN
            self.engine.check_room(len(body) // per_token)

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

    def _too_long(self, field: str, texts: Sequence[str]) -> dict[int, ErrorAnswer]:
        """The error in the place of each paragraph that is not read."""
        most = self.limits.paragraph_characters
        return {
            index: too_long(f"{field}.{index}", len(text), most)
            for index, text in enumerate(texts)
            if len(text) > most
        }

    def _short(self, index: int, page: Article) -> Article | ArticleError:
        """The page, or the error in its place where a paragraph of it is not read."""
        found = self._too_long(
            f"articles.{index}.paragraphs", [one.text for one in page.paragraphs]
        )
        for first in found.values():
            return ArticleError(id=page.id, error=first.error)
        return page

    async def _answered(self, request: Request, work: Coroutine[Any, Any, _Answer]) -> _Answer:
        """The answer of `work`, which is dropped where its caller goes away, or at the deadline."""
        tasks: list[asyncio.Task[Any]] = [working := asyncio.create_task(work)]
        try:
            # Most are answered so soon that nobody need look whether they are still wanted.
            await asyncio.wait(tasks, timeout=_UNWATCHED_S)
            if working.done():
                return working.result()
            tasks.append(going := asyncio.create_task(_gone(request)))
            await asyncio.wait(
                tasks, timeout=self.limits.deadline_s, return_when=asyncio.FIRST_COMPLETED
            )
            if working.done():
                return working.result()
            if going.done():
                raise RequestError(_GONE, "caller_gone", "the caller went away")
            raise too_late(self.limits.deadline_s)
        finally:
            unfinished = [task for task in tasks if not task.done()]
            for task in unfinished:
                task.cancel()
            if unfinished:
                await asyncio.gather(*unfinished, return_exceptions=True)

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
        path = request.scope["raw_path"].decode("latin-1")  # as it came: in one line
        message = {
            400: "the body is not valid JSON",
            404: f"no such route: {path}; see /docs.json",
            405: f"{request.method} is not for {path}; see /docs.json",
        }.get(error.status_code, str(error.detail))
        response = await self._rejected(request, RequestError(error.status_code, code, message))
        response.headers.update(error.headers or {})
        return response

    async def _failed(self, request: Request, error: Exception) -> Response:  # noqa: ARG002 - the server logs it
        return await self._rejected(
            request,
            RequestError(500, "internal", "this is a fault of the service; its log says more"),
        )


async def _gone(request: Request) -> None:
    """Returns when the caller has gone."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
