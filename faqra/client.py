"""A classifier whose model runs elsewhere: the prediction service, asked over HTTP.

No request asks for more than the service takes, what is refused for a while or lost on the way
is asked again, and the answers come in the order of what was asked. This module knows the
service's routes, not its model; httpx is imported when a client is made.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from itertools import islice
from operator import le, sub
from random import uniform
from time import sleep
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from faqra.extras import needing
from faqra_data.article import Article
from faqra_data.errors import FaqraError
from faqra_data.html import looks_like_html
from faqra_models.prediction import ArticlePredictions, ParagraphPrediction, Prediction

if TYPE_CHECKING:
    import httpx

# A request is smaller than the service allows, where it can be: one of 180,000 characters took a
# single busy core 13 s (measured with the bundled model) of the 30 s that the service gives
# itself, and nginx lets no body of more than 1 MiB pass unless told otherwise.
_CHARACTERS_PER_REQUEST = 100_000
# As the local classifier: so many are read from a stream before the first is answered.
_ARTICLES_PER_CHUNK = 64
# What stands around the paragraphs or articles of a request, and more.
_ENVELOPE_BYTES = 64
# Too busy, not ready, stopping; and what a proxy says while a worker is being replaced.
_PASSING = frozenset((429, 502, 503, 504))
# Words of the service for "not so much at once".
_ASKING_FOR_LESS = frozenset(("too_busy", "deadline"))
_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 30.0
# Callers who were refused together do not come back together.
_JITTER = 1.25
# Whoever does not take the connection within this time is not there; answers take longer.
_LONGEST_CONNECT_S = 10.0
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_Json = dict[str, Any]


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


class Client:
    """Labels paragraphs as `faqra.load()` does, with the model of a service.

    May be used from several threads at once, and as a context manager. Every method that asks
    raises ServiceError, in one line, where the service does not do what it is asked.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str = "",
        timeout_s: float = 60.0,
        retries: int = 5,
        transport: "httpx.BaseTransport | None" = None,
    ) -> None:
        """`url` is the service's root, such as http://localhost:3000; nothing is asked yet.

        What fails for a while is asked `retries` times again. `timeout_s` is the longest silence
        within one request. `transport` is httpx's, for sockets and certificates of one's own.
        """
        with needing("client", "faqra.Client"):
            import httpx  # noqa: PLC0415 - not everybody has or wants it

        base = _base_url(url)
        key = api_key.strip()  # of a file, with the newline at its end
        if not (key.isascii() and key.isprintable()):
            # The key itself is not shown: messages end up in logs.
            raise ServiceError("api_key: expected printable ASCII characters", code="wrong_key")
        bare = base.copy_with(userinfo=b"")
        self._shown = str(bare).rstrip("/")
        self._retries = retries
        self._http = httpx.Client(
            # The name and password of a URL would take the place of the key.
            base_url=bare if key else base,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx.Timeout(timeout_s, connect=min(timeout_s, _LONGEST_CONNECT_S)),
            transport=transport,
        )
        self._remembered: ServedModel | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; the client cannot be used any more."""
        self._http.close()

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the model, as it was when the service was first asked."""
        return self._known().labels

    def model(self) -> ServedModel:
        """What the service tells of its model now; its limits hold for what is asked next."""
        patience = _Patience(self._retries)
        where = self._where("GET", "/v1/model")
        while True:
            try:
                answer = self._once(where, "GET", "/v1/model")
            except ServiceUnavailableError as failure:
                patience.wait(where, failure)
                continue
            with _understanding(where, answer):
                self._remembered = _model(answer)
            return self._remembered

    def classify(self, paragraphs: Sequence[str]) -> list[Prediction]:
        """One prediction a paragraph, each judged by itself; same order and length."""
        if isinstance(paragraphs, str):
            raise TypeError("classify takes a list of paragraphs, got one string: put it in a list")
        pieces = [_paragraph_piece(text, index) for index, text in enumerate(paragraphs)]
        answers = self._answers(_CLASSIFY, pieces)
        return [Prediction(p.probabilities, p.truncated) for found in answers for p in found]

    def classify_article(self, page: str) -> list[ParagraphPrediction]:
        """One page of text or HTML, its paragraphs judged in context, with their offsets.

        The service reads the page: the offsets point into `page` where it is plain text, and
        into the page's visible text (paragraphs joined by newlines) where it is HTML.
        """
        if not isinstance(page, str):
            raise TypeError(
                f"classify_article takes a page as a string, got {type(page).__name__}; "
                "decode bytes, read files"
            )
        is_html = looks_like_html(page)
        body = _json({"html" if is_html else "text": page})
        load = _Load(1, 0, len(page), len(body) + 1)
        (found,) = self._answers(_ARTICLES, [_Piece(body, load, "the page")])
        if is_html:
            return found
        # As it stands in the page: a lone surrogate was sent as U+FFFD.
        return [replace(one, text=page[one.start : one.end]) for one in found]

    def classify_articles(
        self, articles: Iterable[Article], *, context: bool = True
    ) -> Iterator[ArticlePredictions]:
        """Each article with its predictions, in order, read as a stream.

        With `context` the paragraphs are judged in their article, where the model can; an
        article that is over the service's limits is judged in parts. What the normaliser
        emptied (`emptied`) is not told by the service. The articles before one that is refused
        are given first.
        """
        stream = iter(articles)
        route, pieces_of = (_ARTICLES, _as_a_whole) if context else (_CLASSIFY, _each_by_itself)
        while chunk := list(islice(stream, _ARTICLES_PER_CHUNK)):
            most = _most(self._known().limits)
            parts = [pieces_of(article, most) for article in chunk]
            answers = self._answers(route, [piece for pieces in parts for piece in pieces])
            for article, pieces in zip(chunk, parts, strict=True):
                found = [one for part in islice(answers, len(pieces)) for one in part]
                predictions = tuple(
                    replace(one, text=p.text, index=p.index, start=p.start, end=p.end)
                    for p, one in zip(article.paragraphs, found, strict=True)
                )
                yield ArticlePredictions(article, predictions)

    def _known(self) -> ServedModel:
        # Threads that begin together may each ask: no harm, and none waits for another's retries.
        return self._remembered or self.model()

    def _answers(
        self, route: "_Route", pieces: Sequence["_Piece"]
    ) -> Iterator[list[ParagraphPrediction]]:
        """The answers for each piece, in order; asked for when they are wanted."""
        if not pieces:
            return
        most = _most(self._known().limits)
        usual = most._replace(characters=min(most.characters, _CHARACTERS_PER_REQUEST))
        for group in _grouped(pieces, usual):
            if len(group) == 1:
                _check_sendable(group[0], most)
            yield from self._asked(route, group)

    def _asked(self, route: "_Route", group: list["_Piece"]) -> Iterator[list[ParagraphPrediction]]:
        """The answers for the pieces of one request, or of several where it was too much."""
        patience = _Patience(self._retries)
        waiting = [group]
        while waiting:
            part = waiting.pop()
            what = part[0].name if len(part) == 1 else f"{len(part)} {route.takes}"
            where = f"{self._where('POST', route.path)} ({what})"
            try:
                answer = self._once(where, "POST", route.path, route.body(part))
            except ServiceUnavailableError as failure:
                patience.wait(where, failure)
                half = len(part) // 2 if failure.code in _ASKING_FOR_LESS else 0
                waiting += [part[half:], part[:half]] if half else [part]
                continue
            patience.renew()
            with _understanding(where, answer):
                rows = list(zip(part, answer[route.gives], strict=True))
            for piece, row in rows:
                yield _read(where, route, piece, row)

    def _once(self, where: str, method: str, path: str, body: bytes | None = None) -> _Json:
        """The answer to one request; ServiceUnavailableError where it may be asked again."""
        import httpx  # noqa: PLC0415 - it is there: a client has been made

        headers = {} if body is None else {"Content-Type": "application/json"}
        try:
            response = self._http.request(method, path, content=body, headers=headers)
        except httpx.TransportError as error:
            raise ServiceUnavailableError(_one_line(str(error)) or type(error).__name__) from error
        except httpx.DecodingError as error:
            raise _foreign(where, f"a body that cannot be unpacked: {error}") from error
        return _answer_in(where, response)

    def _where(self, method: str, path: str) -> str:
        return f"{method} {self._shown}{path}"


