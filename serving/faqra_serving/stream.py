"""Articles in, predictions out, in order, at the model's full speed and in bounded memory.

Reading, segmenting and tokenising go on in a thread while the model runs. Batches are cut by
length across the articles of a bounded look-ahead, and a window that was read lately is not
read again: archives repeat their furniture and their agencies' stories. This module knows
neither files nor HTTP.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from faqra_data.article import Article
from faqra_models.classifier import Classifier, Prepared
from faqra_models.encoding import Window
from faqra_models.prediction import ArticlePredictions
from faqra_serving.ahead import read_ahead
from faqra_serving.journal import Answers, Journal, key_of

Logits = NDArray[np.float32]

# The first articles are answered at once; then more is read ahead each time, until sorting by
# length has nothing more to gain.
_FIRST_TOKENS = 4_096
_MOST_TOKENS = 131_072
# Tokens whose answers are kept: 16 bytes each.
_KEPT_TOKENS = 2_000_000
# Articles tokenised in one call, at most, so that its threads have something to share.
_ARTICLES_PER_CALL = 16


class StreamClassifier:
    """A classifier for streams too long to hold; see the head of this module."""

    def __init__(self, classifier: Classifier, journal: Journal | None = None) -> None:
        """`journal` keeps the answers, and has those of an earlier run; it holds for one stream."""
        self._classifier = classifier
        self._journal = journal

    @property
    def labels(self) -> tuple[str, ...]:
        """The model's labels."""
        return self._classifier.labels

    def classify_articles(
        self, articles: Iterable[Article], *, context: bool = True
    ) -> Iterator[ArticlePredictions]:
        """Each article with its predictions, in order.

        `articles` is read in another thread, some way ahead of what is given; what it raises is
        raised here, after the predictions for the articles before it.
        """
        if self._journal is not None:
            run = {"model": self._classifier.digest, "context": context}
            self._journal.begin(run, len(self.labels))
        known = _KnownWindows(self._classifier, _KEPT_TOKENS)
        prepared = self._prepared(articles, context=context)
        with read_ahead(prepared, _size, _MOST_TOKENS) as stream:
            for block, whole in _blocks(stream):
                journal = self._journal if whole else None
                answers = self._answers(block, known, journal)
                for ready, probabilities in zip(block, answers, strict=True):
                    yield self._classifier.named(ready, probabilities)
        if self._journal is not None:
            self._journal.end()

    def _answers(
        self, block: list[Prepared], known: "_KnownWindows", journal: Journal | None
    ) -> Answers:
        key = b""
        if journal is not None:
            key = key_of([_texts(ready.article) for ready in block])
            recalled = journal.recall(key)
            if recalled is not None:
                return recalled
        logits = iter(known.run([window for ready in block for window in ready.windows]))
        answers = [
            self._classifier.probabilities(ready, list(islice(logits, len(ready.windows))))
            for ready in block
        ]
        if journal is not None:
            journal.note(key, answers)
        return answers

    def _prepared(self, articles: Iterable[Article], *, context: bool) -> Iterator[list[Prepared]]:
        stream = iter(articles)
        size = 1
        while chunk := list(islice(stream, size)):
            yield self._classifier.prepare(chunk, context=context)
            size = min(2 * size, _ARTICLES_PER_CALL)


class _KnownWindows:
    """Runs windows, each different one once as long as it is remembered."""

    def __init__(self, classifier: Classifier, most_tokens: int) -> None:
        self._classifier = classifier
        self._most = most_tokens
        self._held = 0
        self._logits: OrderedDict[bytes, Logits] = OrderedDict()

    def run(self, windows: Sequence[Window]) -> list[Logits]:
        """Token logits of each window, in the order given."""
        # What a window's tokens vote for is not the model's business.
        keys = [blake2b(window.ids.tobytes(), digest_size=16).digest() for window in windows]
        new = {
            key: window
            for key, window in zip(keys, windows, strict=True)
            if key not in self._logits
        }
        found = dict(zip(new, self._classifier.run(list(new.values())), strict=True))
        answers = [found[key] if key in found else self._recalled(key) for key in keys]
        for key, logits in found.items():
            self._logits[key] = logits.copy()  # a row of a batch would keep all of it
            self._held += len(logits)
        while self._held > self._most:
            _, oldest = self._logits.popitem(last=False)
            self._held -= len(oldest)
        return answers

    def _recalled(self, key: bytes) -> Logits:
        self._logits.move_to_end(key)
        return self._logits[key]


def _blocks(stream: Iterable[list[Prepared]]) -> Iterator[tuple[list[Prepared], bool]]:
    """What is run together: little at first, then as much as is worth sorting.

    And whether it is whole: a fault of the stream cuts the last one, another time elsewhere.
    """
    block: list[Prepared] = []
    tokens, wanted = 0, _FIRST_TOKENS
    try:
        for chunk in stream:
            block += chunk
            tokens += _size(chunk)
            if tokens >= wanted:
                yield block, True
                block, tokens, wanted = [], 0, min(2 * wanted, _MOST_TOKENS)
    except Exception:
        if block:  # what came before the fault is answered
            yield block, False
        raise
    if block:
        yield block, True


def _texts(article: Article) -> list[str]:
    return [article.id, article.title, *(paragraph.text for paragraph in article.paragraphs)]


def _size(chunk: Iterable[Prepared]) -> int:
    """Tokens, and one for each article: empty ones take room too."""
    return sum(1 + sum(map(len, ready.windows)) for ready in chunk)
