"""Articles in, predictions out, in order, at the model's full speed and in bounded memory.

Reading, segmenting and tokenising go on in a thread while the model runs. Batches are cut by
length across the articles of a bounded look-ahead. This module knows neither files nor HTTP.
"""

from collections.abc import Iterable, Iterator
from itertools import islice

from faqra_data.article import Article
from faqra_models.classifier import Classifier, Prepared
from faqra_models.prediction import ArticlePredictions
from faqra_serving.ahead import read_ahead
from faqra_serving.journal import Answers, Journal, key_of
from faqra_serving.worker import Worker

# The first articles are answered at once; then more is read ahead each time, until sorting by
# length has nothing more to gain.
_FIRST_TOKENS = 4_096
_MOST_TOKENS = 131_072
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
        worker = Worker(self._classifier, context=context)
        prepared = _prepared(articles, worker)
        with read_ahead(prepared, _size, _MOST_TOKENS) as stream:
            for block, whole in _blocks(stream):
                journal = self._journal if whole else None
                answers = _answers(block, worker, journal)
                for ready, probabilities in zip(block, answers, strict=True):
                    yield self._classifier.named(ready, probabilities)
        if self._journal is not None:
            self._journal.end()


def _answers(block: list[Prepared], worker: Worker, journal: Journal | None) -> Answers:
    if journal is None:
        return worker.answers(block)
    key = key_of(ready.article for ready in block)
    answers = journal.recall(key)
    if answers is None:
        answers = worker.answers(block)
        journal.note(key, answers)
    return answers


def _prepared(articles: Iterable[Article], worker: Worker) -> Iterator[list[Prepared]]:
    stream = iter(articles)
    size = 1
    while chunk := list(islice(stream, size)):
        yield worker.prepare(chunk)
        size = min(2 * size, _ARTICLES_PER_CALL)


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


def _size(chunk: Iterable[Prepared]) -> int:
    """Tokens, and one for each article: empty ones take room too."""
    return sum(1 + sum(map(len, ready.windows)) for ready in chunk)
