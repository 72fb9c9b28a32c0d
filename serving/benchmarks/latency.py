"""One paragraph at a time on a service that has nothing else to do."""

from load import ask_in_turns
from report import Figure, Setting, at_most, exactly, noted
from servers import faqra_serve
from texts import classify_requests, different

MOST_P50_MS = 10.0


def measure(setting: Setting) -> list[Figure]:
    """Over HTTP on one kept connection, no paragraph twice."""
    with faqra_serve(setting.model) as server:
        ask_in_turns(server.url, classify_requests(different(20, seed=0)), callers=1)
        texts = different(setting.size(2000, 30), seed=1)
        load = ask_in_turns(server.url, classify_requests(texts), callers=1)
    return [
        at_most("p50", load.milliseconds(50), MOST_P50_MS, "ms"),
        noted("p95", load.milliseconds(95), "ms"),
        noted("p99", load.milliseconds(99), "ms"),
        exactly("not answered", len(texts) - load.count(200)),
    ]
