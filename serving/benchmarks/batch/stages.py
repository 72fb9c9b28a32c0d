"""Runs in which the model takes no time: what one process reads, cuts and writes in a second.

On one machine this goes on beside the model; on many it is the one thing that is not divided
among them.
"""

import pickle
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import numpy as np
from batch.archives import write_archive
from numpy.typing import NDArray
from report import Figure, Setting, noted
from tokenizers import Tokenizer

from faqra.commands.classify import ClassifyOptions, run_classify
from faqra.engines import ClusterEngine, Engine, LocalEngine
from faqra_data.article import Article
from faqra_data.readers import read_inputs
from faqra_models.classifier import Classifier
from faqra_models.folder import TOKENIZER
from faqra_models.loading import open_folder
from faqra_serving.job import Answered, Item, Job, Place, cut_parts, read_part
from faqra_serving.journal import Journal
from faqra_serving.stream import StreamClassifier

_ROUNDS = 3
_FORMATS = ("jsonl", "parquet")


def measure(setting: Setting) -> list[Figure]:
    """Rounds of all in turns; medians."""
    with tempfile.TemporaryDirectory() as place:
        archive = Path(place) / "archive.jsonl"
        count = write_archive(archive, setting.size(100_000, 300))
        job = Job((str(archive),), model=setting.model)
        labels = open_folder(setting.model).settings.labels
        instant = _Instant(job, len(labels))
        works: dict[str, Callable[[], object]] = {"reading and cutting": lambda: _read(job)}
        for format_ in _FORMATS:
            output = Path(place) / f"out.{format_}"
            works[f"all of a run but the model, {format_}"] = lambda output=output: _run(
                job, output, lambda journal: _local(job, journal)
            )
            works[f"what is left to Ray's driver, {format_}"] = lambda output=output: _run(
                job, output, lambda journal: ClusterEngine(instant, job, journal)
            )
        rates: dict[str, list[float]] = {name: [] for name in works}
        for _ in range(setting.size(_ROUNDS, 1)):
            for name, work in works.items():
                began = time.perf_counter()
                work()
                rates[name].append(count / (time.perf_counter() - began))
    return [noted(name, statistics.median(each), "paragraphs/s") for name, each in rates.items()]


def _read(job: Job) -> int:
    return sum(isinstance(item, Article) for item in read_inputs(job.inputs))


def _run(job: Job, output: Path, engine: Callable[[Journal], Engine]) -> None:
    with Journal(output.with_name("journal")) as journal:

        def opened() -> AbstractContextManager[Engine]:
            return nullcontext(engine(journal))

        run_classify(ClassifyOptions(job.inputs, output), opened)


def _local(job: Job, journal: Journal) -> Engine:
    folder = open_folder(job.model)
    tokenizer = Tokenizer.from_file(str(folder.path / TOKENIZER))
    backend = _NoModel(len(folder.settings.labels))
    classifier = Classifier(folder.settings, tokenizer, backend, digest=folder.digest)
    return LocalEngine(
        StreamClassifier(classifier, journal),
        lambda on_bytes: read_inputs(job.inputs, on_bytes=on_bytes),
        context=job.context,
    )


class _NoModel:
    """A backend that has answered before it was asked."""

    def __init__(self, labels: int) -> None:
        self._labels = labels

    def token_logits(
        self,
        ids: NDArray[np.int64],
        mask: NDArray[np.int64],  # noqa: ARG002 - the seam's
    ) -> NDArray[np.float32]:
        return np.zeros((*ids.shape, self._labels), np.float32)


class _Instant:
    """Workers whose answers have arrived before they were asked, as they travel."""

    def __init__(self, job: Job, labels: int) -> None:
        self._answers = [
            pickle.dumps(_answered(item, labels))
            for part in cut_parts(job.inputs)
            for item in read_part(part, text_column=job.text_column)
        ]

    def classify(self, job: Job, *, after: Place) -> Iterator[Answered]:  # noqa: ARG002 - the seam's
        yield from map(pickle.loads, self._answers)


def _answered(item: Item, labels: int) -> Answered:
    paragraphs = len(item.content.paragraphs) if isinstance(item.content, Article) else 0
    return Answered(item, np.full((paragraphs, labels), 1 / labels))
