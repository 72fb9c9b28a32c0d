"""The classifier: articles in, a prediction for every paragraph out, in the same order.

Prepare (normalise, tokenise, lay out windows), run (the backend, in batches cut by length)
and finish (pool, calibrate, name the labels) are three steps, so that a service can run the
windows of many callers together. This module does not know which backend runs, nor where an
article came from.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from faqra_data.article import Article
from faqra_data.html import looks_like_html, read_html
from faqra_data.segmentation import segment_text
from faqra_models.backend import Backend
from faqra_models.encoding import Votes, Window, cut_batches, pool, tally
from faqra_models.prediction import ArticlePredictions, ParagraphPrediction, Prediction
from faqra_models.settings import Settings

# Padded tokens a batch: enough to keep two cores busy, little enough to stay in their cache.
TOKENS_PER_BATCH = 4096
# Articles prepared together: their windows are sorted by length, so that batches hold windows
# of like length; more would only hold more in memory.
_ARTICLES_PER_CHUNK = 64


@dataclass(frozen=True, eq=False)
class Prepared:
    """An article ready for the backend.

    `alone` says that no window shows anything beside one paragraph. `emptied` are the indexes of
    the paragraphs of which the normaliser left nothing.
    """

    article: Article
    windows: list[Window]
    alone: bool
    emptied: tuple[int, ...]


class Classifier:
    """Labels paragraphs; made by `faqra.load`, or from its three parts.

    One classifier may be used from several threads where its backend may.
    """

    def __init__(
        self, settings: Settings, tokenizer: Tokenizer, backend: Backend, *, digest: str = ""
    ) -> None:
        """`tokenizer` loses its padding and truncation: windows are laid out here."""
        tokenizer.no_padding()
        tokenizer.no_truncation()
        # A page that says "[SEP]" means these five characters.
        tokenizer.encode_special_tokens = True
        self.settings = settings
        self.digest = digest
        self._tokenizer = tokenizer
        self._backend = backend
        self._layout = settings.layout()

    @property
    def labels(self) -> tuple[str, ...]:
        """The model's labels in the order of its logits."""
        return self.settings.labels

    def classify(self, paragraphs: Sequence[str]) -> list[Prediction]:
        """One prediction a paragraph, each judged by itself; same order and length."""
        if isinstance(paragraphs, str):
            raise TypeError("classify takes a list of paragraphs, got one string: put it in a list")
        texts = tuple(paragraphs)
        for place, text in enumerate(texts):
            if not isinstance(text, str):
                raise TypeError(
                    f"classify takes strings, got {type(text).__name__} as paragraph {place}"
                )
        article = Article.from_paragraphs("paragraphs", texts)
        (result,) = self.classify_articles([article], context=False)
        return [Prediction(p.probabilities, p.truncated) for p in result.predictions]

    def classify_article(self, page: str) -> list[ParagraphPrediction]:
        """One page of text or HTML, its paragraphs judged in context, with their offsets.

        The offsets point into `page` where it is plain text, and into the page's visible text
        (paragraphs joined by newlines) where it is HTML.
        """
        if looks_like_html(page):
            read = read_html(page)
            article = Article("page", read.paragraphs, text=read.text, title=read.title)
        else:
            article = Article("page", segment_text(page), text=page)
        (result,) = self.classify_articles([article])
        return list(result.predictions)

    def classify_articles(
        self, articles: Iterable[Article], *, context: bool = True
    ) -> Iterator[ArticlePredictions]:
        """Each article with its predictions, in order, read as a stream.

        With `context` the paragraphs are judged in their article, where the model can.
        """
        stream = iter(articles)
        while chunk := list(islice(stream, _ARTICLES_PER_CHUNK)):
            prepared = self.prepare(chunk, context=context)
            windows = [window for ready in prepared for window in ready.windows]
            votes = iter(self.run(windows))
            for ready in prepared:
                own = list(islice(votes, len(ready.windows)))
                yield self.named(ready, self.probabilities(ready, own))

    def paragraph_logits(self, article: Article, *, context: bool = True) -> NDArray[np.float64]:
        """Raw logits of shape (paragraphs, labels), before they are calibrated."""
        (ready,) = self.prepare([article], context=context)
        return pool(ready.windows, self.run(ready.windows), len(article.paragraphs))

    def token_ids(self, paragraphs: Sequence[str]) -> list[list[int]]:
        """The token ids of each paragraph, normalised, without special tokens."""
        texts = [self.settings.normaliser.normalise(text) for text in paragraphs]
        encodings = self._tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        return [encoding.ids for encoding in encodings]

    def prepare(self, articles: Sequence[Article], *, context: bool = True) -> list[Prepared]:
        """The articles as windows of token ids, as `classify_articles` reads them."""
        texts = [
            text
            for article in articles
            for text in (article.title, *(paragraph.text for paragraph in article.paragraphs))
        ]
        tokens = iter(self.token_ids(texts))
        together = context and self.settings.context
        prepared = []
        for article in articles:
            title, *paragraphs = islice(tokens, 1 + len(article.paragraphs))
            windows = self._layout.windows(paragraphs, title=title, context=together)
            alone = not together or self._layout.shows_only_one(paragraphs, title)
            emptied = tuple(index for index, ids in enumerate(paragraphs) if not ids)
            prepared.append(Prepared(article, windows, alone, emptied))
        return prepared

    def run(self, windows: Sequence[Window]) -> list[Votes]:
        """The votes of each window, in the order given."""
        votes: dict[int, Votes] = {}
        for positions in cut_batches(windows, TOKENS_PER_BATCH):
            ids, mask = self._layout.batch([windows[position] for position in positions])
            logits = self._backend.token_logits(ids, mask)
            for position, row in zip(positions, logits, strict=True):
                votes[position] = tally(windows[position], row)
        return [votes[position] for position in range(len(windows))]

    def probabilities(self, ready: Prepared, votes: Sequence[Votes]) -> NDArray[np.float64]:
        """Calibrated, of shape (paragraphs, labels), from the votes of the windows."""
        pooled = pool(ready.windows, votes, len(ready.article.paragraphs))
        return self.settings.calibration(alone=ready.alone).probabilities(pooled)

    def named(self, ready: Prepared, probabilities: NDArray[np.float64]) -> ArticlePredictions:
        """Probabilities as predictions, each with its paragraph."""
        return ArticlePredictions.of(ready.article, probabilities, self.labels, ready.emptied)
