"""From the command to the first `/readyz`, and what one worker holds in memory."""

import statistics

from load import ask_in_turns
from report import Figure, Setting, at_most
from servers import faqra_serve
from texts import classify_requests, different

MOST_START_S = 5.0
MOST_MEGABYTES = 500.0


def measure(setting: Setting) -> list[Figure]:
    """The median of several starts; memory at rest, and after pages by many callers."""
    seconds, rest, worked = [], [], []
    for _ in range(setting.size(5, 1)):
        with faqra_serve(setting.model) as server:
            seconds.append(server.start_s)
            rest.append(server.worker_bytes() / 1e6)
            texts = different(setting.size(8000, 64), seed=0)
            ask_in_turns(server.url, classify_requests(texts, each=16), callers=8)
            worked.append(server.worker_bytes() / 1e6)
    return [
        at_most("command to ready", statistics.median(seconds), MOST_START_S, "s"),
        at_most("a worker at rest", max(rest), MOST_MEGABYTES, "MB"),
        at_most("a worker after 500 requests of 16 paragraphs", max(worked), MOST_MEGABYTES, "MB"),
    ]
