"""What a run tells while it goes on: a line for each evaluation, and a bar on a terminal."""

import sys
from collections.abc import Callable, Mapping
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)
from transformers import TrainerCallback

from faqra_training.throughput import SPEED


def say_nothing(_: str) -> None:
    """For those who want to be told nothing."""


class ProgressLines(TrainerCallback):
    """A line for each evaluation, and on a terminal a bar with the time left.

    `words` makes a line's end of the evaluation's metrics.
    """

    def __init__(
        self, tell: Callable[[str], None], words: Callable[[Mapping[str, float]], str]
    ) -> None:
        self._tell = tell
        self._words = words
        self._bar = Progress(
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("steps, left"),
            TimeRemainingColumn(elapsed_when_finished=True),
            console=Console(stderr=True),
            transient=True,
            disable=not sys.stderr.isatty(),
        )

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ANN401, ARG002
        """Open the bar where the run goes on."""
        self._bar.add_task("", total=state.max_steps, completed=state.global_step)
        self._bar.start()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ANN401, ARG002
        """Move the bar."""
        self._bar.update(self._bar.task_ids[0], completed=state.global_step)

    def on_evaluate(self, args: Any, state: Any, control: Any, **keywords: Any) -> None:  # noqa: ANN401, ARG002
        """Tell step, loss and metrics."""
        last = {name: value for entry in state.log_history for name, value in entry.items()}
        loss = f"loss {last['loss']:.3f}, " if "loss" in last else ""
        speed = f", {last[SPEED]:,.0f} tokens/s" if SPEED in last else ""
        words = self._words(keywords["metrics"])
        self._tell(f"step {state.global_step} of {state.max_steps}: {loss}{words}{speed}")

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ANN401, ARG002
        """Close the bar."""
        self._bar.stop()
