"""A column of texts in, columns of predictions out: for engines that cut their own batches.

`datasets.Dataset.map` and a Spark `pandas_udf` carry such a callable to their workers. This
module knows no engine; what a column is made of is lists, arrays or series to it.
"""

import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from faqra_data.article import Article
from faqra_data.errors import InputError, ModelError
from faqra_data.html import looks_like_html
from faqra_data.pages import article_of_row
from faqra_data.rows import kind_of
from faqra_models.loading import DEVICES, load_classifier, open_folder
from faqra_models.prediction import ArticlePredictions, ParagraphPrediction
from faqra_serving.worker import Worker

if TYPE_CHECKING:
    import datasets

Columns = dict[str, list[object]]
_Predictions = tuple[ParagraphPrediction, ...]
_LISTS = (list, tuple, np.ndarray)
# An engine's batch may have many more rows than may be held as windows: 25 MB for pages.
_ARTICLES_AT_ONCE = 1024

# Each column with what it shows of a prediction; those of pages are called as in a corpus.
_OF_TEXTS = {name: name for name in ("label", "confidence", "probabilities", "truncated")}
_OF_PAGES = {
    "paragraphs": "text",
    "labels": "label",
    "confidences": "confidence",
    "probabilities": "probabilities",
    "truncated": "truncated",
}


@dataclass(frozen=True)
class BatchClassifier:
    """Labels a batch of a column; holds settings only, and is small to pickle.

    The model is loaded by the first batch in a process and kept there, for all copies with the
    same settings. `digest` is the model's: another model under the same name is refused, and
    what an engine has cached for it is not taken for this one's.
    """

    model: str | None
    digest: str
    labels: tuple[str, ...]
    device: str = "auto"
    context: bool = False
    threads: int = 0

    def __call__(self, column: Iterable[object], titles: Iterable[object] | None = None) -> Columns:
        """Columns of the same length, in the same order; a null row is null in each of them.

        Texts become `label`, `confidence`, `probabilities` (label -> number) and `truncated`.
        With `context` a row is a page: a list of paragraphs, or its text or HTML. The columns
        hold a list a page, `paragraphs`, `labels`, `confidences`, `probabilities`, `truncated`;
        a string with nothing in it that can be read is null. `titles` are the pages' own.

        Raises InputError where a row is something else, TypeError for what is no column.
        """
        rows = _rows(column)
        articles = _pages(rows, titles) if self.context else _texts(rows, titles)
        given = (article for article in articles if article is not None)
        answers = _kept(os.getpid(), self).answer(given)
        pages = [None if article is None else next(answers).predictions for article in articles]
        return _columns_of_pages(pages) if self.context else _columns_of_texts(pages)

    def features(self, given: Mapping[str, Any] | None = None) -> "datasets.Features":
        """The columns of a dataset with the features `given` and with those that are added.

        `Dataset.map` takes the types from the first batch, which may have only nulls or only
        empty pages; give it these as `features`.
        """
        import datasets  # noqa: PLC0415 - half a second, and only this needs it

        types = {
            "text": datasets.Value("string"),
            "label": datasets.Value("string"),
            "confidence": datasets.Value("float64"),
            "probabilities": {label: datasets.Value("float64") for label in self.labels},
            "truncated": datasets.Value("bool"),
        }
        if self.context:
            added = {name: datasets.List(types[shown]) for name, shown in _OF_PAGES.items()}
        else:
            added = {name: types[shown] for name, shown in _OF_TEXTS.items()}
        return datasets.Features({**(given or {}), **added})


def batch_classifier(
    model: str | Path | None = None,
    *,
    device: str = "auto",
    context: bool = False,
    threads: int = 0,
) -> BatchClassifier:
    """A callable that labels batches, for `Dataset.map(..., batched=True)` or a `pandas_udf`.

    `model` and `device` are those of `faqra.load`; workers look for the model under the same
    name. With `context` a row is a page whose paragraphs are judged together. A process runs the
    model in `threads`, 0 being one a core: 1 is right where there is a process a core. Raises
    ModelError where there is no such model; it is checked here and not loaded.
    """
    if device not in DEVICES:
        raise ModelError(f"device: expected one of {', '.join(DEVICES)}, got {device!r}")
    folder = open_folder(model)
    if model is not None:
        # A worker may run in another folder.
        model = str(Path(model).absolute() if Path(model).exists() else model)
    labels = folder.settings.labels
    return BatchClassifier(
        model, folder.digest, labels, device=device, context=context, threads=threads
    )