class _Load(NamedTuple):
    """How much of what the service limits a piece or a request holds."""

    articles: int
    paragraphs: int
    characters: int
    body_bytes: int


@dataclass(frozen=True)
class _Piece:
    """What is never parted: its JSON, how much it is, and what it is called in an error.

    `longest` is the field of its longest paragraph, where the client knows its paragraphs.
    """

    body: bytes
    load: _Load
    name: str
    longest: str | None = None


@dataclass(frozen=True)
class _Route:
    """A route that takes a list and gives one of the same length, whose rows `read` reads."""

    path: str
    takes: str
    gives: str
    read: Callable[[_Json], list[ParagraphPrediction]]

    def body(self, pieces: Sequence[_Piece]) -> bytes:
        return b'{"%s":[%s]}' % (self.takes.encode(), b",".join(piece.body for piece in pieces))


class _Patience:
    """Counts failures in a row, waits longer after each, and gives up."""

    def __init__(self, retries: int) -> None:
        self._retries = retries
        self._tried = 0

    def wait(self, where: str, failure: ServiceUnavailableError) -> None:
        """Sleep until it is time to ask again, or raise `failure` as the last word."""
        self._tried += 1
        if self._tried > self._retries:
            times = "1 try" if self._tried == 1 else f"{self._tried} tries"
            raise ServiceUnavailableError(
                f"{where}: gave up after {times}, the last with: {failure}",
                status=failure.status,
                code=failure.code,
                retry_after_s=failure.retry_after_s,
            ) from failure
        longer = _FIRST_WAIT_S * 2 ** min(self._tried - 1, 10)
        sleep(min(_LONGEST_WAIT_S, max(longer, failure.retry_after_s)) * uniform(1, _JITTER))

    def renew(self) -> None:
        """Something was answered: what comes next is tried as often again."""
        self._tried = 0


