"""How the C library hands out memory, set for work that makes and drops large tensors."""

import ctypes
import sys

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

    By default every large tensor of a step on the CPU is mapped anew, page by page, which took a
    quarter of a training step's time where it was measured. Does nothing where the C library is
    not glibc.
    """
    if not sys.platform.startswith("linux"):
        return
    library = ctypes.CDLL(None)
    if hasattr(library, "gnu_get_libc_version"):
        for setting, value in _SETTINGS.values():
            library.mallopt(setting, value)
