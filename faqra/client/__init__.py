"""A classifier whose model runs elsewhere: the prediction service, asked over HTTP.

No request asks for more than the service takes, what is refused for a while or lost on the way
is asked again, and the answers come in the order of what was asked. This package knows the
service's routes, not its model; httpx is imported when a client is made.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from random import uniform
from time import sleep
from types import TracebackType
from typing import TYPE_CHECKING, Self

from faqra.client.answers import (
    Json,
    RequestLimits,
    ServedModel,
    ServiceError,
    ServiceUnavailableError,
    beginning,
    error_in,
    foreign,
    one_line,
    said,
    served_model,
    understanding,
)
from faqra.client.pieces import (
    Load,
    Piece,
    as_a_whole,
    check_sendable,
    each_by_itself,
    grouped,
    json_bytes,
    most_of,
    paragraph_piece,
)
from faqra.client.routes import ARTICLES, CLASSIFY, Route, read
from faqra.extras import needing
from faqra_data.article import Article
from faqra_data.html import looks_like_html
from faqra_models.prediction import ArticlePredictions, ParagraphPrediction, Prediction

if TYPE_CHECKING:
    import httpx

__all__ = ["Client", "RequestLimits", "ServedModel", "ServiceError", "ServiceUnavailableError"]

# A request is smaller than the service allows, where it can be: one of 180,000 characters took a
# single busy core 13 s (measured with the bundled model) of the 30 s that the service gives
# itself, and nginx lets no body of more than 1 MiB pass unless told otherwise.
_CHARACTERS_PER_REQUEST = 100_000
# As the local classifier: so many are read from a stream before the first is answered.
_ARTICLES_PER_CHUNK = 64
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
            with understanding(where, answer):
                self._remembered = served_model(answer)
            return self._remembered

    def classify(self, paragraphs: Sequence[str]) -> list[Prediction]:
        """One prediction a paragraph, each judged by itself; same order and length."""
        if isinstance(paragraphs, str):
            raise TypeError("classify takes a list of paragraphs, got one string: put it in a list")
        pieces = [paragraph_piece(text, index) for index, text in enumerate(paragraphs)]
        answers = self._answers(CLASSIFY, pieces)
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
        body = json_bytes({"html" if is_html else "text": page})
        load = Load(1, 0, len(page), len(body) + 1)
        (found,) = self._answers(ARTICLES, [Piece(body, load, "the page")])
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
        route, pieces_of = (ARTICLES, as_a_whole) if context else (CLASSIFY, each_by_itself)
        while chunk := list(islice(stream, _ARTICLES_PER_CHUNK)):
            most = most_of(self._known().limits)
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
        self, route: "Route", pieces: Sequence["Piece"]
    ) -> Iterator[list[ParagraphPrediction]]:
        """The answers for each piece, in order; asked for when they are wanted."""
        if not pieces:
            return
        most = most_of(self._known().limits)
        usual = most._replace(characters=min(most.characters, _CHARACTERS_PER_REQUEST))
        for group in grouped(pieces, usual):
            if len(group) == 1:
                check_sendable(group[0], most)
            yield from self._asked(route, group)

    def _asked(self, route: "Route", group: list["Piece"]) -> Iterator[list[ParagraphPrediction]]:
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
            with understanding(where, answer):
                rows = list(zip(part, answer[route.gives], strict=True))
            for piece, row in rows:
                yield read(where, route, piece, row)

    def _once(self, where: str, method: str, path: str, body: bytes | None = None) -> Json:
        """The answer to one request; ServiceUnavailableError where it may be asked again."""
        import httpx  # noqa: PLC0415 - it is there: a client has been made

        headers = {} if body is None else {"Content-Type": "application/json"}
        try:
            response = self._http.request(method, path, content=body, headers=headers)
        except httpx.TransportError as error:
            raise ServiceUnavailableError(one_line(str(error)) or type(error).__name__) from error
        except httpx.DecodingError as error:
            raise foreign(where, f"a body that cannot be unpacked: {error}") from error
        return _answer_in(where, response)

    def _where(self, method: str, path: str) -> str:
        return f"{method} {self._shown}{path}"


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


def _answer_in(where: str, response: "httpx.Response") -> Json:
    """What the service answered; every way in which it did not becomes an error."""
    status = response.status_code
    try:
        answer = json.loads(response.content)
    except (ValueError, RecursionError):
        answer = None
    error = error_in(answer)
    if status in _PASSING:
        told = response.headers.get("Retry-After", "").strip()
        raise ServiceUnavailableError(
            f"{status} " + (said(error) if error else response.reason_phrase),
            status=status,
            code=error["code"] if error else "no_answer",
            # A date, which some proxies say, is none; nine digits are longer than any wait.
            retry_after_s=int(told[:9]) if told.isascii() and told.isdigit() else 0,
        )
    if error:
        request_id = response.headers.get("X-Request-ID", "")
        noted = f" (X-Request-ID {request_id})" if status >= 500 and request_id else ""
        raise ServiceError(
            f"{where}: {status} {said(error)}{noted}",
            status=status,
            code=error["code"],
            field=error.get("field"),
        )
    if not isinstance(answer, dict) or not response.is_success:
        came = response.headers.get("Content-Type", "no Content-Type")
        if response.has_redirect_location:
            came = f"a redirect to {response.headers['Location']}"
        raise foreign(where, f"{status}, {came}: {beginning(response.text)}", status=status)
    return answer
