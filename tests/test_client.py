"""The service from afar: what `faqra.load()` says, whatever happens on the way."""

import asyncio
import json
import pickle
import re
import socket
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from toys import toy_classifier

from faqra.client import Client, RequestLimits, ServiceError, ServiceUnavailableError
from faqra_data.article import Article, Paragraph
from faqra_data.errors import FaqraError, MissingExtraError
from faqra_models.classifier import Classifier
from faqra_models.loading import load_classifier
from faqra_models.prediction import Prediction

httpx = pytest.importorskip("httpx", reason="needs the extra 'client'")

PAGES = Path(__file__).parent / "pages"
URL = "http://service.test/faqra"
LIMITS = RequestLimits(2**23, 4096, 256, 4_000_000, 200_000, 30)
BROKEN = ["", "\x00", "\ud800", "قال\ud83d\x00 الوزير\udfff", "\ud83d\ude00", "\ufeff"]


def score(text: str) -> float:
    """A number by which a text is told, as the service gets it: without lone surrogates."""
    return zlib.crc32(re.sub("[\ud800-\udfff]", "\ufffd", text).encode()) / 2**32


def scores(predictions: Sequence[Prediction]) -> list[float]:
    return [one.probabilities["a"] for one in predictions]


def error_of(code: str, message: str, field: str | None = None) -> dict[str, Any]:
    error = {"code": code, "message": message, **({} if field is None else {"field": field})}
    return {"error": error}


class FakeService:
    """Answers with `score`, refuses what is over its limits, and fails first as it is told.

    What it is told is an answer to give, or an exception to raise, for one POST each.
    """

    def __init__(self, *failures: Any, limits: RequestLimits = LIMITS) -> None:
        self.failures = list(failures)
        self.limits = limits
        self.asked: list[dict[str, Any]] = []
        self.refused: list[int] = []
        self.times_told = 0
        self.headers: Any = None

    def client(self, **options: Any) -> Client:
        return Client(URL, transport=httpx.MockTransport(self), **options)

    def __call__(self, request: Any) -> Any:
        self.headers = request.headers
        if request.url.path == "/faqra/v1/model":
            self.times_told += 1
            return httpx.Response(200, json=self.model())
        body = json.loads(request.content)
        self.asked.append(body)
        if self.failures:
            failure = self.failures.pop(0)
            if isinstance(failure, Exception):
                raise failure
            return failure
        articles = body.get("articles", [{"paragraphs": body.get("paragraphs")}])
        texts = [text for one in articles for text in one["paragraphs"]]
        given = texts + [one.get("title", "") for one in articles]
        if (
            len(request.content) > self.limits.body_bytes
            or len(texts) > self.limits.paragraphs
            or len(articles) > self.limits.articles
            or sum(map(len, given)) > self.limits.characters
        ):
            self.refused.append(len(self.asked))
            return httpx.Response(413, json=error_of("too_many", "too much"))
        answers = [[self.row(text, i) for i, text in enumerate(a["paragraphs"])] for a in articles]
        if request.url.path == "/faqra/v1/classify":
            return httpx.Response(200, json={"model": {}, "predictions": answers[0]})
        rows = [{"id": str(number), "paragraphs": rows} for number, rows in enumerate(answers)]
        return httpx.Response(200, json={"model": {}, "articles": rows})

    def row(self, text: str, index: int) -> dict[str, Any]:
        return {
            "probabilities": {"a": score(text), "b": 1 - score(text)},
            "truncated": len(text) > 50,
            "text": text,
            "index": index,
            "start": None,
            "end": None,
        }

    def model(self) -> dict[str, Any]:
        return {
            "name": "fake",
            "digest": "0",
            "labels": ["a", "b"],
            "faqra": "1",
            "max_tokens": 64,
            "context": True,
            "temperature": 1.0,
            "limits": vars(self.limits),
            "scores": {},
            "history": {},
            "what a later version adds": 1,
        }


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the client would have slept, without jitter."""
    found: list[float] = []
    monkeypatch.setattr("faqra.client.sleep", found.append)
    monkeypatch.setattr("faqra.client.uniform", lambda least, _: least)
    return found


@contextmanager
def serving(classifier: Classifier | None, *, api_key: str = "", **limits: int) -> Iterator[str]:
    """The real application on a free port, as long as the block lasts; gives its URL."""
    pytest.importorskip("fastapi", reason="needs the extra 'serve'")
    import uvicorn
    from prometheus_client import CollectorRegistry

    from faqra_serving.app import Application
    from faqra_serving.engine import Engine
    from faqra_serving.limits import Limits
    from faqra_serving.metrics import Metrics

    application = Application(Limits(**limits), api_key=api_key)
    if classifier is not None:
        metrics = Metrics(CollectorRegistry())
        application.engine = Engine(classifier, application.limits, metrics)
    config = uvicorn.Config(application, log_config=None, lifespan="off", ws="none")
    server = uvicorn.Server(config)

    async def serve() -> None:
        await server.serve(sockets=[listening])
        if application.engine is not None:
            await application.engine.close()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = Thread(target=asyncio.run, args=(serve(),))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module", params=["bundled", "toy"])
def local(request: pytest.FixtureRequest) -> Classifier:
    return load_classifier(threads=1) if request.param == "bundled" else toy_classifier()[0]


@pytest.fixture(scope="module")
def connected(local: Classifier) -> Iterator[Client]:
    with serving(local) as url, Client(url) as client:
        yield client


@pytest.fixture
def remote(connected: Client, waits: list[float]) -> Iterator[Client]:
    """A client of the real service, which has no reason to be asked for anything twice."""
    yield connected
    assert waits == []


def assert_same(
    found: Sequence[Prediction], wanted: Sequence[Prediction], local: Classifier
) -> None:
    """Equal, but for the bundled model's 8 bits, whose scale depends on who shares a batch."""
    most = 0.03 if local.settings.name != "toy" else 1e-9
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        assert one.label == other.label
        assert one.probabilities == pytest.approx(other.probabilities, abs=most)
        assert list(one.probabilities) == list(other.probabilities)
        assert replace(one, probabilities={}) == replace(other, probabilities={})


