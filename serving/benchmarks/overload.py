"""Ten times what the service can do: most is refused, what is accepted is soon and right.

A request brings 64 paragraphs, as much as the 64 callers of the throughput run together. Of
single paragraphs ten times the capacity would be more requests a second than this client, on
the same cores, could send.
"""

import statistics

from load import Load, ask_at_a_rate, ask_in_turns
from offline import differing
from report import Figure, Setting, at_most, exactly, noted
from servers import Server, faqra_serve
from texts import classify_requests, different

TIMES_CAPACITY = 10
TIMES_UNLOADED = 3.0
# A refusal that takes longer than the answer would have is none.
MOST_REFUSAL_P50_MS = 100.0
MOST_GROWTH_PERCENT = 5.0
_PARAGRAPHS = 64
_CALLERS_AT_CAPACITY = 2


def measure(setting: Setting) -> list[Figure]:
    """The unloaded time, then the capacity, then the flood; no paragraph twice in any."""
    with faqra_serve(setting.model) as server:
        _asked(server, setting.size(100, 2), seed=0, callers=1)  # warms up
        unloaded = _asked(server, setting.size(300, 5), seed=1, callers=1)
        full = _asked(server, setting.size(300, 5), seed=2, callers=_CALLERS_AT_CAPACITY)
        capacity = full.count(200) / full.seconds
        before = server.workers()
        a_second = TIMES_CAPACITY * capacity
        texts = different(int(a_second * setting.size(60, 1)) * _PARAGRAPHS, seed=3)
        requests = classify_requests(texts, each=_PARAGRAPHS)
        flood = ask_at_a_rate(server.url, requests, a_second=a_second, watch=server.worker_bytes)
        replaced = len({one.pid for one in before} ^ {one.pid for one in server.workers()})
    accepted = [reply for reply in flood.replies if reply.status == 200]
    refused = [reply for reply in flood.replies if reply.status == 429]
    p99 = flood.milliseconds(99)
    least = TIMES_UNLOADED * unloaded.milliseconds(99)
    return [
        noted("unloaded p99", unloaded.milliseconds(99), "ms"),
        noted("capacity", capacity, "requests/s"),
        noted("sent", flood.rate, "requests/s"),
        noted("accepted", len(accepted) / flood.seconds, "requests/s"),
        noted("refused with 429", len(refused) / flood.seconds, "requests/s"),
        noted("accepted p50", flood.milliseconds(50), "ms"),
        at_most("accepted p99", p99, least, "ms"),
        at_most("429 p50", flood.milliseconds(50, 429), MOST_REFUSAL_P50_MS, "ms"),
        noted("429 p99", flood.milliseconds(99, 429), "ms"),
        exactly("accepted that are not the offline answer", differing(setting.model, accepted)),
        exactly("neither accepted nor 429", len(requests) - len(accepted) - len(refused)),
        exactly("workers that died", replaced),
        at_most("memory growth", growth_percent(flood.watched), MOST_GROWTH_PERCENT, "%"),
        noted("client, of a core, a request", flood.client_ms, "ms"),
    ]


def growth_percent(watched: list[int]) -> float:
    """Of the last tenth of what was watched over its third tenth, before which all is warm-up."""
    tenth = max(1, len(watched) // 10)
    early = statistics.median(watched[2 * tenth : 3 * tenth] or watched)
    return 100 * (statistics.median(watched[-tenth:]) / early - 1)


def _asked(server: Server, count: int, *, seed: int, callers: int) -> Load:
    texts = different(count * _PARAGRAPHS, seed=seed)
    return ask_in_turns(server.url, classify_requests(texts, each=_PARAGRAPHS), callers=callers)
