"""The seam at the costly thing: an encoder that gives logits for tokens.

ONNX Runtime and torch stand behind it; tests put a few lines of numpy there.
"""

import os
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Backend(Protocol):
    """Something that runs an encoder with a token-classification head."""

    def token_logits(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        """Logits of shape (windows, tokens, labels) for ids and mask of shape (windows, tokens)."""
        ...


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
