"""Every answer traced back to its request, over all routes, with many callers at once.

Routes that give texts have to give those that were sent. For the others texts are chosen
whose answers differ from each other by more than the tolerance, so that an answer that went to
another caller is seen.
"""

import hashlib
import json
import random
from collections.abc import Iterable, Sequence

from load import Reply, Request, ask_in_turns, requested
from offline import TOLERANCE, same_predictions, told
from report import Figure, Setting, counted, exactly, noted
from servers import faqra_serve
from texts import different

import faqra
from faqra_data.article import Article
from faqra_models.classifier import Classifier
from faqra_models.prediction import Prediction

_CALLERS = 512
# The bodies of so many requests and answers are in memory at a time.
_PER_ROUND = 10_000
_LONGEST = 8
_PAGES_PER_TEXT = 4


class _Expected:
    """Texts and pages with their offline answers."""

    def __init__(self, classifier: Classifier, candidates: Sequence[str]) -> None:
        self.of_text = _told_apart(candidates, classifier.classify(candidates))
        texts, chance = list(self.of_text), random.Random(0)
        pages = [
            tuple(chance.sample(texts, chance.randint(2, _LONGEST)))
            for _ in range(len(texts) // _PAGES_PER_TEXT)
        ]
        answers = classifier.classify_articles(Article.from_paragraphs("", page) for page in pages)
        self.of_page: dict[tuple[str, ...], list[Prediction]] = {
            page: list(answer.predictions) for page, answer in zip(pages, answers, strict=True)
        }


def measure(setting: Setting) -> list[Figure]:
    """The answers kept by the service are fewer than the texts.

    So answers come from there, from batches, and from those on their way to other callers.
    """
    expected = _Expected(faqra.load(setting.model), different(setting.size(8000, 200), seed=0))
    kept = str(len(expected.of_text) // 3)
    count = setting.size(100_000, 400)
    own = unanswered = paragraphs = 0
    seconds = 0.0
    with faqra_serve(
        setting.model, FAQRA_CACHED_PARAGRAPHS=kept, FAQRA_QUEUED_TOKENS="10000000"
    ) as server:
        for start in range(0, count, _PER_ROUND):
            numbers = range(start, min(count, start + _PER_ROUND))
            requests = [_request(expected, number) for number in numbers]
            load = ask_in_turns(server.url, requests, callers=_CALLERS)
            seconds += load.seconds
            unanswered += len(requests) - load.count(200)
            for reply in load.replies:
                paragraphs += len(reply.request.texts)
                own += reply.status == 200 and _is_its_own(expected, reply)
    return [
        counted("requests", count),
        counted("paragraphs", paragraphs),
        counted("callers at once", _CALLERS),
        counted("texts whose answers differ", len(expected.of_text)),
        exactly("answers that are their request's own", own, count),
        exactly("not answered", unanswered),
        noted("rate", count / seconds, "requests/s"),
    ]


def _told_apart(texts: Iterable[str], answers: Iterable[Prediction]) -> dict[str, Prediction]:
    """Those whose first probability is further than the tolerance from that of any other."""
    ordered = sorted(
        zip(texts, answers, strict=True),
        key=lambda pair: next(iter(pair[1].probabilities.values())),
    )
    chosen: dict[str, Prediction] = {}
    last = -1.0
    for text, answer in ordered:
        value = next(iter(answer.probabilities.values()))
        if value - last > 2 * TOLERANCE:
            chosen[text] = answer
            last = value
    return chosen


def _request(expected: _Expected, number: int) -> Request:
    """One of the routes in turn, with few or many texts."""
    chance = random.Random(number)
    route = number % 4
    if route == 0:
        page = chance.choice(list(expected.of_page))
        asked = {"articles": [{"id": str(number), "paragraphs": page}]}
        return requested("/v1/articles", asked, page)
    texts = chance.sample(list(expected.of_text), chance.randint(1, _LONGEST))
    if route == 1:
        return requested("/v1/classify", {"paragraphs": texts}, texts)
    if route == 2:
        return requested("/predict", {"inputs": texts if len(texts) > 1 else texts[0]}, texts)
    return requested("/classify", {"input": texts, "model": str(number)}, texts)


def _is_its_own(expected: _Expected, reply: Reply) -> bool:
    texts, answer = reply.request.texts, reply.json()
    if reply.request.path == "/v1/articles":
        (article,) = answer["articles"]
        paragraphs = article["paragraphs"]
        sent = json.loads(reply.request.body)["articles"][0]["id"]
        return (
            article["id"] == sent
            and _digest(one["text"] for one in paragraphs) == _digest(texts)
            and same_predictions(expected.of_page[texts], told(paragraphs))
        )
    if reply.request.path == "/v1/classify":
        given = told(answer["predictions"])
    else:
        rows = answer["data"] if reply.request.path == "/classify" else answer
        if reply.request.path == "/predict" and len(texts) == 1:
            rows = [answer]
        given = [Prediction({one["label"]: one["score"] for one in row}, False) for row in rows]
    return same_predictions([expected.of_text[text] for text in texts], given)


def _digest(texts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()
