"""An archive classified on a cluster; a run that was stopped goes on where it was.

What the journal has answers for is read again here, beside the driver, and sent to nobody. This
module does not know Ray.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from faqra_data.article import Article, Rejected
from faqra_models.loading import load_classifier, open_folder
from faqra_models.prediction import ArticlePredictions
from faqra_serving.job import BEFORE_ALL, Answered, Item, Job, Place, cut_parts, read_part
from faqra_serving.journal import Journal, key_of

# Articles whose answers are kept together.
_BLOCK = 64


class Workers(Protocol):
    """Who answers: a cluster, or a toy in its place."""

    def classify(self, job: Job, *, after: Place) -> Iterator[Answered]:
        """Every item of the inputs that comes `after` a place with its answer, in order."""
        ...


def classify_archive(
    workers: Workers,
    job: Job,
    journal: Journal | None = None,
    *,
    on_bytes: Callable[[int], None] = lambda _: None,
) -> Iterator[ArticlePredictions | Rejected]:
    """The articles of all inputs with their predictions, and what could not be read, in order.

    `journal` keeps the answers, and has those of an earlier run. `on_bytes` is told how many
    bytes more of the inputs are done.
    """
    folder = open_folder(job.model)
    labels = folder.settings.labels
    if journal is not None:
        run = {"model": folder.digest, "context": job.context, "engine": "cluster"}
        journal.begin(run, len(labels))
    for answered in _answered(workers, job, journal):
        on_bytes(answered.item.read)
        content = answered.item.content
        if isinstance(content, Article):
            yield ArticlePredictions.of(content, answered.probabilities, labels, answered.emptied)
        else:
            yield content


def _answered(workers: Workers, job: Job, journal: Journal | None) -> Iterator[Answered]:
    if journal is None:
        yield from workers.classify(job, after=BEFORE_ALL)
        return
    last = BEFORE_ALL
    for answered in _recalled(job, journal):
        last = answered.item.place
        yield answered
    block: list[Answered] = []
    for answered in workers.classify(job, after=last):
        yield answered
        if isinstance(answered.item.content, Article):
            block.append(answered)
        if len(block) == _BLOCK:
            _note(block, journal)
            block = []
    if block:
        _note(block, journal)
    journal.end()


def _note(block: list[Answered], journal: Journal) -> None:
    journal.note(key_of(_articles(each.item for each in block)), [e.probabilities for e in block])


def _recalled(job: Job, journal: Journal) -> Iterator[Answered]:
    """The items that an earlier run has answered, with their answers."""
    if not journal.waiting:
        return
    classifier = load_classifier(job.model, device="cpu")
    items = (
        item
        for part in cut_parts(job.inputs)
        for item in read_part(part, text_column=job.text_column)
    )
    while journal.waiting:
        block = _block(items, journal.waiting)
        articles = _articles(block)
        answers = iter(journal.recall(key_of(articles)) or ())
        prepared = iter(classifier.prepare(articles, context=job.context))
        for item in block:
            if isinstance(item.content, Article):
                yield Answered(item, next(answers), next(prepared).emptied)
            else:
                yield Answered.without_paragraphs(item, len(classifier.labels))


def _block(items: Iterator[Item], articles: int) -> list[Item]:
    """The next items, as many of them as hold so many articles."""
    block = []
    for item in items:
        block.append(item)
        articles -= isinstance(item.content, Article)
        if not articles:
            break
    return block


def _articles(items: Iterable[Item]) -> list[Article]:
    return [item.content for item in items if isinstance(item.content, Article)]
