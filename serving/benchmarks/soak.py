"""As many paragraphs as an hour of steady use brings: nothing fails, memory does not grow."""

from load import ask_in_turns
from overload import MOST_GROWTH_PERCENT, growth_percent
from report import Figure, Setting, at_most, counted, exactly, noted
from servers import faqra_serve
from texts import classify_requests, with_furniture

_CALLERS = 16
_ROUNDS = 10


def measure(setting: Setting) -> list[Figure]:
    """Pages of 16 paragraphs, then as many single paragraphs as a tenth of that, in rounds."""
    watched: list[int] = []
    failed = paragraphs = 0
    seconds = 0.0
    with faqra_serve(setting.model) as server:
        for turn in range(_ROUNDS):
            pages = with_furniture(setting.size(18_400, 64), seed=2 * turn)
            singles = with_furniture(setting.size(1_840, 16), seed=2 * turn + 1)
            requests = [*classify_requests(pages, each=16), *classify_requests(singles)]
            load = ask_in_turns(server.url, requests, callers=_CALLERS, watch=server.worker_bytes)
            failed += len(requests) - load.count(200)
            paragraphs += len(pages) + len(singles)
            seconds += load.seconds
            watched += load.watched
    return [
        counted("paragraphs", paragraphs),
        noted("rate", paragraphs / seconds, "paragraphs/s"),
        exactly("failed requests", failed),
        noted("memory at the end", watched[-1] / 1e6, "MB"),
        at_most("memory growth", growth_percent(watched), MOST_GROWTH_PERCENT, "%"),
    ]
