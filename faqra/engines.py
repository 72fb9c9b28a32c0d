"""Who classifies: this process, or the workers of a Ray cluster; both give the same rows.

This module knows the rooms that do the work, and neither options nor outputs.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from faqra.extras import needing
from faqra.usage import UsageError
from faqra_data.article import Article, Rejected

if TYPE_CHECKING:
    from faqra_models.prediction import ArticlePredictions
    from faqra_serving.archive import Workers
    from faqra_serving.job import Job
    from faqra_serving.journal import Journal

ENGINES = ("local", "ray")
STDIN = "-"

OnRejected = Callable[[Rejected], None]
OnBytes = Callable[[int], None]
# Gives articles and what could not be read, and tells how many bytes more were read.
Reader = Callable[[OnBytes], "Iterable[Article | Rejected]"]


class Engine(Protocol):
    """What the command needs of whoever classifies."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The model's labels."""
        ...

    def results(self, on_rejected: OnRejected, on_bytes: OnBytes) -> "Iterator[ArticlePredictions]":
        """Every article of the inputs with its predictions, in order.

        `on_rejected` is told what could not be read, `on_bytes` how many bytes more were read.
        """
        ...


class ArticleClassifier(Protocol):
    """What the local engine needs of a classifier."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The model's labels."""
        ...

    def classify_articles(
        self, articles: "Iterable[Article]", *, context: bool = True
    ) -> "Iterator[ArticlePredictions]":
        """Predictions for each article, in order."""
        ...


@contextmanager
def open_engine(
    name: str, job: "Job", journal: "Journal | None", *, address: str | None = None
) -> "Iterator[Engine]":
    """An engine of ENGINES for a job; `address` is a Ray cluster's, None starts one here.

    `journal` keeps the answers, and has those of an earlier run.
    """
    if name == "local":
        yield LocalEngine(_local_classifier(job, journal), _reader(job), context=job.context)
        return
    if STDIN in job.inputs:
        raise UsageError(
            "--engine ray: its workers cannot read this process's standard input; "
            "name files that every machine sees"
        )
    with needing("ray", "--engine ray"):
        from faqra_serving.cluster import Cluster  # noqa: PLC0415 - a second to import
    with Cluster(address) as cluster:
        yield ClusterEngine(cluster, job, journal)


class LocalEngine:
    """A classifier in this process, over what a reader gives."""

    def __init__(self, classifier: ArticleClassifier, read: Reader, *, context: bool) -> None:
        self._classifier = classifier
        self._read = read
        self._context = context

    @property
    def labels(self) -> tuple[str, ...]:
        """The model's labels."""
        return self._classifier.labels

    def results(self, on_rejected: OnRejected, on_bytes: OnBytes) -> "Iterator[ArticlePredictions]":
        """See Engine; the callbacks may be called from another thread, some way ahead."""
        articles = self._articles(on_rejected, on_bytes)
        return self._classifier.classify_articles(articles, context=self._context)

    def _articles(self, on_rejected: OnRejected, on_bytes: OnBytes) -> Iterator[Article]:
        for item in self._read(on_bytes):
            if isinstance(item, Article):
                yield item
            else:
                on_rejected(item)


class ClusterEngine:
    """Workers elsewhere, who read the inputs themselves."""

    def __init__(self, workers: "Workers", job: "Job", journal: "Journal | None") -> None:
        """Raises ModelError where there is no such model."""
        from faqra_models.loading import open_folder  # noqa: PLC0415 - slow to import

        self._workers = workers
        self._job = job
        self._journal = journal
        self._labels = open_folder(job.model).settings.labels

    @property
    def labels(self) -> tuple[str, ...]:
        """The model's labels."""
        return self._labels

    def results(self, on_rejected: OnRejected, on_bytes: OnBytes) -> "Iterator[ArticlePredictions]":
        """See Engine."""
        from faqra_serving.archive import classify_archive  # noqa: PLC0415 - as above

        for result in classify_archive(self._workers, self._job, self._journal, on_bytes=on_bytes):
            if isinstance(result, Rejected):
                on_rejected(result)
            else:
                yield result


def _local_classifier(job: "Job", journal: "Journal | None") -> ArticleClassifier:
    from faqra_models.loading import load_classifier  # noqa: PLC0415 - onnxruntime is slow to import
    from faqra_serving.stream import StreamClassifier  # noqa: PLC0415

    return StreamClassifier(load_classifier(job.model, device=job.device), journal)


def _reader(job: "Job") -> Reader:
    from faqra_data.readers import read_inputs  # noqa: PLC0415 - slow to import

    return lambda on_bytes: read_inputs(
        job.inputs, text_column=job.text_column, stdin=sys.stdin.buffer, on_bytes=on_bytes
    )
