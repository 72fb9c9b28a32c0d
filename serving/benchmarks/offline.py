"""The service's answers beside those that the classifier gives for the same texts offline."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from load import Reply

import faqra
from faqra_models.prediction import Prediction

# Probabilities went through other batches, and through JSON.
TOLERANCE = 1e-4


def differing(model: str | None, replies: Iterable[Reply]) -> int:
    """How many replies of `POST /v1/classify` are not the offline answer."""
    asked = list(replies)
    texts = [text for one in asked for text in one.request.texts]
    expected = iter(faqra.load(model).classify(texts))
    wrong = 0
    for reply in asked:
        own = [next(expected) for _ in reply.request.texts]
        wrong += not same_predictions(own, told(reply.json()["predictions"]))
    return wrong


def told(answers: Iterable[Mapping[str, Any]]) -> list[Prediction]:
    """Predictions from the JSON of the routes `/v1/...`; what has an error is none."""
    return [
        Prediction(one["probabilities"], one["truncated"])
        for one in answers
        if one.get("label") and one["label"] == _likeliest(one["probabilities"])
    ]


def same_predictions(expected: Sequence[Prediction], given: Sequence[Prediction]) -> bool:
    """Whether labels are the same, and probabilities up to the tolerance, in the same order."""
    return len(expected) == len(given) and all(
        one.label == other.label
        and one.probabilities.keys() == other.probabilities.keys()
        and all(
            abs(value - other.probabilities[label]) <= TOLERANCE
            for label, value in one.probabilities.items()
        )
        for one, other in zip(expected, given, strict=True)
    )


def _likeliest(probabilities: Mapping[str, float]) -> str:
    return max(probabilities, key=lambda label: probabilities[label])
