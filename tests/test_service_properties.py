"""A running service asked in every wrong way: never a fault of its own, always the one error."""

import gzip
import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPResponse
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

pytest.importorskip("bentoml", reason="the service needs the extra 'serve'")
pytest.importorskip("schemathesis", reason="asks by the service's own OpenAPI")
import httpx
import schemathesis
from hypothesis import given, settings
from hypothesis import strategies as st
from servers import error_of, running

import faqra
from faqra_data.article import Article
from faqra_serving.app import Application
from faqra_serving.limits import Limits

QUOTE = "وقال وزير الموارد المائية إن الإصلاحات ستنتهي خلال أسبوع."
JSON = {"Content-Type": "application/json"}
ROUTES = ("/v1/classify", "/v1/articles", "/predict", "/classify")
FIELDS = ("paragraphs", "articles", "inputs", "input", "context", "text", "html", "id", "title")
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=()), max_size=40),
    st.text("اب \n\t\0\u200f\u202e\u2066\u2069\ufeff\ud800\udc00•👩\u200d", max_size=40),
    st.sampled_from(["", " ", "\n" * 9, "[SEP][MASK]", "👩‍👩‍👧‍👦" * 99, "\u202e" * 999, "\ud83d"]),
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(FIELDS) | TEXTS, inner, max_size=4)
    ),
    max_leaves=12,
)
OPENAPI = schemathesis.openapi.from_dict(
    Application(Limits()).openapi(),
    config=schemathesis.Config.from_dict({"seed": 1, "generation": {"deterministic": True}}),
)


@pytest.fixture(scope="module")
def client(service: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service, timeout=60) as client:
        yield client


