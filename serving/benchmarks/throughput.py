"""One paragraph a request from 64 callers: faqra, plain BentoML classes, and infinity."""

import statistics
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from infinity_model import convert
from load import Load, Request, ask_in_turns, requested
from report import Figure, Setting, at_least, noted
from servers import bentoml_serve, faqra_serve
from texts import classify_requests, different, with_furniture

from faqra_models.loading import BUNDLED

CALLERS = 64
# Times as many paragraphs a second as others with the same weights in torch.
_LEAST = {"plain BentoML": 8.0, "infinity": 1.5}
_ROUNDS = 5
_HERE = Path(__file__).parent

_Maker = Callable[[Sequence[str]], list[Request]]


def measure(setting: Setting) -> list[Figure]:
    """Rounds of all servers in turns, so that what disturbs one disturbs the others; medians.

    Only one of them is asked at a time; the others wait without work.
    """
    rates: dict[tuple[str, str], list[float]] = {}
    client_ms = []
    with ExitStack() as stack:
        servers = _start(setting, stack)
        for turn in range(setting.size(1 + _ROUNDS, 1)):
            for name, (url, maker, count) in servers.items():
                for mix, make in (("different", different), ("furniture", with_furniture)):
                    texts = make(count, seed=turn)
                    load = _asked(name, url, maker(texts))
                    rates.setdefault((name, mix), []).append(load.rate)
                    client_ms.append(load.client_ms)
    # The first round warms up.
    medians = {key: statistics.median(each[1:] or each) for key, each in rates.items()}
    figures = []
    for mix, words in (
        ("different", "all different"),
        ("furniture", "as on pages, furniture repeated"),
    ):
        own = medians["faqra", mix]
        figures.append(noted(f"faqra serve, {words}", own, "paragraphs/s"))
        for name in (name for name in servers if name != "faqra"):
            figures.append(noted(f"{name}, {words}", medians[name, mix], "paragraphs/s"))
            ratio, what = own / medians[name, mix], f"faqra serve / {name}, {words}"
            least = _LEAST.get(name)
            figures.append(at_least(what, ratio, least, "x") if least else noted(what, ratio, "x"))
    if "infinity" not in servers:
        skipped = "skipped: no --infinity URL, see serving/README.md"
        figures.append(Figure("faqra serve / infinity", skipped))
    return [*figures, noted("client, of a core, a request", statistics.median(client_ms), "ms")]


def _start(setting: Setting, stack: ExitStack) -> dict[str, tuple[str, _Maker, int]]:
    """Name, URL, its form of requests, and how many a round: about as long for each."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    convert(Path(setting.model) if setting.model else BUNDLED, folder)
    count, fewer = setting.size(8000, 64), setting.size(1000, 16)
    own = stack.enter_context(faqra_serve(setting.model))
    plain = stack.enter_context(
        bentoml_serve("plain_service:Plain", _HERE, PLAIN_MODEL=str(folder))
    )
    servers: dict[str, tuple[str, _Maker, int]] = {
        "faqra": (own.url, classify_requests, count),
        "plain BentoML": (plain.url, _plain_requests, fewer),
        "plain BentoML, batchable": (plain.url, _batchable_requests, fewer),
    }
    if setting.infinity:
        servers["infinity"] = (setting.infinity.rstrip("/"), _infinity_requests, fewer)
    return servers


def _plain_requests(texts: Sequence[str]) -> list[Request]:
    return [requested("/classify", {"text": text}, [text]) for text in texts]


def _batchable_requests(texts: Sequence[str]) -> list[Request]:
    return [requested("/classify_batched", {"texts": [text]}, [text]) for text in texts]


def _infinity_requests(texts: Sequence[str]) -> list[Request]:
    return [requested("/classify", {"input": [text]}, [text]) for text in texts]


def _asked(name: str, url: str, requests: Sequence[Request]) -> Load:
    load = ask_in_turns(url, requests, callers=CALLERS)
    failed = [reply for reply in load.replies if reply.status != 200]
    if failed:
        told = failed[0].body.decode(errors="replace")[:300]
        raise SystemExit(f"{name}: {len(failed)} of {len(requests)} failed: {told}")
    return load
