"""The service that a user writes after BentoML's tutorial: a pipeline of transformers in a class.

The weights are the same, named for sequence classification (see `infinity_model`).
"""

import os
from typing import Any

import bentoml
from transformers import pipeline


@bentoml.service(name="plain")
class Plain:
    """One text a request: one at a time, or made into batches by BentoML."""

    def __init__(self) -> None:
        self._pipeline = pipeline(
            "text-classification",
            model=os.environ["PLAIN_MODEL"],
            dtype="float32",
            top_k=None,
            truncation=True,
        )

    @bentoml.api
    def classify(self, text: str) -> dict[str, float]:
        """The probabilities of a text."""
        return self._scores(self._pipeline([text]))[0]

    @bentoml.api(batchable=True)
    def classify_batched(self, texts: list[str]) -> list[dict[str, float]]:
        """The probabilities of each text; the texts of other callers are among them."""
        return self._scores(self._pipeline(texts, batch_size=len(texts)))

    def _scores(self, answers: list[list[dict[str, Any]]]) -> list[dict[str, float]]:
        return [{one["label"]: one["score"] for one in answer} for answer in answers]