# What the real service answers.


def test_paragraphs_are_answered_as_by_the_local_classifier(
    remote: Client, local: Classifier
) -> None:
    texts = ["أكد وزير الصحة أن اللقاح متوفر", "اشترك في نشرتنا البريدية", "كلمة " * 800]
    found = remote.classify(texts)
    assert type(found[0]) is Prediction
    assert_same(found, local.classify(texts), local)


@pytest.mark.parametrize("name", ["sample.html", "a text"])
def test_a_page_is_answered_as_by_the_local_classifier(
    name: str, remote: Client, local: Classifier
) -> None:
    page = (
        "\n\n  قال الوزير إن المياه ستعود.\r\n • الرئيسية • سياسة\n\ud800 رأي\x00\n"
        if name == "a text"
        else (PAGES / name).read_text(encoding="utf-8")
    )
    found = remote.classify_article(page)
    assert len(found) > 3
    assert_same(found, local.classify_article(page), local)


@pytest.mark.parametrize("context", [True, False])
def test_articles_are_answered_as_by_the_local_classifier(
    context: bool, remote: Client, local: Classifier
) -> None:
    page = local.classify_article((PAGES / "sample.html").read_text(encoding="utf-8"))
    paragraphs = tuple(Paragraph(one.text, one.index, one.start, one.end) for one in page)
    articles = [
        Article("page", paragraphs, title="انقطاع المياه", source="s", url="u", date="d"),
        Article("empty", ()),
        Article.from_paragraphs("broken \ud800", BROKEN, title="\udfff\x00"),
    ]
    found = list(remote.classify_articles(iter(articles), context=context))
    wanted = list(local.classify_articles(articles, context=context))
    assert [one.article for one in found] == articles
    for one, other in zip(found, wanted, strict=True):
        assert_same(one.predictions, other.predictions, local)


def test_broken_texts_are_answered_as_by_the_local_classifier(
    remote: Client, local: Classifier
) -> None:
    assert_same(remote.classify(BROKEN), local.classify(BROKEN), local)
    page = "\ud800\x00\n\x00"
    assert_same(remote.classify_article(page), local.classify_article(page), local)


def test_nothing_is_answered_with_nothing(remote: Client) -> None:
    assert remote.classify([]) == []
    assert list(remote.classify_articles([])) == []
    assert remote.classify_article("") == []
    assert remote.classify_article("<html><body></body></html>") == []