class _Kept:
    """A model as a process keeps it: threads that ask wait for each other."""

    def __init__(self, wanted: BatchClassifier) -> None:
        self._classifier = load_classifier(
            wanted.model, device=wanted.device, threads=wanted.threads
        )
        if self._classifier.digest != wanted.digest:
            raise ModelError(
                f"{wanted.model or 'the bundled model'}: expected the one of digest "
                f"{wanted.digest}, as where faqra.batch was called, got {self._classifier.digest}; "
                "have the same model here and there"
            )
        self._worker = Worker(self._classifier, context=wanted.context)
        self._lock = Lock()

    def answer(self, articles: Iterable[Article]) -> Iterator[ArticlePredictions]:
        """Each article with its predictions, in order."""
        stream = iter(articles)
        while some := list(islice(stream, _ARTICLES_AT_ONCE)):
            with self._lock:
                prepared = self._worker.prepare(some)
                answers = self._worker.answers(prepared)
            for ready, probabilities in zip(prepared, answers, strict=True):
                yield self._classifier.named(ready, probabilities)


@cache
def _kept(process: int, wanted: BatchClassifier) -> _Kept:  # noqa: ARG001 - a key, see below
    """The model of a process; a forked one has not inherited the threads of its parent's."""
    return _Kept(wanted)


def _rows(column: Iterable[object]) -> list[object]:
    if isinstance(column, str):
        raise TypeError(
            "expected a column of texts, got one string: "
            "give Dataset.map batched=True, or put it in a list"
        )
    if isinstance(column, Mapping):
        raise TypeError(
            f"expected a column of texts, got a batch of the columns {', '.join(column)}: "
            "name one with Dataset.map(..., batched=True, input_columns=...)"
        )
    return list(column)


def _texts(rows: list[object], titles: Iterable[object] | None) -> list[Article | None]:
    if titles is not None:
        raise TypeError("expected one column, got titles too: they need faqra.batch(context=True)")
    return [_text(row, number) for number, row in enumerate(rows)]


def _text(row: object, number: int) -> Article | None:
    if _is_missing(row):
        return None
    if not isinstance(row, str):
        pages = "; faqra.batch(context=True) takes pages" if isinstance(row, _LISTS) else ""
        raise InputError(f"row {number} of the batch: expected a text, got {kind_of(row)}{pages}")
    return Article.from_paragraphs("", [row])


def _pages(rows: list[object], titles: Iterable[object] | None) -> list[Article | None]:
    named = [""] * len(rows) if titles is None else titles
    both = zip(rows, named, strict=True)
    return [_page(row, title, number) for number, (row, title) in enumerate(both)]


def _page(row: object, title: object, number: int) -> Article | None:
    if _is_missing(row):
        return None
    details = {"title": None if _is_missing(title) else title}
    if isinstance(row, str):
        try:
            return article_of_row({"html" if looks_like_html(row) else "text": row, **details}, "")
        except InputError:
            return None
    paragraphs = list(row) if isinstance(row, _LISTS) else row
    if paragraphs == []:
        return Article.from_paragraphs("", [])
    try:
        return article_of_row({"paragraphs": paragraphs, **details}, "")
    except InputError as error:
        raise InputError(f"row {number} of the batch: {error}") from error


def _is_missing(value: object) -> bool:
    """Whether a row is null; pandas says NaN for it."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def _columns_of_texts(pages: Sequence[_Predictions | None]) -> Columns:
    return {
        name: [None if page is None else getattr(page[0], shown) for page in pages]
        for name, shown in _OF_TEXTS.items()
    }


def _columns_of_pages(pages: Sequence[_Predictions | None]) -> Columns:
    return {
        name: [None if page is None else [getattr(one, shown) for one in page] for page in pages]
        for name, shown in _OF_PAGES.items()
    }
