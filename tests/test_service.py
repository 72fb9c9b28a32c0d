"""The service's routes in process: shapes, limits, errors, and answers equal to local ones."""

import asyncio
import gzip
import json
import logging
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray
from servers import error_of

pytest.importorskip("fastapi", reason="the service needs the extra 'serve'")
from prometheus_client import CollectorRegistry, generate_latest
from starlette.testclient import TestClient

import faqra
from faqra_models.classifier import Classifier
from faqra_serving.app import Application
from faqra_serving.engine import Engine
from faqra_serving.limits import Limits, LimitsError, api_key_from
from faqra_serving.metrics import Metrics

QUOTE = "وقال وزير الموارد المائية إن الإصلاحات ستنتهي خلال أسبوع."
_ENDINGS = {
    "counter": ("_total",),
    "gauge": ("",),
    "histogram": ("_bucket", "_sum", "_count"),
}
TEASER = "اقرأ أيضًا: أسعار صرف العملات اليوم"
PAGE = (Path(__file__).parent / "pages" / "sample.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return faqra.load()


@pytest.fixture
def serve(classifier: Classifier) -> Iterator[Callable[..., TestClient]]:
    """Starts the application with other limits, or another classifier, or a key."""
    clients: list[TestClient] = []

    def start(*, by: Classifier = classifier, api_key: str = "", **limits: int) -> TestClient:
        application = Application(Limits(**limits), api_key=api_key)
        application.metrics = Metrics(CollectorRegistry())
        application.engine = Engine(by, application.limits, application.metrics)
        client = TestClient(application, raise_server_exceptions=False)
        clients.append(client.__enter__())
        return client

    yield start
    for client in clients:
        client.__exit__(None, None, None)


def test_paragraphs_are_answered_as_locally(
    serve: Callable[..., TestClient], classifier: Classifier
) -> None:
    texts = [QUOTE, TEASER, "", QUOTE]
    answer = serve().post("/v1/classify", json={"paragraphs": texts}).json()
    local = classifier.classify(texts)
    assert [one["label"] for one in answer["predictions"]] == [one.label for one in local]
    for one, own in zip(answer["predictions"], local, strict=True):
        assert one["probabilities"] == pytest.approx(dict(own.probabilities), abs=1e-3)
        assert one["confidence"] == max(one["probabilities"].values())
        assert one["truncated"] is False
    assert answer["model"]["digest"] == classifier.digest


def test_with_context_the_paragraphs_are_one_article(
    serve: Callable[..., TestClient], classifier: Classifier
) -> None:
    texts = [one.text for one in classifier.classify_article(PAGE)]
    answer = serve().post("/v1/classify", json={"paragraphs": texts, "context": True}).json()
    from faqra_data.article import Article

    (local,) = classifier.classify_articles([Article.from_paragraphs("", tuple(texts))])
    assert [one["label"] for one in answer["predictions"]] == [p.label for p in local.predictions]


def test_pages_come_back_with_their_paragraphs(
    serve: Callable[..., TestClient], classifier: Classifier
) -> None:
    text = f"{QUOTE}\n\n{TEASER}"
    articles = [{"id": "a", "html": PAGE}, {"text": text}, {"paragraphs": [QUOTE]}]
    answer = serve().post("/v1/articles", json={"articles": articles}).json()["articles"]
    assert [one["id"] for one in answer] == ["a", "1", "2"]
    local = classifier.classify_article(PAGE)
    assert [p["text"] for p in answer[0]["paragraphs"]] == [p.text for p in local]
    assert [p["label"] for p in answer[0]["paragraphs"]] == [p.label for p in local]
    assert [text[p["start"] : p["end"]] for p in answer[1]["paragraphs"]] == [QUOTE, TEASER]
    assert answer[2]["paragraphs"][0]["start"] is None


def test_two_strings_are_two_texts_for_teis_clients(serve: Callable[..., TestClient]) -> None:
    client = serve()
    both = client.post("/predict", json={"inputs": [QUOTE, TEASER], "truncate": True}).json()
    assert [one[0]["label"] for one in both] == ["official_quote", "boilerplate"]
    assert sum(label["score"] for label in both[0]) == pytest.approx(1)
    one = client.post("/predict", json={"inputs": QUOTE}).json()
    assert one == both[0]
    raw = client.post("/predict", json={"inputs": QUOTE, "raw_scores": True}).json()
    assert [label["score"] for label in raw] == pytest.approx(
        [float(np.log(label["score"])) for label in one]
    )


def test_infinitys_clients_get_infinitys_shape(serve: Callable[..., TestClient]) -> None:
    answer = serve().post("/classify", json={"input": [QUOTE, TEASER], "model": "x"}).json()
    assert answer["object"] == "classify"
    assert [one[0]["label"] for one in answer["data"]] == ["official_quote", "boilerplate"]
    assert answer["usage"]["prompt_tokens"] == answer["usage"]["total_tokens"] > 0


def test_the_model_says_what_it_is(
    serve: Callable[..., TestClient], classifier: Classifier
) -> None:
    answer = serve(paragraphs=7).get("/v1/model").json()
    assert answer["labels"] == list(classifier.labels)
    assert answer["digest"] == classifier.digest
    assert answer["limits"]["paragraphs"] == 7
    assert answer["scores"]["in_context"]["macro_f1"] > 0


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        (b"{", 400, "invalid_json", None),
        (b'{"paragraphs": ["\xff"]}', 400, "invalid_json", None),
        (b"[" * 100_000, 400, "invalid_json", None),
        (b"", 422, "wrong_shape", None),
        (b"{}", 422, "wrong_shape", "paragraphs"),
        (b'{"paragraphs": [], "a": 1, "b": 2}', 422, "wrong_shape", "a"),
        (b"[]", 422, "wrong_shape", None),
        (b'{"paragraphs": "a"}', 422, "wrong_shape", "paragraphs"),
        (b'{"paragraphs": [1]}', 422, "wrong_shape", "paragraphs.0"),
        (b'{"paragraphs": ["a", null]}', 422, "wrong_shape", "paragraphs.1"),
        (b'{"paragraphs": [], "context": "yes"}', 422, "wrong_shape", "context"),
        (b'{"paragraphs": [], "contxt": true}', 422, "wrong_shape", "contxt"),
        (b'{"paragraphs": ["a","a","a","a","a"]}', 413, "too_many", "paragraphs"),
        (json.dumps({"paragraphs": ["a" * 999]}).encode(), 413, "too_many_characters", None),
        (json.dumps({"paragraphs": ["a" * 9999]}).encode(), 413, "body_too_large", None),
    ],
)
def test_a_callers_mistake_is_told_in_the_one_shape(
    serve: Callable[..., TestClient], body: bytes, status: int, code: str, field: str | None
) -> None:
    client = serve(paragraphs=4, characters=500, body_bytes=150_000 if b"[[" in body else 5000)
    response = client.post(
        "/v1/classify", content=body, headers={"Content-Type": "application/json"}
    )
    error = error_of(response)
    assert (response.status_code, error["code"], error.get("field")) == (status, code, field)