def test_the_model_is_told_as_it_is(remote: Client, local: Classifier) -> None:
    model = remote.model()
    assert remote.labels == model.labels == local.labels
    assert (model.name, model.digest) == (local.settings.name, local.digest)
    assert model.limits == LIMITS


def test_a_client_may_be_used_from_several_threads(waits: list[float]) -> None:
    classifier, _ = toy_classifier()
    lists = [["خبر", "قال", "رأي", "قائمة"][n % 4 :] * (n % 7) for n in range(40)]
    with (
        serving(classifier, paragraphs=5) as url,
        Client(url) as client,
        ThreadPoolExecutor(8) as threads,
    ):
        for texts, found in zip(lists, threads.map(client.classify, lists), strict=True):
            assert_same(found, classifier.classify(texts), classifier)
    assert waits == []


def test_a_paragraph_that_is_too_long_is_named(waits: list[float]) -> None:
    classifier, _ = toy_classifier()
    short = Article.from_paragraphs("short", ["خبر"])
    long = Article.from_paragraphs("long", ["خبر", "قال " * 30, "رأي"])
    with (
        serving(classifier, paragraph_characters=100, characters=1000) as url,
        Client(url) as client,
    ):
        with pytest.raises(ServiceError, match=r"^paragraphs\.7: paragraph_too_long: .*100") as one:
            client.classify(["خبر"] * 7 + ["قال " * 30])
        assert (one.value.status, one.value.field) == (200, "paragraphs.7")
        found = client.classify_articles([short, long, short])
        assert next(found).article == short
        with pytest.raises(ServiceError, match=r"^article 'long', paragraphs\.1: paragraph_too"):
            next(found)
        with pytest.raises(ServiceError, match=r"^article 'long', paragraphs\.1: paragraph_too"):
            list(client.classify_articles([long], context=False))
        with pytest.raises(ServiceError, match=r"^the page: paragraph_too_long: "):
            client.classify_article("قال " * 30)
        # More than any request may hold: the service would hang up.
        with pytest.raises(ServiceError, match=r"^paragraphs\.1: expected at most 1,000 char"):
            client.classify(["خبر", "خ" * 1001])
    assert waits == []


def test_the_key_opens_a_service_that_asks_for_one() -> None:
    classifier, _ = toy_classifier()
    with serving(classifier, api_key="secret") as url:
        with Client(url, api_key="secret\n") as client:
            assert len(client.classify(["خبر"])) == 1
        with (
            Client(url, api_key="wrong") as client,
            pytest.raises(ServiceError, match="401 unauthorized: expected the header") as raised,
        ):
            client.classify(["خبر"])
    assert (raised.value.status, raised.value.code) == (401, "unauthorized")


def test_a_service_that_is_not_ready_is_waited_for(waits: list[float]) -> None:
    with (
        serving(None) as url,
        Client(url, retries=3) as client,
        pytest.raises(ServiceUnavailableError, match="503 not_ready: the model is being loaded"),
    ):
        client.model()
    assert waits == [1, 1, 2]


# Parts of what is too much for one request.


@given(
    st.lists(
        st.lists(st.text(st.characters(codec=None), max_size=20), max_size=12),
        max_size=12,
    ),
    st.booleans(),
    st.integers(1, 6),
    st.integers(1, 4),
    st.integers(25, 90),
    st.integers(250, 900),
)
def test_no_request_is_over_the_limits_and_nothing_is_lost(
    texts: list[list[str]],
    context: bool,
    paragraphs: int,
    articles: int,
    characters: int,
    body_bytes: int,
) -> None:
    service = FakeService(
        limits=replace(
            LIMITS,
            paragraphs=paragraphs,
            articles=articles,
            characters=characters,
            body_bytes=body_bytes,
        )
    )
    given = [
        Article.from_paragraphs(str(number), tuple(each), title="title"[: number % 6])
        for number, each in enumerate(texts)
    ]
    client = service.client()
    found = list(client.classify_articles(given, context=context))
    assert service.refused == []
    assert service.times_told <= 1
    assert [one.article for one in found] == given
    for one, article in zip(found, given, strict=True):
        assert [p.text for p in one.predictions] == [p.text for p in article.paragraphs]
        assert [p.index for p in one.predictions] == list(range(len(article.paragraphs)))
        assert scores(one.predictions) == [score(p.text) for p in article.paragraphs]
    if not context:
        flat = [text for each in texts for text in each]
        assert scores(client.classify(flat)) == [
            p for one in found for p in scores(one.predictions)
        ]


