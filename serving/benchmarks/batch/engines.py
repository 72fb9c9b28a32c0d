"""Ray on this machine beside the local engine."""

import statistics
import tempfile
from pathlib import Path

from batch.archives import write_archive
from batch.runs import classified
from report import Figure, Setting, at_least, exactly, noted

SHARE_OF_LOCAL = 0.85
_ROUNDS = 3


def measure(setting: Setting) -> list[Figure]:
    """Two sizes, so that what the start costs is told apart from what a paragraph costs."""
    sizes = setting.size(3_000, 200), setting.size(18_000, 400)
    rates: dict[str, list[float]] = {"local": [], "ray": []}
    starts: dict[str, list[float]] = {"local": [], "ray": []}
    differing = 0
    with tempfile.TemporaryDirectory() as place:
        archives = []
        for size in sizes:
            path = Path(place) / f"{size}.jsonl"
            archives.append((path, write_archive(path, size)))
        (few, fewer), (many, more) = archives
        for _ in range(setting.size(_ROUNDS, 1)):
            for engine, each in rates.items():
                options = ("--to", "jsonl", "--engine", engine)
                output = Path(place) / engine
                short = classified(setting.model, few, output, *options).seconds
                long = classified(setting.model, many, output, *options).seconds
                each.append((more - fewer) / max(long - short, 1e-9))
                starts[engine].append(short - fewer / each[-1])
            local, ray = ((Path(place) / engine).read_bytes() for engine in rates)
            differing += local != ray
    medians = {engine: statistics.median(each) for engine, each in rates.items()}
    return [
        *(
            noted(f"{engine}, a paragraph more", rate, "paragraphs/s")
            for engine, rate in medians.items()
        ),
        *(
            noted(f"{engine}, start and end", statistics.median(each), "s")
            for engine, each in starts.items()
        ),
        at_least("ray / local", medians["ray"] / medians["local"], SHARE_OF_LOCAL, "of it"),
        exactly("outputs that differ", differing),
    ]
