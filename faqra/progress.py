"""How far long work is: a bar on stderr, shown only to a person and only after a while.

This module does not know what the work is; it counts paragraphs, and bytes where their total
is known.
"""

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import Progress

# Work that is over sooner needs no bar.
_PATIENCE_S = 2.0


class ProgressBar:
    """Counts silently until the work is long; draws only where stderr is a terminal."""

    def __init__(self, total_bytes: int | None) -> None:
        """`total_bytes` is None where it is not known; then there is no time left to show."""
        self._total = total_bytes
        self._started = time.monotonic()
        self._paragraphs = 0
        self._wanted = sys.stderr.isatty()
        self._bar: Progress | None = None

    def advance(self, paragraphs: int, done_bytes: int) -> None:
        """Some paragraphs more are done; `done_bytes` is counted from the beginning."""
        self._paragraphs += paragraphs
        elapsed = time.monotonic() - self._started
        if not self._wanted or elapsed < _PATIENCE_S:
            return
        if self._bar is None:
            self._bar = _bar(self._total)
            self._bar.start()
        self._bar.update(
            self._bar.task_ids[0],
            completed=done_bytes,
            paragraphs=f"{self._paragraphs:,}",
            rate=f"{self._paragraphs / elapsed:,.0f}",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()


def _bar(total: int | None) -> "Progress":
    # 0.1 s to import, and most work is over before a bar is wanted.
    from rich import progress  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415

    known = total is not None
    bar = progress.Progress(
        progress.BarColumn(),
        *([progress.TaskProgressColumn()] if known else []),
        progress.TextColumn("{task.fields[paragraphs]} paragraphs, {task.fields[rate]}/s"),
        progress.TimeRemainingColumn() if known else progress.TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    bar.add_task("", total=total, paragraphs="0", rate="0")
    return bar
