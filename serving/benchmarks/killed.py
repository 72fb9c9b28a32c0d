"""A worker is killed with -9 while it works: how long nobody is answered, what is lost."""

import itertools
import time
from concurrent.futures import Future, ThreadPoolExecutor

from offline import same_predictions
from report import Figure, Setting, at_most, exactly, noted
from servers import faqra_serve
from texts import different

import faqra
from faqra.client import ServiceError
from faqra_models.prediction import Prediction

MOST_AWAY_S = 5.0
_CALLERS = 8
_EACH = 4
_LONGEST_S = 60.0


def measure(setting: Setting) -> list[Figure]:
    """`faqra.Client` asks in several threads; after a third of the answers a worker is killed.

    The time away is the longest in which nobody was answered, the clients' own waits included.
    BentoML looks every 10 s whether a worker is gone, so that a service of one worker would be
    away for longer.
    """
    texts = different(setting.size(20_000, 96), seed=0)
    pieces = [texts[start : start + _EACH] for start in range(0, len(texts), _EACH)]
    answered: list[float] = []
    with (
        faqra_serve(setting.model) as server,
        faqra.Client(server.url) as client,
        ThreadPoolExecutor(_CALLERS) as callers,
    ):

        def ask(piece: list[str]) -> list[Prediction]:
            predictions = client.classify(piece)
            answered.append(time.perf_counter())
            return predictions

        asked = [callers.submit(ask, piece) for piece in pieces]
        while len(answered) < len(pieces) // 3 and not asked[-1].done():
            time.sleep(0.01)
        workers = server.workers()
        workers[0].kill()
        died = time.perf_counter()
        given = [_outcome(one) for one in asked]
        while not server.workers_beside(workers) and time.perf_counter() < died + _LONGEST_S:
            time.sleep(0.1)
        replaced = time.perf_counter() - died
    expected = iter(faqra.load(setting.model).classify(texts))
    wrong = 0
    for piece, predictions in zip(pieces, given, strict=True):
        own = [next(expected) for _ in piece]
        wrong += predictions is not None and not same_predictions(own, predictions)
    gaps = [later - earlier for earlier, later in itertools.pairwise(sorted(answered))]
    return [
        at_most("longest time without an answer", max(gaps), MOST_AWAY_S, "s"),
        noted("until a new worker is being started", replaced, "s"),
        exactly("requests lost by clients with retry", given.count(None)),
        exactly("answers that are not the offline answer", wrong),
    ]


def _outcome(asked: "Future[list[Prediction]]") -> list[Prediction] | None:
    try:
        return asked.result()
    except ServiceError:
        return None
