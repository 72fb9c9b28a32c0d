"""How the C library hands out memory, set for work that makes and drops large tensors."""

import ctypes
import sys
from typing import Any

from transformers import TrainerCallback

# glibc's names of its settings (malloc.h), and values that keep what was freed for the next step.
_SETTINGS = {
    # The most that glibc allows. Larger tensors are few, and would leave holes in the heap that
    # nothing else fits: without a bound a run of hours came to 13 GB.
    "M_MMAP_THRESHOLD": (-3, 32 * 2**20),
    "M_TRIM_THRESHOLD": (-1, 2**31 - 1),
    "M_TOP_PAD": (-2, 64 * 2**20),
    "M_ARENA_MAX": (-8, 1),  # the backward pass runs in a thread whose own arena would shrink
}


def keep_freed_memory() -> None:
    """Let this process keep the memory that tensors leave, instead of giving it back each time.

    By default every large tensor of a step on the CPU is mapped anew, page by page, which took up
    to a quarter of a training step's time where it was measured. Does nothing where the C library
    is not glibc.
    """
    library = _glibc()
    if library is not None:
        for setting, value in _SETTINGS.values():
            library.mallopt(setting, value)


class TidyMemory(TrainerCallback):
    """Gives back at each evaluation what `keep_freed_memory` kept: its holes grow with time."""

    def on_evaluate(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ANN401, ARG002
        """Once every few minutes costs nothing that can be measured."""
        library = _glibc()
        if library is not None:
            library.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "gnu_get_libc_version") else None