def post(client: httpx.Client, route: str, body: Any, **headers: str) -> httpx.Response:
    """Any value as JSON; halves of surrogate pairs as escapes."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post(route, content=content, headers={**JSON, **headers})


def as_read(text: str) -> str:
    """Two halves of a surrogate pair are one character once they were JSON."""
    return str(json.loads(json.dumps(text)))


@OPENAPI.parametrize()
@settings(max_examples=50)
def test_whatever_the_openapi_allows_or_forbids_is_answered_as_it_says(
    case: Any, service: str
) -> None:
    case.call_and_validate(base_url=service)


@given(st.lists(TEXTS, max_size=5), st.booleans())
@settings(max_examples=60)
def test_any_texts_are_answered_in_their_order(
    client: httpx.Client, texts: list[str], context: bool
) -> None:
    response = post(client, "/v1/classify", {"paragraphs": texts, "context": context})
    assert response.status_code == 200, response.text
    predictions = response.json()["predictions"]
    assert len(predictions) == len(texts)
    for one in predictions:
        assert sum(one["probabilities"].values()) == pytest.approx(1)
        assert one["confidence"] == one["probabilities"][one["label"]]


@given(st.lists(st.tuples(TEXTS, TEXTS, st.sampled_from(["text", "html"])), max_size=4))
@settings(max_examples=60)
def test_any_pages_come_back_as_they_were_named(
    client: httpx.Client, pages: list[tuple[str, str, str]]
) -> None:
    articles = [{"id": name, kind: text} for name, text, kind in pages]
    response = post(client, "/v1/articles", {"articles": articles})
    assert response.status_code == 200, response.text
    answers = response.json()["articles"]
    assert [one["id"] for one in answers] == [as_read(name) for name, _, _ in pages]
    for answer, (_, text, kind) in zip(answers, pages, strict=True):
        for place, one in enumerate(answer["paragraphs"]):
            assert one["index"] == place
            assert kind == "html" or as_read(text)[one["start"] : one["end"]] == one["text"]


@given(st.sampled_from(ROUTES), VALUES | st.dictionaries(st.sampled_from(FIELDS), VALUES))
@settings(max_examples=250)
def test_any_json_is_answered_or_told_to_be_of_the_wrong_shape(
    client: httpx.Client, route: str, value: Any
) -> None:
    response = post(client, route, value)
    if response.status_code != 200:
        assert (response.status_code, error_of(response)["code"]) == (422, "wrong_shape")


@given(
    st.sampled_from(ROUTES),
    st.binary(max_size=60),
    st.integers(0, 40),
    st.sampled_from(["identity", "gzip", "br", "GZIP", "gzip, gzip", ""]),
    st.sampled_from(["application/json", "application/x+json", "text/plain", "json", ";", ""]),
    st.booleans(),
)
@settings(max_examples=150)
def test_any_bytes_of_any_kind_are_told_to_be_none(
    client: httpx.Client,
    route: str,
    noise: bytes,
    place: int,
    encoding: str,
    kind: str,
    packed: bool,
) -> None:
    body = json.dumps({"paragraphs": [QUOTE]}, ensure_ascii=False).encode()
    body = gzip.compress(body, mtime=0) if packed else body
    spoilt = body[:place] + noise + body[place + 1 :]
    response = post(client, route, spoilt, **{"Content-Type": kind, "Content-Encoding": encoding})
    if response.status_code != 200:
        assert response.status_code in {400, 415, 422}
        error_of(response)


@given(st.sampled_from(["GET", "PUT", "DELETE", "HEAD", "OPTIONS"]), TEXTS)
@settings(max_examples=60)
def test_any_other_path_is_told_to_be_none(client: httpx.Client, method: str, path: str) -> None:
    response = client.request(method, "/v1/no" + quote(path, errors="surrogatepass"))
    assert response.status_code == 404
    assert method == "HEAD" or error_of(response)["code"] == "no_such_route"


def million(text: str) -> bytes:
    return b"[" + b",".join([text.encode()] * 1_000_000) + b"]"


@pytest.mark.parametrize(
    ("route", "body", "status", "code"),
    [
        ("/v1/classify", b'{"paragraphs":' + million("1") + b"}", 422, "wrong_shape"),
        ("/v1/classify", b'{"paragraphs":' + million('""') + b"}", 413, "too_many"),
        ("/v1/articles", b'{"articles":' + million("{}") + b"}", 422, "wrong_shape"),
        (
            "/v1/articles",
            b'{"articles":[{"paragraphs":' + million("1") + b"}]}",
            422,
            "wrong_shape",
        ),
        ("/predict", b'{"inputs":' + million("1") + b"}", 422, "wrong_shape"),
        ("/classify", b'{"input":' + million("[]") + b"}", 422, "wrong_shape"),
        ("/classify", million("1"), 422, "wrong_shape"),
        (
            "/v1/classify",
            json.dumps({"paragraphs": [], **dict.fromkeys(map(str, range(300_000)))}).encode(),
            422,
            "wrong_shape",
        ),
        ("/v1/classify", b'{"paragraphs":' + b"[" * 900 + b"]" * 900 + b"}", 422, "wrong_shape"),
        ("/v1/classify", b"[" * 4_000_000 + b"]" * 4_000_000, 400, "invalid_json"),
        ("/v1/articles", b'{"a":' * 1_000_000, 400, "invalid_json"),
        ("/predict", b'{"inputs":' + b"9" * 1_000_000 + b"}", 400, "invalid_json"),
        ("/predict", json.dumps({"inputs": "ن" * 1_000_000}).encode(), 413, "paragraph_too_long"),
        (
            "/predict",
            json.dumps({"inputs": ["n" * 5_000_000]}).encode(),
            413,
            "too_many_characters",
        ),
        ("/predict", b" " * (2**23 + 1), 413, "body_too_large"),
    ],
    ids=lambda value: None if isinstance(value, bytes) else str(value),
)
def test_too_much_is_told_and_keeps_nobody_waiting(
    client: httpx.Client, route: str, body: bytes, status: int, code: str
) -> None:
    with ThreadPoolExecutor(1) as other:
        asked = other.submit(post, client, route, body)
        begun = time.perf_counter()
        while not asked.done():
            assert post(client, "/predict", {"inputs": QUOTE}).status_code == 200
        waited = time.perf_counter() - begun
    response = asked.result()
    assert (response.status_code, error_of(response)["code"]) == (status, code)
    assert waited < 20  # a million mistakes, each looked for, took minutes


def test_of_a_megabyte_in_a_paragraph_and_of_endless_markup_the_others_know_nothing(
    client: httpx.Client,
) -> None:
    paragraphs = [QUOTE, "ن" * 1_000_000, QUOTE]
    first, bad, last = post(client, "/v1/classify", {"paragraphs": paragraphs}).json()[
        "predictions"
    ]
    assert first == last
    assert bad["error"]["code"] == "paragraph_too_long"
    articles = [{"html": f"<p>{QUOTE}"}, {"html": "<b><div>" * 400_000}, {"text": QUOTE}]
    first, bad, last = post(client, "/v1/articles", {"articles": articles}).json()["articles"]
    assert first["paragraphs"][0]["label"] == last["paragraphs"][0]["label"] == "official_quote"
    assert bad["error"]["code"] == "unreadable_html"


def test_among_callers_of_every_kind_each_gets_the_own_answer(client: httpx.Client) -> None:
    subjects = ("وزير", "رئيس", "محافظ", "مدير", "قائد", "نائب", "سفير", "كاتب")
    pages = [
        [f"قال {who} إن العمل رقم {n} بدأ", f"رأي {n}", QUOTE] for n in range(6) for who in subjects
    ]
    bad = (b"{", b'{"articles":[1]}', b'{"articles":[{"html":"<b><p>', b"\xff" * 99, b"")

    def ask(number: int) -> Any:
        if number % 3 == 2:
            return post(client, "/v1/articles", bad[number % len(bad)])
        page = {"id": str(number), "paragraphs": pages[number % len(pages)]}
        return post(client, "/v1/articles", {"articles": [page]})

    with ThreadPoolExecutor(16) as callers:
        answers = list(callers.map(ask, range(2 * len(pages))))
    classifier = faqra.load()
    own: dict[int, list[Any]] = {}
    for number, response in enumerate(answers):
        if number % 3 == 2:
            assert response.status_code in {400, 422}
            error_of(response)
            continue
        (answer,) = response.json()["articles"]
        page = pages[number % len(pages)]
        assert answer["id"] == str(number)
        assert [one["text"] for one in answer["paragraphs"]] == page
        own.setdefault(number % len(pages), []).append(answer["paragraphs"])
    articles = [Article.from_paragraphs("", tuple(pages[number])) for number in own]
    local = classifier.classify_articles(articles)
    for answers_of_one, alone in zip(own.values(), local, strict=True):
        for paragraphs in answers_of_one:
            for one, expected in zip(paragraphs, alone.predictions, strict=True):
                assert one["probabilities"] == pytest.approx(dict(expected.probabilities), abs=0.05)


def begun_request(url: str, length: int, piece: bytes = b'{"paragraphs": ["') -> socket.socket:
    place = urlsplit(url)
    caller = socket.create_connection((place.hostname, place.port), timeout=30)
    head = f"POST /v1/classify HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n"
    caller.sendall(f"{head}Content-Type: application/json\r\n\r\n".encode() + piece)
    return caller


def test_bodies_that_break_off_harm_nobody(client: httpx.Client, service: str) -> None:
    for _ in range(50):
        begun_request(service, 10_000).close()
    hanging = [begun_request(service, 10_000) for _ in range(50)]
    assert post(client, "/predict", {"inputs": QUOTE}).status_code == 200
    for caller in hanging:
        caller.close()


def test_a_body_that_comes_slowly_is_read_to_its_end(client: httpx.Client, service: str) -> None:
    body = json.dumps({"paragraphs": [QUOTE]}).encode()
    caller = begun_request(service, len(body), b"")
    for place in range(0, len(body), 40):
        caller.sendall(body[place : place + 40])
        assert client.get("/livez").status_code == 200
    assert caller.recv(100).startswith(b"HTTP/1.1 200 ")
    caller.close()


def test_a_body_that_never_ends_is_told_so_at_the_deadline() -> None:
    with running(FAQRA_DEADLINE_S="1") as url:
        caller = begun_request(url, 10_000)
        answer = HTTPResponse(caller)
        answer.begin()
        code = json.load(answer)["error"]["code"]
        caller.close()
    assert (answer.status, code) == (400, "incomplete_body")
