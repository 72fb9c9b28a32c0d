"""What the service answers, and every way in which it does not, as values of this package.

This module knows JSON, not how it came.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any

from faqra_data.errors import FaqraError
from faqra_models.prediction import ParagraphPrediction

Json = dict[str, Any]


class ServiceError(FaqraError):
    """The service's no, or an answer that is none of the service's.

    `status` is HTTP's, 200 where the answer holds an error beside good ones, and None where
    nothing was answered. `code` is the service's word for it, or one of `no_answer`,
    `not_the_service`, `wrong_url` and `wrong_key`. `field` is the part that is at fault: a
    paragraph that is too long is numbered as it was given, all else as in the request.
    """

    def __init__(
        self, message: str, *, status: int | None = None, code: str = "", field: str | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.field = field


class ServiceUnavailableError(ServiceError):
    """The service was busy, not ready or not reached, each time that it was asked.

    `retry_after_s` is when it last said to come back, 0 where it did not say.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str = "no_answer",
        retry_after_s: int = 0,
    ) -> None:
        super().__init__(message, status=status, code=code)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True)
class RequestLimits:
    """What the service takes in one request, and the seconds that it gives itself for it."""

    body_bytes: int
    paragraphs: int
    articles: int
    characters: int
    paragraph_characters: int
    deadline_s: int


@dataclass(frozen=True)
class ServedModel:
    """What the service tells of its model; `faqra` is the version that serves it."""

    name: str
    digest: str
    labels: tuple[str, ...]
    faqra: str
    max_tokens: int
    context: bool
    temperature: float
    limits: RequestLimits
    scores: dict[str, Any]
    history: dict[str, Any]


def served_model(answer: Json) -> ServedModel:
    """What `GET /v1/model` answered."""
    values = {one.name: answer[one.name] for one in fields(ServedModel)}
    limits = {one.name: int(answer["limits"][one.name]) for one in fields(RequestLimits)}
    values |= {"labels": tuple(answer["labels"]), "limits": RequestLimits(**limits)}
    return ServedModel(**values)


def paragraphs_of(row: Json) -> list[ParagraphPrediction]:
    """The predictions of one article of `POST /v1/articles`."""
    places = ("text", "index", "start", "end")
    return [paragraph(one, **{name: one[name] for name in places}) for one in row["paragraphs"]]


def paragraph(row: Json, **place: Any) -> ParagraphPrediction:  # noqa: ANN401 - the fields'
    """One prediction, with what else is known of its paragraph."""
    probabilities = {str(label): float(p) for label, p in row["probabilities"].items()}
    if not probabilities:
        raise ValueError("a prediction without a label")
    return ParagraphPrediction(probabilities, bool(row["truncated"]), **place)


def error_in(answer: object) -> Json | None:
    """The service's error in an answer or a row of one, None where there is none."""
    error = answer.get("error") if isinstance(answer, dict) else None
    if not isinstance(error, dict):
        return None
    is_ours = isinstance(error.get("code"), str) and isinstance(error.get("message"), str)
    return error if is_ours else None


def said(error: Json) -> str:
    """The service's own words, in one line."""
    return f"{error['code']}: {one_line(error['message'])}"


def foreign(where: str, came: str, *, status: int | None = None) -> ServiceError:
    """The error for an answer that is not the service's."""
    return ServiceError(
        f"{where}: expected an answer of faqra's service, got {came}; is this its URL?",
        status=status,
        code="not_the_service",
    )


@contextmanager
def understanding(where: str, answer: Json) -> Iterator[None]:
    """Around the reading of JSON: what has another shape than the service's is said."""
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise foreign(where, beginning(json.dumps(answer, ensure_ascii=False))) from error


def one_line(text: str) -> str:
    """The text without line breaks."""
    return " ".join(text.split())


def beginning(text: str) -> str:
    """What a message shows of a text that may be long."""
    short = one_line(text[:1000])
    return repr(short if len(short) <= 80 else short[:80] + "…")
