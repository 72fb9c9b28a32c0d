"""The whole command beside a pipeline of transformers, and beside the model's bare forward."""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from batch.archives import origin, texts, write_archive
from batch.runs import classified
from infinity_model import convert
from report import Figure, Setting, at_least, noted

import faqra
from faqra_data.article import Article
from faqra_data.readers import read_inputs
from faqra_models.loading import BUNDLED

TIMES_PIPELINE = 8.0
SHARE_OF_FORWARD = 0.7
_ROUNDS = 3
_BATCH = 32


def measure(setting: Setting) -> list[Figure]:
    """Rounds of all in turns; medians. The command's time includes its start."""
    pages, alone = setting.size(12_000, 300), setting.size(2_000, 64)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        archive = folder / "archive.jsonl"
        count = write_archive(archive, pages)
        forward, read = _forward(setting.model, archive)
        pipeline = _pipeline(setting.model, folder / "model")
        sample = texts(alone)
        works: dict[str, tuple[int, Callable[[], object]]] = {
            "faqra classify, pages in context": (count, lambda: _classify(setting, archive)),
            "faqra classify --no-context": (
                count,
                lambda: _classify(setting, archive, "--no-context"),
            ),
            "bare forward of the same windows": (read, forward),
            f"transformers.pipeline, batches of {_BATCH}": (alone, lambda: pipeline(sample)),
        }
        rates: dict[str, list[float]] = {name: [] for name in works}
        for _ in range(setting.size(_ROUNDS, 1)):
            for name, (paragraphs, work) in works.items():
                began = time.perf_counter()
                work()
                rates[name].append(paragraphs / (time.perf_counter() - began))
    context, single, bare, plain = (statistics.median(each) for each in rates.values())
    return [
        *(noted(name, statistics.median(each), "paragraphs/s") for name, each in rates.items()),
        at_least("in context / pipeline", context / plain, TIMES_PIPELINE, "x"),
        at_least("alone / pipeline", single / plain, TIMES_PIPELINE, "x"),
        at_least("in context / bare forward", context / bare, SHARE_OF_FORWARD, "of it"),
        Figure("archive", f"{count:,} paragraphs; {origin()}"),
    ]


def _classify(setting: Setting, archive: Path, *options: str) -> None:
    classified(setting.model, archive, archive.with_name("out.jsonl"), *options)


def _forward(model: str | None, archive: Path) -> tuple[Callable[[], object], int]:
    """The model over all windows of the archive, made before, each different one once.

    And how many paragraphs they hold. What is run is all that is known: no batches could be better.
    """
    classifier = faqra.load(model)
    articles = [item for item in read_inputs([str(archive)]) if isinstance(item, Article)]
    windows = {
        window.key(): window for ready in classifier.prepare(articles) for window in ready.windows
    }
    paragraphs = sum(len(article.paragraphs) for article in articles)
    return lambda: classifier.run(list(windows.values())), paragraphs


def _pipeline(model: str | None, folder: Path) -> Callable[[list[str]], object]:
    from transformers import pipeline  # noqa: PLC0415 - seconds to import

    convert(Path(model) if model else BUNDLED, folder)
    return pipeline("text-classification", model=str(folder), batch_size=_BATCH, truncation=True)