def test_an_article_is_parted_only_where_no_request_holds_it() -> None:
    service = FakeService(limits=replace(LIMITS, paragraphs=4, articles=2))
    sizes = [4, 1, 2, 1, 9, 0, 1]
    articles = [Article.from_paragraphs(str(n), ("فقرة",) * n, title="عنوان") for n in sizes]
    list(service.client().classify_articles(articles))
    asked = [[len(one["paragraphs"]) for one in body["articles"]] for body in service.asked]
    assert asked == [[4], [1, 2], [1], [4], [4], [1, 1]]
    assert {one["title"] for body in service.asked for one in body["articles"]} == {"عنوان"}


def test_a_request_is_much_smaller_than_the_limits() -> None:
    service = FakeService()
    found = service.client().classify([f"{number} " + "كلمة " * 1000 for number in range(100)])
    assert len(found) == 100
    assert [len(body["paragraphs"]) for body in service.asked] == [19, 19, 19, 19, 19, 5]


def test_articles_are_read_as_they_are_answered() -> None:
    read: list[int] = []

    def articles() -> Iterator[Article]:
        for number in range(1000):
            read.append(number)
            yield Article.from_paragraphs(str(number), ("خبر",))

    service = FakeService()
    found = service.client().classify_articles(articles())
    assert (read, service.asked) == ([], [])
    assert next(found).article.id == "0"
    assert len(read) < 100


# What fails.


def busy(seconds: str | None) -> Any:
    headers = {} if seconds is None else {"Retry-After": seconds}
    return httpx.Response(429, headers=headers, json=error_of("too_busy", "too much to do"))


@pytest.mark.parametrize(
    ("told", "waited"),
    [("7", 7), (None, 0.5), ("99999999999999999999", 30), ("Wed, 21 Oct 2026 07:28:00 GMT", 0.5)],
)
def test_a_busy_service_is_asked_again_when_it_says(
    told: str | None, waited: float, waits: list[float]
) -> None:
    service = FakeService(busy(told))
    assert scores(service.client().classify(["خبر"])) == [score("خبر")]
    assert waits == [waited]
    assert service.asked == [{"paragraphs": ["خبر"]}] * 2


@pytest.mark.parametrize(
    "failure",
    [
        httpx.Response(503, json=error_of("stopping", "the service is stopping")),
        httpx.Response(502, text="<html>Bad Gateway</html>"),
        httpx.ConnectError("[Errno 111] Connection refused"),
        httpx.RemoteProtocolError("Server disconnected without sending a response."),
        httpx.ReadError("[Errno 104] Connection reset by peer"),
        httpx.ReadTimeout("timed out"),
    ],
)
def test_what_passes_is_asked_again_later_each_time(failure: Any, waits: list[float]) -> None:
    service = FakeService(*[failure] * 5)
    assert len(service.client().classify(["خبر", "قال"])) == 2
    assert waits == [0.5, 1, 2, 4, 8]
    assert service.asked == [{"paragraphs": ["خبر", "قال"]}] * 6