def _base_url(url: str) -> "httpx.URL":
    import httpx  # noqa: PLC0415 - see Client

    try:
        base = httpx.URL(url)
    except httpx.InvalidURL:
        base = httpx.URL("")
    if base.scheme not in ("http", "https") or not base.host or base.query or base.fragment:
        raise ServiceError(
            f"url: expected the service's root, such as http://localhost:3000, got {url!r}",
            code="wrong_url",
        )
    return base


def _most(limits: RequestLimits) -> _Load:
    room = limits.body_bytes - _ENVELOPE_BYTES
    return _Load(limits.articles, limits.paragraphs, limits.characters, room)


def _json(value: object) -> bytes:
    """JSON in UTF-8, where a lone surrogate cannot be written.

    U+FFFD has the same length, and normalisers treat the two alike.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _LONE_SURROGATE.sub("\ufffd", text).encode()


def _paragraph_piece(text: str, index: int, article: str = "") -> _Piece:
    field = f"paragraphs.{index}"
    name = f"{article}, {field}" if article else field
    if not isinstance(text, str):
        raise TypeError(f"{name}: expected a string, got {type(text).__name__}")
    body = _json(text)
    return _Piece(body, _Load(0, 1, len(text), len(body) + 1), name, field)


def _each_by_itself(article: Article, most: _Load) -> list[_Piece]:  # noqa: ARG001 - a paragraph is not cut
    name = f"article {article.id!r}"
    return [_paragraph_piece(one.text, one.index, name) for one in article.paragraphs]


def _as_a_whole(article: Article, most: _Load) -> list[_Piece]:
    """The article in one piece where a request can hold it, else cut; none where it is empty."""
    head = _json({"title": article.title})[:-1] + b',"paragraphs":['
    around = _Load(1, 0, len(article.title), len(head) + len("]},"))
    room = _Load(*map(sub, most, around))
    pieces = []
    for group in _grouped(_each_by_itself(article, most), room):
        body = head + b",".join(one.body for one in group) + b"]}"
        load = _sum(around, *(one.load for one in group))
        longest = max(group, key=lambda one: one.load.characters).longest
        pieces.append(_Piece(body, load, f"article {article.id!r}", longest))
    return pieces


def _sum(*loads: _Load) -> _Load:
    return _Load(*map(sum, zip(*loads, strict=True)))


def _within(load: _Load, most: _Load) -> bool:
    return all(map(le, load, most))


def _grouped(pieces: Iterable[_Piece], most: _Load) -> Iterator[list[_Piece]]:
    """The pieces in groups that are no more than `most`; one that is more stands alone."""
    group: list[_Piece] = []
    load = _Load(0, 0, 0, 0)
    for piece in pieces:
        load = _sum(load, piece.load)
        if group and not _within(load, most):
            yield group
            group, load = [], piece.load
        group.append(piece)
    if group:
        yield group


def _check_sendable(piece: _Piece, most: _Load) -> None:
    """Raise what the service would say: it may hang up before it was sent all that is too much."""
    if _within(piece.load, most):
        return
    too_many = piece.load.characters > most.characters
    raise ServiceError(
        f"{piece.name}: expected at most {most.characters:,} characters and {most.body_bytes:,} "
        f"bytes of JSON in a request, got {piece.load.characters:,} and "
        f"{piece.load.body_bytes:,}; cut it where its sense allows",
        code="too_many_characters" if too_many else "body_too_large",
        field=piece.longest,
    )


def _answer_in(where: str, response: "httpx.Response") -> _Json:
    """What the service answered; every way in which it did not becomes an error."""
    status = response.status_code
    try:
        answer = json.loads(response.content)
    except (ValueError, RecursionError):
        answer = None
    error = _error_in(answer)
    if status in _PASSING:
        told = response.headers.get("Retry-After", "").strip()
        raise ServiceUnavailableError(
            f"{status} " + (_said(error) if error else response.reason_phrase),
            status=status,
            code=error["code"] if error else "no_answer",
            # A date, which some proxies say, is none; nine digits are longer than any wait.
            retry_after_s=int(told[:9]) if told.isascii() and told.isdigit() else 0,
        )
    if error:
        request_id = response.headers.get("X-Request-ID", "")
        noted = f" (X-Request-ID {request_id})" if status >= 500 and request_id else ""
        raise ServiceError(
            f"{where}: {status} {_said(error)}{noted}",
            status=status,
            code=error["code"],
            field=error.get("field"),
        )
    if not isinstance(answer, dict) or not response.is_success:
        came = response.headers.get("Content-Type", "no Content-Type")
        if response.has_redirect_location:
            came = f"a redirect to {response.headers['Location']}"
        raise _foreign(where, f"{status}, {came}: {_beginning(response.text)}", status=status)
    return answer


def _error_in(answer: object) -> _Json | None:
    """The service's error in an answer or a row of one, None where there is none."""
    error = answer.get("error") if isinstance(answer, dict) else None
    if not isinstance(error, dict):
        return None
    said = isinstance(error.get("code"), str) and isinstance(error.get("message"), str)
    return error if said else None


