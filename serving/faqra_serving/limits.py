"""How much one caller, and all together, may ask of a service; read from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields

from faqra_data.errors import FaqraError

PREFIX = "FAQRA_"


class LimitsError(FaqraError):
    """A setting in the environment that is none."""


def api_key_from(environment: Mapping[str, str]) -> str:
    """The key that callers have to send, or none; LimitsError where no header could carry it."""
    key = environment.get(f"{PREFIX}API_KEY", "").strip()
    if not key.isascii() or not key.isprintable() or " " in key:
        raise LimitsError(f"{PREFIX}API_KEY: expected ASCII letters, digits and signs, got others")
    return key


@dataclass(frozen=True)
class Limits:
    """Of one request: bytes of its body, paragraphs, articles, characters in all and a paragraph.

    Of the service: tokens that may wait, tokens a batch, milliseconds that a batch waits for
    more, seconds until a caller is told that it takes too long, and paragraphs whose answers are
    kept. Each is set by a variable of its name, `FAQRA_BODY_BYTES` for `body_bytes`.
    """

    body_bytes: int = 8 * 2**20
    paragraphs: int = 4096
    articles: int = 256
    characters: int = 4_000_000
    paragraph_characters: int = 200_000
    queued_tokens: int = 9216
    batch_tokens: int = 1024
    wait_ms: int = 0
    deadline_s: int = 30
    cached_paragraphs: int = 20_000

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Limits":
        """The limits, each from its variable where that is set; LimitsError names what is none."""
        values: dict[str, int] = {}
        mistakes = []
        for one in fields(cls):
            name = PREFIX + one.name.upper()
            raw = environment.get(name)
            if raw is None:
                continue
            least = 0 if one.name in ("wait_ms", "cached_paragraphs") else 1
            if raw.isascii() and raw.isdigit() and int(raw) >= least:
                values[one.name] = int(raw)
            else:
                mistakes.append(f"{name}: expected a whole number of {least} or more, got {raw!r}")
        if mistakes:
            raise LimitsError("\n".join(mistakes))
        return cls(**values)