@pytest.mark.parametrize("broken_off", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"])
def test_a_worker_that_dies_is_asked_again(broken_off: bytes, waits: list[float]) -> None:
    service = FakeService()

    class Handler(BaseHTTPRequestHandler):
        answers = 0

        def do_GET(self) -> None:
            self.answer(json.dumps(service.model()).encode())

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            Handler.answers += 1
            if Handler.answers == 1:
                self.wfile.write(broken_off)
                self.close_connection = True
            else:
                self.answer(json.dumps({"predictions": [service.row("خبر", 0)]}).encode())

        def answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        with Client(f"http://127.0.0.1:{server.server_port}") as client:
            assert scores(client.classify(["خبر"])) == [score("خبر")]
        server.shutdown()
        thread.join()
    assert waits == [0.5]


def test_giving_up_says_what_was_asked_what_came_and_how_often(waits: list[float]) -> None:
    client = FakeService(*[busy("3")] * 3).client(retries=2)
    with pytest.raises(ServiceUnavailableError) as raised:
        client.classify(["خبر"])
    assert str(raised.value) == (
        "POST http://service.test/faqra/v1/classify (paragraphs.0): gave up after 3 tries, "
        "the last with: 429 too_busy: too much to do"
    )
    assert (raised.value.status, raised.value.code) == (429, "too_busy")
    assert waits == [3, 3]


def test_a_service_that_is_not_there_is_said(waits: list[float]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with pytest.raises(ServiceUnavailableError, match=r"v1/model: gave up after 1 try.*refused"):
        Client(f"http://127.0.0.1:{port}", retries=0).classify(["خبر"])
    assert waits == []


def test_what_is_too_much_at_once_is_asked_in_halves(waits: list[float]) -> None:
    late = httpx.Response(
        503, headers={"Retry-After": "1"}, json=error_of("deadline", "no answer within 30 s")
    )
    service = FakeService(late, late)
    texts = [str(number) for number in range(10)]
    assert scores(service.client().classify(texts)) == [score(text) for text in texts]
    assert [len(body["paragraphs"]) for body in service.asked] == [10, 5, 2, 3, 5]
    assert waits == [1, 1]


def test_an_answer_renews_the_patience() -> None:
    failures = [busy("1"), httpx.ReadError("reset"), None, busy("1"), httpx.ReadError("reset")]
    service = FakeService(limits=replace(LIMITS, paragraphs=1))

    def answer(request: Any) -> Any:
        if request.method == "POST" and failures:
            service.failures = [failure] if (failure := failures.pop(0)) else []
        return service(request)

    client = Client(URL, transport=httpx.MockTransport(answer), retries=2)
    assert len(client.classify(["خبر", "قال"])) == 2


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (422, error_of("wrong_shape", "Input should be\na valid string", "paragraphs.0")),
        (413, error_of("body_too_large", "expected a body of at most 9 bytes")),
        (500, error_of("internal", "this is a fault of the service; its log says more")),
    ],
)
def test_a_refusal_is_raised_at_once_with_the_services_words(
    status: int, error: dict[str, Any], waits: list[float]
) -> None:
    refusal = httpx.Response(status, json=error, headers={"X-Request-ID": "abc"})
    service = FakeService(refusal)
    with pytest.raises(FaqraError) as raised:
        service.client().classify(["خبر", "قال"])
    message = str(raised.value)
    assert message.startswith(f"POST {URL}/v1/classify (2 paragraphs): {status} ")
    assert " ".join(error["error"]["message"].split()) in message
    assert ("X-Request-ID abc" in message) == (status == 500)
    assert isinstance(raised.value, ServiceError)
    assert (raised.value.status, raised.value.code, raised.value.field) == (
        status,
        error["error"]["code"],
        error["error"].get("field"),
    )
    assert (len(service.asked), waits) == (1, [])


@pytest.mark.parametrize(
    ("answer", "came"),
    [
        (
            httpx.Response(200, html="<html>\n<h1>Sign in</h1>"),
            "200, text/html.*: '<html> <h1>Sign",
        ),
        (httpx.Response(404, html="<p>" + "x" * 10_000), "404, text/html.*: '<p>x{77}…'"),
        (httpx.Response(404, json={"detail": "Not Found"}), "404, application/json: .*detail"),
        (httpx.Response(302, headers={"Location": "/login"}), "302, a redirect to /login: ''"),
        (httpx.Response(200), "200, no Content-Type: ''"),
        (httpx.Response(200, content=b"\xff\xfe{"), "200, no Content-Type"),
        (httpx.Response(200, content=b"[" * 100_000), "200, no Content-Type"),
        (httpx.Response(200, json=[1]), "200, application/json"),
        (httpx.Response(200, json={"predictions": []}), "predictions"),
        (httpx.Response(200, json={"predictions": {"a": 1}}), '"a"'),
        (httpx.Response(200, json={"predictions": [None]}), "null"),
        (httpx.Response(200, json={"predictions": [{"label": "a"}]}), "label"),
        (
            httpx.Response(200, json={"predictions": [{"probabilities": {}, "truncated": False}]}),
            "probabilities",
        ),
        (httpx.DecodingError("incorrect header"), "a body that cannot be unpacked: incorrect"),
    ],
)
def test_an_answer_of_another_service_is_one_clear_line(
    answer: Any, came: str, waits: list[float]
) -> None:
    service = FakeService(answer)
    wanted = f"expected an answer of faqra's service, got .*{came}.*is this its URL"
    with pytest.raises(ServiceError, match=wanted) as raised:
        service.client().classify(["خبر"])
    assert raised.value.code == "not_the_service"
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 300
    assert waits == []