def test_a_paragraph_that_is_too_long_harms_no_other(serve: Callable[..., TestClient]) -> None:
    client = serve(paragraph_characters=200)
    answer = client.post("/v1/classify", json={"paragraphs": [QUOTE, "ك" * 201, TEASER]}).json()
    first, second, third = answer["predictions"]
    assert (first["label"], third["label"]) == ("official_quote", "boilerplate")
    error = second["error"]
    assert (error["code"], error["field"]) == ("paragraph_too_long", "paragraphs.1")
    articles = [{"text": QUOTE}, {"text": f"{QUOTE}\n" + "ك" * 201}]
    good, bad = client.post("/v1/articles", json={"articles": articles}).json()["articles"]
    assert good["paragraphs"][0]["label"] == "official_quote"
    assert (bad["id"], bad["error"]["field"]) == ("1", "articles.1.paragraphs.1")
    response = client.post("/predict", json={"inputs": [QUOTE, "ك" * 201]})
    assert (response.status_code, error_of(response)["field"]) == (413, "inputs.1")


def test_markup_that_never_closes_harms_no_other_page(serve: Callable[..., TestClient]) -> None:
    articles = [{"html": f"<p>{QUOTE}"}, {"id": "a", "html": "<div>" * 300_000}, {"text": QUOTE}]
    response = serve().post("/v1/articles", json={"articles": articles})
    first, bad, last = response.json()["articles"]
    assert first["paragraphs"][0]["label"] == last["paragraphs"][0]["label"] == "official_quote"
    assert (bad["id"], bad["error"]["code"]) == ("a", "unreadable_html")
    assert bad["error"]["field"] == "articles.1.html"
    assert "open tags" in bad["error"]["message"]


