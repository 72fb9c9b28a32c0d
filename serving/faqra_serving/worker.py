"""One process's share of a batch job: articles in, the answers for their paragraphs out.

The same code runs for one machine (`stream`) and for many (`cluster`). This module knows
neither files nor HTTP, nor who asks.
"""

from collections.abc import Sequence
from itertools import islice

from faqra_data.article import Article
from faqra_models.classifier import Classifier, Prepared
from faqra_serving.journal import Answers
from faqra_serving.known import KnownWindows

# Paragraphs whose answers are remembered: at most 6 MB, where each is read alone.
_REMEMBERED = 16_384


class Worker:
    """Answers blocks of articles, and remembers what it has read lately."""

    def __init__(self, classifier: Classifier, *, context: bool) -> None:
        """With `context` paragraphs are judged in their article, where the model can."""
        self._classifier = classifier
        self._context = context
        self._known = KnownWindows(classifier.run, paragraphs=_REMEMBERED)

    def prepare(self, articles: Sequence[Article]) -> list[Prepared]:
        """The articles as windows; may be called from another thread than `answers`."""
        return self._classifier.prepare(articles, context=self._context)

    def answers(self, block: Sequence[Prepared]) -> Answers:
        """For each article its probabilities, of shape (paragraphs, labels).

        The windows of the whole block are run together, in batches of like length.
        """
        votes = iter(self._known.run([window for ready in block for window in ready.windows]))
        return [
            self._classifier.probabilities(ready, list(islice(votes, len(ready.windows))))
            for ready in block
        ]