def test_answers_that_do_not_fit_the_article_are_not_taken() -> None:
    rows = [{"id": "0", "paragraphs": [FakeService().row("خبر", 0)]}]
    service = FakeService(httpx.Response(200, json={"articles": rows}))
    with pytest.raises(ServiceError, match="expected an answer of faqra's service"):
        list(service.client().classify_articles([Article.from_paragraphs("x", ["خبر", "قال"])]))


def test_a_model_without_limits_is_not_the_services() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json={"name": "other"}))
    with pytest.raises(ServiceError, match=r"v1/model: expected an answer of faqra's service"):
        Client(URL, transport=transport).classify(["خبر"])


# How a client is made.


def test_the_limits_are_asked_for_once() -> None:
    service = FakeService()
    client = service.client()
    assert service.times_told == 0
    assert client.labels == ("a", "b")
    client.classify(["خبر"])
    client.classify_articles([Article.from_paragraphs("x", ["خبر"])])
    assert service.times_told == 1
    client.model()
    assert service.times_told == 2


def test_the_key_is_sent_and_never_shown() -> None:
    service = FakeService(httpx.Response(404, text="none"))
    with pytest.raises(ServiceError) as raised:
        service.client(api_key=" s3cret\n").classify(["خبر"])
    assert service.headers["Authorization"] == "Bearer s3cret"
    assert "s3cret" not in str(raised.value)
    for wrong in ("s3cret\nX: y", "مفتاح"):
        with pytest.raises(ServiceError, match="api_key: expected printable ASCII") as refused:
            Client(URL, api_key=wrong)
        assert wrong not in str(refused.value)


def test_a_password_in_the_url_is_sent_and_never_shown() -> None:
    service = FakeService(httpx.Response(404, text="none"))
    transport = httpx.MockTransport(service)
    with pytest.raises(ServiceError) as raised:
        Client("http://me:pa55@service.test/faqra/", transport=transport).classify(["خبر"])
    assert service.headers["Authorization"].startswith("Basic ")
    assert str(raised.value).startswith("POST http://service.test/faqra/v1/classify (paragraphs.0)")


@pytest.mark.parametrize(
    "url", ["", "localhost:3000", "ftp://host", "http://", "http://host:x", "http://host/?key=1"]
)
def test_a_url_that_is_none_is_said(url: str) -> None:
    with pytest.raises(ServiceError, match="url: expected the service's root, such as http://loc"):
        Client(url)


@pytest.mark.parametrize(
    ("ask", "advice"),
    [
        (lambda client: client.classify("نص"), "takes a list of paragraphs, got one string: put"),
        (lambda client: client.classify(["نص", 1]), r"paragraphs\.1: expected a string, got int"),
        (lambda client: client.classify_article(b"<p>"), "a page as a string, got bytes"),
    ],
)
def test_what_is_no_text_is_a_type_error_with_advice(
    ask: Callable[[Client], object], advice: str
) -> None:
    service = FakeService()
    with pytest.raises(TypeError, match=advice):
        ask(service.client())
    assert service.asked == []


def test_a_client_closes_its_connections() -> None:
    with FakeService().client() as client:
        client.classify(["خبر"])
    with pytest.raises(RuntimeError, match="closed"):
        client.classify(["خبر"])


def test_an_error_goes_from_process_to_process() -> None:
    error = ServiceUnavailableError("late", status=503, code="deadline", retry_after_s=2)
    copied = pickle.loads(pickle.dumps(error))
    assert (str(copied), vars(copied)) == (str(error), vars(error))


def test_httpx_is_asked_for_only_by_who_makes_a_client(monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import sys, faqra.client; sys.exit('httpx' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    monkeypatch.setitem(sys.modules, "httpx", None)
    with pytest.raises(MissingExtraError, match=r"needs the package 'httpx'.*'faqra\[client\]'"):
        Client(URL)


def test_waiting_is_spread(monkeypatch: pytest.MonkeyPatch, waits: list[float]) -> None:
    monkeypatch.setattr("faqra.client.uniform", lambda least, most: (least + most) / 2)
    FakeService(busy("8")).client().classify(["خبر"])
    assert waits == [9]