@pytest.mark.parametrize(
    ("article", "came"),
    [({}, "none"), ({"text": "a", "html": "b"}, "text and html"), ({"text": 1}, "a number")],
)
def test_a_page_is_given_in_one_way(
    serve: Callable[..., TestClient], article: dict[str, Any], came: str
) -> None:
    response = serve().post("/v1/articles", json={"articles": [article]})
    assert response.status_code == 422
    assert came in error_of(response)["message"]


@pytest.mark.parametrize(
    "text",
    [
        "\u202eقال",
        "قال\0",
        "\ud800",
        "👩‍👩‍👧‍👦" * 50,
        " \n ",
        "\ufeff",
        "a" * 100_000,
        "[SEP][MASK]<s>",
    ],
    ids=["bidi", "nul", "surrogate", "emoji", "blank", "bom", "long", "special"],
)
def test_any_text_has_an_answer(serve: Callable[..., TestClient], text: str) -> None:
    body = json.dumps({"paragraphs": [text, QUOTE]})
    response = serve().post(
        "/v1/classify", content=body, headers={"Content-Type": "application/json"}
    )
    assert response.status_code == 200
    predictions = response.json()["predictions"]
    assert sum(predictions[0]["probabilities"].values()) == pytest.approx(1)
    assert predictions[1]["label"] == "official_quote"


def test_other_types_and_encodings_are_refused(serve: Callable[..., TestClient]) -> None:
    client = serve()
    body = json.dumps({"paragraphs": [QUOTE]}).encode()
    for headers, status in (
        ({"Content-Type": "text/plain"}, 415),
        ({}, 415),
        ({"Content-Type": "application/json", "Content-Encoding": "br"}, 415),
        ({"Content-Type": "application/json", "Content-Encoding": "gzip"}, 400),
    ):
        response = client.post("/v1/classify", content=body, headers=headers)
        assert (response.status_code, bool(error_of(response))) == (status, True)


def test_a_gzip_body_is_read_and_never_beyond_the_limit(serve: Callable[..., TestClient]) -> None:
    client = serve(body_bytes=10_000)
    headers = {"Content-Type": "application/json; charset=utf-8", "Content-Encoding": "gzip"}
    packed = gzip.compress(json.dumps({"paragraphs": [QUOTE]}).encode())
    assert client.post("/v1/classify", content=packed, headers=headers).status_code == 200
    bomb = gzip.compress(b" " * 10_000_000)
    for content, status in ((packed[:-9], 400), (bomb, 413)):
        response = client.post("/v1/classify", content=content, headers=headers)
        assert (response.status_code, bool(error_of(response))) == (status, True)


def test_wrong_paths_and_methods_are_told(serve: Callable[..., TestClient]) -> None:
    client = serve()
    for method, path, status in (
        ("GET", "/v2", 404),
        ("POST", "/v2", 404),
        ("GET", "/a%0Ab", 404),
        ("GET", "/v1/classify", 405),
        ("PUT", "/v1/model", 405),
    ):
        response = client.request(method, path)
        assert (response.status_code, bool(error_of(response))) == (status, True)
    assert response.headers["Allow"] == "GET"


def test_a_key_is_asked_of_every_caller(serve: Callable[..., TestClient]) -> None:
    client = serve(api_key="geheim")
    body = {"paragraphs": [QUOTE]}
    for headers in ({}, {"Authorization": "Bearer no"}, {"Authorization": "Basic geheim"}):
        response = client.post("/v1/classify", json=body, headers=headers)
        assert (response.status_code, error_of(response)["code"]) == (401, "unauthorized")
        assert response.headers["WWW-Authenticate"] == "Bearer"
    headers = {"Authorization": "Bearer geheim"}
    assert client.post("/v1/classify", json=body, headers=headers).status_code == 200
    assert client.get("/").status_code == client.get("/docs.json").status_code == 200


def test_before_the_model_is_loaded_it_says_so() -> None:
    with TestClient(Application(Limits())) as client:
        response = client.post("/v1/classify", json={"paragraphs": [QUOTE]})
    assert (response.status_code, error_of(response)["code"]) == (503, "not_ready")
    assert response.headers["Retry-After"] == "1"