def _said(error: _Json) -> str:
    return f"{error['code']}: {_one_line(error['message'])}"


def _foreign(where: str, came: str, *, status: int | None = None) -> ServiceError:
    return ServiceError(
        f"{where}: expected an answer of faqra's service, got {came}; is this its URL?",
        status=status,
        code="not_the_service",
    )


@contextmanager
def _understanding(where: str, answer: _Json) -> Iterator[None]:
    """Around the reading of JSON: what has another shape than the service's is said."""
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _foreign(where, _beginning(json.dumps(answer, ensure_ascii=False))) from error


def _read(where: str, route: _Route, piece: _Piece, row: _Json) -> list[ParagraphPrediction]:
    """The predictions for a piece; an error that stands in their place is raised."""
    error = _error_in(row)
    if error:
        name = piece.name
        if piece.load.articles and piece.longest and error["code"] == "paragraph_too_long":
            name += f", {piece.longest}"  # the service does not say which
        raise ServiceError(
            f"{name}: {_said(error)}",
            status=200,
            code=error["code"],
            field=error.get("field") or piece.longest,
        )
    with _understanding(where, row):
        found = route.read(row)
        asked = piece.load.paragraphs
        if asked and len(found) != asked:  # of a page, the service finds the paragraphs
            raise ValueError(f"{len(found)} answers to {asked} paragraphs")
    return found


def _paragraph(row: _Json, **place: Any) -> ParagraphPrediction:  # noqa: ANN401 - the fields'
    probabilities = {str(label): float(p) for label, p in row["probabilities"].items()}
    if not probabilities:
        raise ValueError("a prediction without a label")
    return ParagraphPrediction(probabilities, bool(row["truncated"]), **place)


def _paragraphs(row: _Json) -> list[ParagraphPrediction]:
    places = ("text", "index", "start", "end")
    return [_paragraph(one, **{name: one[name] for name in places}) for one in row["paragraphs"]]


def _model(answer: _Json) -> ServedModel:
    values = {one.name: answer[one.name] for one in fields(ServedModel)}
    limits = {one.name: int(answer["limits"][one.name]) for one in fields(RequestLimits)}
    values |= {"labels": tuple(answer["labels"]), "limits": RequestLimits(**limits)}
    return ServedModel(**values)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _beginning(text: str) -> str:
    short = _one_line(text[:1000])
    return repr(short if len(short) <= 80 else short[:80] + "…")


_CLASSIFY = _Route("/v1/classify", "paragraphs", "predictions", lambda row: [_paragraph(row)])
_ARTICLES = _Route("/v1/articles", "articles", "articles", _paragraphs)
