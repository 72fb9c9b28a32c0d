"""A million paragraphs beside ten and fifty thousand: memory, and the cost of each.

With a model of one layer, where no other is named: with the bundled one they take two hours, and
what grows besides would not show.
"""

import statistics
import tempfile
from pathlib import Path

from batch.archives import write_archive
from batch.runs import classified
from one_layer import make_one_layer
from report import Figure, Setting, at_least, at_most, noted

TIMES_MEMORY, MOST_MB = 1.1, 700.0
SHARE_OF_RATE = 0.95


def measure(setting: Setting) -> list[Figure]:
    """The short runs before and after the long one, as the machine may change meanwhile."""
    sizes = [setting.size(full, quick) for full, quick in ((10_000, 60), (50_000, 120))]
    long = setting.size(1_000_000, 400)
    with tempfile.TemporaryDirectory() as place:
        model = setting.model or str(make_one_layer(Path(place) / "one-layer"))
        output = Path(place) / "out.jsonl"
        archives = {}
        for size in (*sizes, long):
            path = Path(place) / f"{size}.jsonl"
            archives[size] = (path, write_archive(path, size))
        peaks: list[float] = []
        rates: list[float] = []
        small, middle = sizes
        for size in (small, middle, long, middle, small):
            path, count = archives[size]
            run = classified(model, path, output)
            if size == small:
                peaks.append(run.peak_mb)
            elif size == middle:
                rates.append(count / run.seconds)
            else:
                peak, rate = run.peak_mb, count / run.seconds
    short = statistics.mean(rates)
    return [
        Figure("model", setting.model or "one layer of 64"),
        noted(f"peak memory, {small:,} paragraphs", max(peaks), "MB"),
        at_most(f"peak memory, {long:,}", peak, MOST_MB, "MB"),
        at_most("the one / the other", peak / max(peaks), TIMES_MEMORY, "x"),
        noted(f"rate, {middle:,} paragraphs", short, "paragraphs/s"),
        noted(f"rate, {long:,}", rate, "paragraphs/s"),
        at_least("the one / the other, rate", rate / short, SHARE_OF_RATE, "of it"),
    ]
