"""Many machines, or all cores of one as if they were many: workers in the actors of Ray Data.

The only module that knows Ray. Files are read wherever there is room, every actor holds a model,
and the answers come back in the order of the inputs. What is lost with a process or a machine,
Ray does again.
"""

import logging
import os
import pickle
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, Self, cast

import pyarrow as pa
import ray
from ray.data import ActorPoolStrategy, DataContext, Dataset
from ray.data.block import BlockMetadata
from ray.data.datasource import Datasource, ReadTask
from ray.exceptions import AuthenticationError, RayError

from faqra_data.article import Article
from faqra_data.errors import ClusterError, FaqraError
from faqra_models.loading import load_classifier
from faqra_serving.job import BEFORE_ALL, Answered, Item, Job, Part, Place, cut_parts, read_part
from faqra_serving.worker import Worker

# What a worker answers at once: a few seconds of work, which is what is lost with it.
_BLOCK_BYTES = 1_000_000
_ITEMS_PER_TABLE = 64
_PATIENCE_S = 5.0


class Cluster:
    """A Ray cluster that is joined, or one on this machine that ends with the block."""

    def __init__(self, address: str | None = None) -> None:
        """`address` as `ray start` prints it; None starts Ray on this machine alone.

        Raises ClusterError where there is no such cluster.
        """
        if address is not None:
            _check_reachable(address)
        # Ray tells its makers how it is used and the user what it does, unless told not to.
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
        for name in ("ray", "ray.data"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        try:
            with _without_stderr():
                ray.init(
                    address or "local",
                    include_dashboard=None if address else False,
                    log_to_driver=False,
                    logging_level=logging.CRITICAL,
                )
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise ClusterError(f"no Ray cluster at {address}: {_reason(error)}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        ray.shutdown()

    def classify(self, job: Job, *, after: Place = BEFORE_ALL) -> Iterator[Answered]:
        """Every item of the inputs with its answer, in order; only those `after` a place.

        Raises what a worker raises, and ClusterError where Ray gives up.
        """
        parts = list(cut_parts(job.inputs, after=after))
        if not parts:
            return
        with _worker_errors():
            answered = _dataset(parts, job, after)
            for table in answered.iter_batches(batch_size=None, batch_format="pyarrow"):
                yield from _values(cast("pa.Table", table))


@contextmanager
def _without_stderr() -> Iterator[None]:
    """Ray's own code says there that it will be quiet, whatever Python makes of stderr."""
    kept = os.dup(2)
    with Path(os.devnull).open("wb") as nothing:
        os.dup2(nothing.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _check_reachable(address: str) -> None:
    """Ray itself tries for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if address == "auto":
        return
    if not (host and port.isdigit()):
        raise ClusterError(
            f"Ray cluster {address!r}: expected HOST:PORT as 'ray start --head' prints it, or auto"
        )
    try:
        socket.create_connection((host, int(port)), _PATIENCE_S).close()
    except (OSError, OverflowError) as error:
        raise ClusterError(f"no Ray cluster at {address}: {error}") from error


def _dataset(parts: list[Part], job: Job, after: Place) -> Dataset:
    context = DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    context.execution_options.preserve_order = True
    # Ray would join what a task reads to blocks of a hundred times this.
    context.target_max_block_size = _BLOCK_BYTES
    has: dict[str, float] = ray.cluster_resources()
    gpu = job.device == "cuda" or (job.device == "auto" and has.get("GPU", 0) >= 1)
    workers = max(1, int(has.get("GPU" if gpu else "CPU", 0)))
    items = ray.data.read_datasource(
        _Inputs(parts, job.text_column, after),
        num_cpus=0,  # reading is little beside a model, which has a core of its own
        override_num_blocks=len(parts),
    )
    answered: Dataset = items.map_batches(
        _Actor,
        fn_constructor_args=(replace(job, device="cuda" if gpu else "cpu"),),
        batch_size=None,
        batch_format="pyarrow",
        compute=ActorPoolStrategy(min_size=1, max_size=workers, initial_size=workers),
        num_cpus=0 if gpu else 1,
        num_gpus=1 if gpu else 0,
    )
    return answered


class _Inputs(Datasource):
    """The parts of the inputs as Ray Data reads them, a task each."""

    def __init__(self, parts: list[Part], text_column: str, after: Place) -> None:
        self._parts = parts
        self._text_column = text_column
        self._after = after

    def get_read_tasks(self, *_: object, **__: object) -> list[ReadTask]:
        return [self._task(part) for part in self._parts]

    def estimate_inmemory_data_size(self) -> int | None:
        return None

    def _task(self, part: Part) -> ReadTask:
        # A task takes along what its function holds: not self, which has the parts of all others.
        text_column, after = self._text_column, self._after

        def read() -> Iterator[pa.Table]:
            items = read_part(part, text_column=text_column, after=after)
            while some := list(islice(items, _ITEMS_PER_TABLE)):
                yield _table(some)

        return ReadTask(read, BlockMetadata(None, None, None, None))


class _Actor:
    """A worker as Ray Data's actors want it: a table of items in, one of answered items out."""

    def __init__(self, job: Job) -> None:
        # There is an actor for every core, so one thread in each.
        classifier = load_classifier(job.model, device=job.device, threads=1)
        self._worker = Worker(classifier, context=job.context)
        self._labels = len(classifier.labels)

    def __call__(self, table: pa.Table) -> pa.Table:
        items: list[Item] = _values(table)
        articles = [item.content for item in items if isinstance(item.content, Article)]
        prepared = self._worker.prepare(articles)
        answers = zip(prepared, self._worker.answers(prepared), strict=True)
        answered = []
        for item in items:
            if isinstance(item.content, Article):
                ready, probabilities = next(answers)
                answered.append(Answered(item, probabilities, ready.emptied))
            else:
                answered.append(Answered.without_paragraphs(item, self._labels))
        return _table(answered)


def _table(values: Iterable[object]) -> pa.Table:
    """Values as rows; they travel as they are, between processes of this very program."""
    return pa.table({"value": pa.array([pickle.dumps(value) for value in values], pa.binary())})


def _values(table: pa.Table) -> list[Any]:
    return [pickle.loads(value.as_py()) for value in table["value"]]


@contextmanager
def _worker_errors() -> Iterator[None]:
    """Ray wraps what a worker raises, at times only in words: the user gets the worker's own."""
    try:
        yield
    except RayError as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, FaqraError):
            cause = getattr(cause, "cause", None) or cause.__cause__
        if cause is not None:
            raise cause from error
        raise ClusterError(f"Ray gave up: {_line(error)}") from error


def _reason(error: BaseException) -> str:
    """Why Ray cannot be joined; its own error says only that."""
    if isinstance(error.__cause__, AuthenticationError):
        return "it wants another token than this process has; see RAY_AUTH_MODE and RAY_AUTH_TOKEN"
    return _line(error)


def _line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
