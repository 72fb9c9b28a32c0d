"""How far long work is: a bar on stderr, shown only to a person, and a line when it is done.

This module does not know what the work is; it counts paragraphs by their labels, and bytes
where their total is known.
"""

import sys
import time
from collections import Counter
from collections.abc import Iterable
from threading import Timer
from types import TracebackType
from typing import TYPE_CHECKING, Self

from faqra.voice import say

if TYPE_CHECKING:
    from rich.progress import Progress

# Work that is over sooner needs no bar, and no line.
_PATIENCE_S = 2.0
_WORTH_TELLING_S = 10.0


class ProgressBar:
    """Counts silently until the work is long; draws only where stderr is a terminal."""

    def __init__(self, total_bytes: int | None, *, wanted: bool = True) -> None:
        """`total_bytes` is None where it is not known; then there is no time left to show.

        Not `wanted` where results come out on the same terminal: they would run into the bar,
        and show themselves how far the work is.
        """
        self._total = total_bytes
        self._started = time.monotonic()
        self._labels: Counter[str] = Counter()
        self._bytes = 0
        self._bar: Progress | None = None
        # A timer, as the first results of a slow model may be long in coming.
        self._timer = Timer(_PATIENCE_S, self._show)
        self._timer.daemon = True
        self._wanted = wanted and sys.stderr.isatty()

    def read(self, more_bytes: int) -> None:
        """Some bytes more were read; may be told from another thread."""
        self._bytes += more_bytes

    def advance(self, labels: Iterable[str]) -> None:
        """Some paragraphs more are done, each with its label."""
        self._labels.update(labels)
        if self._bar is not None:
            self._draw(self._bar)

    def tell(self) -> None:
        """Say what was done, where it took long enough to be logged."""
        elapsed = time.monotonic() - self._started
        if elapsed >= _WORTH_TELLING_S:
            count = self._labels.total()
            speed = f"{count:,} paragraphs in {elapsed:,.0f} s ({count / elapsed:,.0f}/s)"
            say(f"{speed}: {self._shares()}")

    def __enter__(self) -> Self:
        if self._wanted:
            self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._wanted:
            return
        self._timer.cancel()
        self._timer.join()  # it may just have begun to draw
        if self._bar is not None:
            self._bar.stop()

    def _show(self) -> None:
        bar = _bar(self._total)
        self._draw(bar)
        bar.start()
        self._bar = bar

    def _draw(self, bar: "Progress") -> None:
        elapsed = time.monotonic() - self._started
        count = self._labels.total()
        bar.update(
            bar.task_ids[0],
            completed=self._bytes,
            paragraphs=f"{count:,}",
            rate=f"{count / elapsed:,.0f}",
            labels=self._shares(),
        )

    def _shares(self) -> str:
        count = self._labels.total()
        return ", ".join(
            f"{label} {part / count:.0%}" for label, part in self._labels.most_common()
        )


def _bar(total: int | None) -> "Progress":
    # 0.1 s to import, and most work is over before a bar is wanted.
    from rich import progress  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Column  # noqa: PLC0415

    known = total is not None
    bar = progress.Progress(
        progress.BarColumn(),
        *([progress.TaskProgressColumn()] if known else []),
        progress.TextColumn("{task.fields[paragraphs]} paragraphs, {task.fields[rate]}/s"),
        progress.TimeRemainingColumn() if known else progress.TimeElapsedColumn(),
        # What there is no room for is left away.
        progress.TextColumn("{task.fields[labels]}", table_column=Column(no_wrap=True)),
        console=Console(stderr=True),
        transient=True,
    )
    bar.add_task("", total=total, paragraphs="0", rate="0", labels="")
    return bar
