"""Paragraphs to ask about, made of the authored pages: any number, and no two the same.

No newspaper's text is needed, and lengths are those of real paragraphs.
"""

import random
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from load import Request, requested

from faqra_data.corpus import read_corpus

_AUTHORED = Path(__file__).parents[2] / "data" / "authored" / "*.jsonl"
_FURNITURE = "boilerplate"


@cache
def _authored() -> tuple[tuple[str, str], ...]:
    """Paragraphs and their labels."""
    return tuple(
        (paragraph.text, label)
        for page in read_corpus([str(_AUTHORED)])
        for paragraph, label in zip(page.article().paragraphs, page.labels, strict=True)
    )


def different(count: int, *, seed: int) -> list[str]:
    """Paragraphs that nobody has seen: the beginning of one and the end of another."""
    chance = random.Random(seed)
    texts = [text for text, _ in _authored()]
    made: dict[str, None] = {}
    while len(made) < count:
        first, second = chance.choice(texts), chance.choice(texts)
        made[first[: len(first) // 2] + second[len(second) // 2 :]] = None
    return list(made)


def with_furniture(count: int, *, seed: int) -> list[str]:
    """As pages have them: all different but for their furniture, which comes again and again.

    The share of furniture is that of the authored pages.
    """
    chance = random.Random(seed)
    furniture = [text for text, label in _authored() if label == _FURNITURE]
    share = len(furniture) / len(_authored())
    return [
        chance.choice(furniture) if chance.random() < share else text
        for text in different(count, seed=seed)
    ]


def classify_requests(texts: Sequence[str], each: int = 1) -> list[Request]:
    """The paragraphs as requests of `POST /v1/classify`, so many in each."""
    pieces = [texts[start : start + each] for start in range(0, len(texts), each)]
    return [requested("/v1/classify", {"paragraphs": piece}, piece) for piece in pieces]
