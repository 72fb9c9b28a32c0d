"""What a classifier says of a paragraph.

Values only; how they are reached is `classifier`'s, how they are written is the front door's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from faqra_data.article import Article

if TYPE_CHECKING:  # a client has no use for numpy
    import numpy as np
    from numpy.typing import NDArray

# Below this the second most likely label is often the right one, and a person should look.
LOW_CONFIDENCE = 0.6


@dataclass(frozen=True)
class Prediction:
    """The probabilities of all labels for one paragraph, in the model's order; they sum to 1.

    `truncated` is true where part of the paragraph was not read.
    """

    probabilities: Mapping[str, float]
    truncated: bool = False

    @cached_property
    def label(self) -> str:
        """The most likely label; the first of the model's order at a tie."""
        return max(self.probabilities, key=lambda label: self.probabilities[label])

    @property
    def confidence(self) -> float:
        """The probability of `label`."""
        return self.probabilities[self.label]


@dataclass(frozen=True)
class ParagraphPrediction(Prediction):
    """A prediction with the paragraph that it is for.

    `start` and `end` are character offsets into the page's text; None where the paragraphs
    were given one by one.
    """

    text: str = ""
    index: int = 0
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True)
class ArticlePredictions:
    """An article and a prediction for each of its paragraphs, in their order.

    `emptied` holds the indexes of the paragraphs of which the normaliser left nothing: their
    label comes from their neighbours alone.
    """

    article: Article
    predictions: tuple[ParagraphPrediction, ...]
    emptied: tuple[int, ...] = ()

    @classmethod
    def of(
        cls,
        article: Article,
        probabilities: "NDArray[np.float64]",
        labels: Sequence[str],
        emptied: tuple[int, ...],
    ) -> "ArticlePredictions":
        """From `probabilities` of shape (paragraphs, labels), in the order of both."""
        predictions = tuple(
            ParagraphPrediction(
                probabilities=dict(zip(labels, row.tolist(), strict=True)),
                text=paragraph.text,
                index=paragraph.index,
                start=paragraph.start,
                end=paragraph.end,
            )
            for paragraph, row in zip(article.paragraphs, probabilities, strict=True)
        )
        return cls(article, predictions, emptied)