def test_a_request_has_an_id_and_a_log_line_without_its_text(
    serve: Callable[..., TestClient], caplog: pytest.LogCaptureFixture
) -> None:
    client = serve()
    with caplog.at_level(logging.INFO, logger="faqra.serving"):
        own = client.post(
            "/v1/classify", json={"paragraphs": [QUOTE]}, headers={"X-Request-ID": "mine-1"}
        )
        bad = client.get("/v1/model", headers={"X-Request-ID": "a b"})
    assert own.headers["X-Request-ID"] == "mine-1"
    assert len(bad.headers["X-Request-ID"]) == 32
    entry = json.loads(caplog.records[0].message)
    assert (entry["id"], entry["route"], entry["status"]) == ("mine-1", "/v1/classify", 200)
    assert "وزير" not in caplog.text


def test_metrics_count_what_was_done(serve: Callable[..., TestClient]) -> None:
    registry = CollectorRegistry()
    client = serve()
    application: Any = client.app
    application.metrics = application.engine._metrics = Metrics(registry)
    application.engine._cache._observe = application.metrics.count_cache
    client.post("/v1/classify", json={"paragraphs": [QUOTE, QUOTE, f"{QUOTE}\u200f", TEASER]})
    client.post("/v1/classify", json={"paragraphs": [1]})
    text = generate_latest(registry).decode()
    assert 'faqra_requests_total{route="/v1/classify",status="200"} 1.0' in text
    assert 'faqra_requests_total{route="/v1/classify",status="422"} 1.0' in text
    assert 'faqra_rejected_total{code="wrong_shape"} 1.0' in text
    assert 'faqra_predictions_total{label="official_quote"} 3.0' in text
    # The mark that is normalised away makes no other text of it.
    assert 'faqra_cache_total{result="hit"} 2.0' in text
    assert 'faqra_cache_total{result="miss"} 2.0' in text


