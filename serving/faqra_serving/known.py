"""Windows that a model has read lately, with their answers: each different one is run once.

Archives repeat their furniture and their agencies' stories. This module does not know where
windows come from, nor what their answers mean.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from faqra_models.encoding import Window

Logits = NDArray[np.float32]
Run = Callable[[Sequence[Window]], list[Logits]]


class KnownWindows:
    """Runs windows through `run`, each different one once as long as it is remembered."""

    def __init__(self, run: Run, *, most_tokens: int) -> None:
        """`most_tokens` bounds the memory: four labels take 16 bytes a token."""
        self._run = run
        self._most = most_tokens
        self._held = 0
        self._logits: OrderedDict[bytes, Logits] = OrderedDict()

    def run(self, windows: Sequence[Window]) -> list[Logits]:
        """Token logits of each window, in the order given."""
        # What a window's tokens vote for is not the model's business.
        keys = [blake2b(window.ids.tobytes(), digest_size=16).digest() for window in windows]
        new = {
            key: window
            for key, window in zip(keys, windows, strict=True)
            if key not in self._logits
        }
        found = dict(zip(new, self._run(list(new.values())), strict=True))
        answers = [found[key] if key in found else self._recalled(key) for key in keys]
        for key, logits in found.items():
            self._logits[key] = logits.copy()  # a row of a batch would keep all of it
            self._held += len(logits)
        while self._held > self._most:
            _, oldest = self._logits.popitem(last=False)
            self._held -= len(oldest)
        return answers

    def _recalled(self, key: bytes) -> Logits:
        self._logits.move_to_end(key)
        return self._logits[key]
