"""Pictures of a run: losses, macro-F1 and speed over its steps, and a confusion matrix.

The only module that knows matplotlib. Figures are drawn without pyplot, so that nothing is
set for the whole process.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from faqra_training.scores import Scores
from faqra_training.throughput import SPEED

_SIZE_INCHES = (10, 4)
_WIDE_INCHES = (13, 4)
_SQUARE_INCHES = (6.5, 5.5)
# As the Trainer's log names them, and as the picture does.
_F1_CURVES = {"eval_macro_f1": "in context", "eval_macro_f1_alone": "paragraph by paragraph"}


def draw_curves(log: Sequence[Mapping[str, Any]], best_step: int, path: Path) -> None:
    """Training loss and dev macro-F1 by step as a PNG; the step that was kept is marked."""
    figure = Figure(figsize=_SIZE_INCHES, layout="constrained")
    losses, scores = figure.subplots(1, 2)
    losses.plot(*_curve(log, "loss"), color="tab:blue")
    losses.set(xlabel="step", ylabel="training loss")
    for name, label in _F1_CURVES.items():
        scores.plot(*_curve(log, name), marker="o", markersize=3, label=label)
    scores.axvline(best_step, color="gray", linestyle=":", label=f"kept: step {best_step}")
    scores.set(xlabel="step", ylabel="macro-F1 on dev")
    scores.legend()
    _save(figure, path)


def draw_pretraining(log: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Loss, learning rate and speed of a pretraining run by step as a PNG."""
    figure = Figure(figsize=_WIDE_INCHES, layout="constrained")
    losses, rates, speeds = figure.subplots(1, 3)
    losses.plot(*_curve(log, "loss"), color="tab:blue", label="training")
    losses.plot(*_curve(log, "eval_loss"), color="tab:orange", marker="o", label="held out")
    losses.set(xlabel="step", ylabel="loss of masked tokens")
    losses.legend()
    rates.plot(*_curve(log, "learning_rate"), color="tab:green")
    rates.set(xlabel="step", ylabel="learning rate")
    speeds.plot(*_curve(log, SPEED), color="tab:gray")
    speeds.set(xlabel="step", ylabel="tokens a second")
    speeds.set_ylim(bottom=0)
    _save(figure, path)


def draw_confusion(scores: Scores, path: Path) -> None:
    """Gold labels by row and given labels by column as a PNG: counts, shaded by share of row."""
    figure = Figure(figsize=_SQUARE_INCHES, layout="constrained")
    axes = figure.subplots()
    counts = scores.confusion
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        shade = "white" if shares[row, column] > 0.5 else "black"
        text = f"{count}\n{shares[row, column]:.0%}"
        axes.text(column, row, text, ha="center", va="center", color=shade)
    names = [_drawable(label, number) for number, label in enumerate(scores.labels)]
    axes.set_xticks(range(len(names)), names, rotation=30, ha="right")
    axes.set_yticks(range(len(names)), names)
    axes.set(xlabel="given", ylabel="gold", title=f"macro-F1 {scores.macro_f1:.3f}, n {scores.n}")
    _save(figure, path)


def _curve(log: Sequence[Mapping[str, Any]], name: str) -> tuple[list[int], list[float]]:
    points = {entry["step"]: entry[name] for entry in log if name in entry}
    return list(points), list(points.values())


def _drawable(label: str, number: int) -> str:
    """The label, or its number where the font that ships with matplotlib might lack it."""
    return label if label.isascii() else f"label {number}"


def _save(figure: Figure, path: Path) -> None:
    FigureCanvasAgg(figure)
    figure.savefig(path, format="png", dpi=120)