class HeldBackend:
    """Answers when it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.asked = threading.Event()

    def token_logits(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        self.asked.set()
        self.go.wait(20)
        return np.zeros((*ids.shape, 4), dtype=np.float32)


@pytest.fixture
def held(classifier: Classifier) -> Iterator[tuple[Classifier, HeldBackend]]:
    backend = HeldBackend()
    from tokenizers import Tokenizer

    from faqra_models.loading import BUNDLED

    tokenizer = Tokenizer.from_file(str(BUNDLED / "tokenizer.json"))
    yield Classifier(classifier.settings, tokenizer, backend), backend
    backend.go.set()


def test_a_full_queue_is_told_with_retry_after(
    serve: Callable[..., TestClient], held: tuple[Classifier, HeldBackend]
) -> None:
    slow, backend = held
    client = serve(by=slow, queued_tokens=40, batch_tokens=1)
    statuses: list[int] = []

    def ask(number: int) -> None:
        body = {"paragraphs": [f"{QUOTE} {number}"]}
        statuses.append(client.post("/v1/classify", json=body).status_code)

    first = threading.Thread(target=ask, args=(0,))
    first.start()
    assert backend.asked.wait(10)
    waiting = [threading.Thread(target=ask, args=(number,)) for number in range(1, 9)]
    for thread in waiting:
        thread.start()
    while 429 not in statuses:
        threading.Event().wait(0.01)
    response = client.post("/v1/classify", json={"paragraphs": [f"{QUOTE} آخر"]})
    assert (response.status_code, error_of(response)["code"]) == (429, "too_busy")
    assert int(response.headers["Retry-After"]) >= 1
    backend.go.set()
    for thread in (first, *waiting):
        thread.join()
    assert statuses.count(200) >= 2
    assert set(statuses) == {200, 429}


def test_an_answer_that_comes_too_late_is_told(
    serve: Callable[..., TestClient], held: tuple[Classifier, HeldBackend]
) -> None:
    slow, _ = held
    response = serve(by=slow, deadline_s=1).post("/v1/classify", json={"paragraphs": [QUOTE]})
    assert (response.status_code, error_of(response)["code"]) == (503, "deadline")


def test_the_work_of_a_caller_who_has_gone_is_dropped(
    held: tuple[Classifier, HeldBackend],
) -> None:
    slow, backend = held
    application = Application(Limits(batch_tokens=1))

    async def main() -> None:
        application.metrics = Metrics(CollectorRegistry())
        application.engine = Engine(slow, application.limits, application.metrics)
        body = json.dumps({"paragraphs": [QUOTE, TEASER]}).encode()
        messages = [{"type": "http.request", "body": body, "more_body": False}]
        gone = asyncio.Event()

        async def receive() -> dict[str, Any]:
            if messages:
                return messages.pop()
            await gone.wait()
            return {"type": "http.disconnect"}

        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        headers = [(b"content-type", b"application/json")]
        scope = {"type": "http", "method": "POST", "path": "/v1/classify", "headers": headers}
        scope |= {"query_string": b"", "root_path": "", "http_version": "1.1"}
        scope |= {"server": ("x", 1), "client": ("y", 2), "scheme": "http", "raw_path": b""}
        asking = asyncio.create_task(application(scope, receive, send))  # type: ignore[arg-type]
        await asyncio.to_thread(backend.asked.wait, 10)
        gone.set()
        await asking
        assert sent[0]["status"] == 499
        backend.go.set()
        await application.engine.close()
        assert application.engine._batcher.queued_tokens == 0

    asyncio.run(main())


def test_a_caller_who_finds_nobody_waiting_may_bring_any_number(
    serve: Callable[..., TestClient],
) -> None:
    client = serve(queued_tokens=100, batch_tokens=64)
    texts = [f"{QUOTE} {number}" for number in range(60)]
    assert client.post("/v1/classify", json={"paragraphs": texts}).status_code == 200


def test_half_a_surrogate_pair_comes_back_as_it_came(serve: Callable[..., TestClient]) -> None:
    body = json.dumps({"articles": [{"id": "\ud800", "text": "قال\udc00"}]})
    response = serve().post(
        "/v1/articles", content=body, headers={"Content-Type": "application/json"}
    )
    (article,) = response.json()["articles"]
    assert (article["id"], article["paragraphs"][0]["text"]) == ("\ud800", "قال\udc00")


@pytest.mark.parametrize("key", ["مفتاح", "two words", "tab\tkey"])
def test_a_key_that_no_header_carries_is_refused(key: str) -> None:
    assert api_key_from({"FAQRA_API_KEY": " key\n"}) == "key"
    with pytest.raises(LimitsError, match="FAQRA_API_KEY: expected ASCII"):
        api_key_from({"FAQRA_API_KEY": key})


def test_limits_come_from_the_environment() -> None:
    assert Limits.from_environment({"FAQRA_PARAGRAPHS": "7"}).paragraphs == 7
    with pytest.raises(LimitsError, match=r"FAQRA_WAIT_MS: expected .* got '-1'"):
        Limits.from_environment({"FAQRA_WAIT_MS": "-1", "FAQRA_ARTICLES": "0"})


def test_the_openapi_names_every_error(serve: Callable[..., TestClient]) -> None:
    paths = serve().get("/docs.json").json()["paths"]
    assert set(paths) == {"/v1/classify", "/v1/articles", "/predict", "/classify", "/v1/model"}
    for route in ("/v1/classify", "/v1/articles", "/predict", "/classify"):
        answers = paths[route]["post"]["responses"]
        assert set(answers) == {"200", "400", "401", "413", "415", "422", "429", "503"}
        schema = answers["422"]["content"]["application/json"]["schema"]
        assert schema["$ref"].endswith("/ErrorAnswer")


def test_dashboard_and_alerts_ask_for_metrics_that_there_are() -> None:
    registry = CollectorRegistry()
    Metrics(registry)
    known = {f"{one.name}{ending}" for one in registry.collect() for ending in _ENDINGS[one.type]}
    folder = Path(__file__).parents[1] / "serving" / "operations"
    for name in ("grafana.json", "alerts.yml"):
        asked = set(re.findall(r"\bfaqra_\w+", (folder / name).read_text(encoding="utf-8")))
        assert asked, name
        assert asked <= known, asked - known


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # BentoML's
def test_a_request_that_was_answered_leaves_no_timer_behind() -> None:
    from faqra_serving.service import FaqraService

    async def ask() -> list[asyncio.TimerHandle]:
        loop = asyncio.get_running_loop()
        timers: list[asyncio.TimerHandle] = []

        def noting(*args: Any, **options: Any) -> asyncio.TimerHandle:
            timers.append(call_at(*args, **options))
            return timers[-1]

        call_at, loop.call_at = loop.call_at, noting  # type: ignore[method-assign]
        transport = httpx.ASGITransport(app=FaqraService.to_asgi())
        async with httpx.AsyncClient(transport=transport, base_url="http://faqra") as client:
            answer = await client.post("/v1/classify", json={"paragraphs": ["فقرة"]})
        assert answer.json()["error"]["code"] == "not_ready"
        return [timer for timer in timers if not timer.cancelled()]

    assert asyncio.run(ask()) == []
